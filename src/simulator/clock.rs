//! What time it is and when time has passed, so that tests can say both themselves.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;

/// Tells the time in whole milliseconds, and waits.
#[derive(Clone)]
pub(super) struct Clock {
    tell: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    wait: Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>,
}

impl Clock {
    /// The clock of this machine.
    pub(super) fn system() -> Self {
        Self::new(Timestamp::now, |duration| tokio::time::sleep(duration).boxed())
    }

    /// A clock that asks `tell` what time it is, and `wait` to let time pass.
    pub(super) fn new(
        tell: impl Fn() -> Timestamp + Send + Sync + 'static,
        wait: impl Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) -> Self {
        Self { tell: Arc::new(tell), wait: Arc::new(wait) }
    }

    pub(super) fn now(&self) -> Timestamp {
        let exact = (self.tell)();
        // Nanoseconds would only make answers harder to read.
        Timestamp::from_millisecond(exact.as_millisecond()).unwrap_or(exact)
    }

    /// Ends when `duration` has passed since this was called, not since it was first polled.
    pub(super) fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        (self.wait)(duration)
    }
}
