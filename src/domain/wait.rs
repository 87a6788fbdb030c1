//! How long a caller wants to wait for a verdict.

use std::time::Duration;

use super::value::number_value;

number_value!(
    /// Seconds to wait while a verification is pending, 0 to 300.
    WaitSeconds,
    0..=300,
    "must be from 0 to 300",
    example = 30
);

impl WaitSeconds {
    /// The same as a span of time.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.get().into())
    }
}
