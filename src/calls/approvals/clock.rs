//! What time it is. Replicas compare what they wrote down, and a machine may have slept meanwhile: it is the wall's
//! time, not that of a process.

use std::time::Duration;

use jiff::Timestamp;

#[cfg(not(test))]
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}

/// The time that is left until then.
pub(super) fn left(until: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(until.duration_since(now)).unwrap_or_default()
}

/// The moment after this time.
pub(super) fn after(now: Timestamp, time: Duration) -> Timestamp {
    now.checked_add(time).unwrap_or(now)
}

#[cfg(test)]
pub(super) use paused::{now, oversleep};

/// In tests the wall's clock goes with the runtime's, which can be stopped and moved.
#[cfg(test)]
mod paused {
    use std::cell::Cell;
    use std::sync::OnceLock;
    use std::time::{Duration, Instant};

    use jiff::{SignedDuration, Timestamp};

    static BEGAN: OnceLock<(Timestamp, Instant)> = OnceLock::new();

    thread_local! {
        static OVERSLEPT: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    }

    pub(in crate::calls::approvals) fn now() -> Timestamp {
        let (wall, began) = *BEGAN.get_or_init(|| (Timestamp::now(), Instant::now()));
        let now = tokio::time::Instant::now().into_std();
        let passed = |time: Duration| SignedDuration::try_from(time).unwrap();
        let since =
            passed(now.saturating_duration_since(began)) - passed(began.saturating_duration_since(now));
        wall + since + passed(OVERSLEPT.get())
    }

    /// The machine sleeps: the wall's clock goes on, the runtime's does not.
    pub(in crate::calls::approvals) fn oversleep(time: Duration) {
        OVERSLEPT.set(OVERSLEPT.get() + time);
    }
}
