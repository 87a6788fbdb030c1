//! What time it is, so that tests can say it themselves.

use std::sync::Arc;

use jiff::Timestamp;

/// Tells the time in whole milliseconds.
#[derive(Clone)]
pub(super) struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The clock of this machine.
    pub(super) fn system() -> Self {
        Self::from_fn(Timestamp::now)
    }

    /// A clock that asks `tell` whenever it is asked.
    pub(super) fn from_fn(tell: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub(super) fn now(&self) -> Timestamp {
        let exact = (self.0)();
        // Nanoseconds would only make answers harder to read.
        Timestamp::from_millisecond(exact.as_millisecond()).unwrap_or(exact)
    }
}
