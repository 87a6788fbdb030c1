//! Stops asking an upstream that keeps failing, and finds out by itself when it is back.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::measures;

/// Failures in a row after which the breaker opens.
pub(super) const OPENS_AFTER: u32 = 20;
/// Pause between two probes of an open breaker. Short, since a call waits that long to be the next probe.
pub(super) const PROBE_EVERY: Duration = Duration::from_millis(250);

/// Counts failures in a row. A 4xx is no failure: the upstream is there.
#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    next_probe: Option<Instant>,
    is_awaited: bool,
}

/// How an attempt was let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admitted {
    /// Like any other.
    Freely,
    /// To find out whether the upstream is back.
    AsProbe,
}

impl Breaker {
    /// Lets an attempt through, or says how long until the next one may try. While open, one attempt each
    /// [`PROBE_EVERY`] goes through: one call waits for that, and all others are refused at once. So nobody waits for
    /// long while the upstream is away, and the first call once it is back succeeds.
    pub(super) async fn admit(&self, patience: Duration) -> Result<Admitted, Duration> {
        let next_probe = {
            let mut state = self.lock();
            let Some(next_probe) = state.next_probe else { return Ok(Admitted::Freely) };
            let wait = next_probe.saturating_duration_since(Instant::now());
            if !wait.is_zero() && (state.is_awaited || wait > patience) {
                return Err(wait);
            }
            if wait.is_zero() {
                state.next_probe = Some(Instant::now() + PROBE_EVERY);
                return Ok(Admitted::AsProbe);
            }
            state.is_awaited = true;
            next_probe
        };
        let _waiting = Waiting(self);
        tokio::time::sleep_until(next_probe).await;
        let mut state = self.lock();
        if state.next_probe.is_none() {
            return Ok(Admitted::Freely);
        }
        state.next_probe = Some(Instant::now() + PROBE_EVERY);
        Ok(Admitted::AsProbe)
    }

    /// The upstream answered, whatever it said.
    pub(super) fn succeeded(&self) {
        let mut state = self.lock();
        if state.next_probe.is_some() {
            tracing::info!("the upstream answers again");
            measures::breaker(false);
        }
        state.failures = 0;
        state.next_probe = None;
    }

    /// The upstream did not answer, or with a 5xx.
    pub(super) fn failed(&self) {
        let mut state = self.lock();
        state.failures = state.failures.saturating_add(1);
        if state.failures >= OPENS_AFTER && state.next_probe.is_none() {
            tracing::warn!(
                failures = state.failures,
                "the upstream keeps failing: calls fail at once until it answers"
            );
            measures::breaker(true);
            state.next_probe = Some(Instant::now() + PROBE_EVERY);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one call that waits for the next probe; makes room for another where it is given up.
struct Waiting<'a>(&'a Breaker);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.lock().is_awaited = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_failures_in_a_row_and_closes_after_a_success() {
        let breaker = Breaker::default();
        for _ in 1..OPENS_AFTER {
            breaker.failed();
        }
        breaker.succeeded();
        for _ in 1..OPENS_AFTER {
            breaker.failed();
            assert_eq!(breaker.admit(LONG).await, Ok(Admitted::Freely));
        }
        breaker.failed();
        assert_eq!(breaker.admit(LONG).await, Ok(Admitted::AsProbe));
        breaker.failed();
        assert_eq!(breaker.admit(LONG).await, Ok(Admitted::AsProbe));
        breaker.succeeded();
        assert_eq!(breaker.admit(LONG).await, Ok(Admitted::Freely));
    }

    #[tokio::test(start_paused = true)]
    async fn one_waits_for_the_next_probe_and_the_others_are_refused() {
        let breaker = Breaker::default();
        for _ in 0..OPENS_AFTER {
            breaker.failed();
        }
        assert_eq!(breaker.admit(Duration::ZERO).await, Err(PROBE_EVERY), "no time to wait");
        let answers = futures_util::future::join_all((0..10).map(|_| breaker.admit(LONG))).await;
        assert_eq!(answers.iter().filter(|answer| **answer == Ok(Admitted::AsProbe)).count(), 1);
        assert_eq!(answers.iter().filter(|answer| **answer == Err(PROBE_EVERY)).count(), 9);

        // One that gives up makes room for the next.
        let given_up = tokio::time::timeout(PROBE_EVERY / 2, breaker.admit(LONG)).await;
        assert!(given_up.is_err());
        assert_eq!(breaker.admit(LONG).await, Ok(Admitted::AsProbe));
    }
}
