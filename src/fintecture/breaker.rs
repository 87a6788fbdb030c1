//! Stops asking an upstream that keeps failing, and finds out by itself when it is back.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Failures in a row after which the breaker opens.
pub(super) const OPENS_AFTER: u32 = 20;
/// Pause between two probes of an open breaker.
pub(super) const PROBE_EVERY: Duration = Duration::from_secs(1);

/// Counts failures in a row. A 4xx is no failure: the upstream is there.
#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    next_probe: Option<Instant>,
}

impl Breaker {
    /// Lets an attempt through, or says how long until the next one may try. While open, one attempt each
    /// [`PROBE_EVERY`] goes through.
    pub(super) fn admit(&self) -> Result<(), Duration> {
        let mut state = self.lock();
        let Some(next_probe) = state.next_probe else { return Ok(()) };
        let now = Instant::now();
        if now < next_probe {
            return Err(next_probe - now);
        }
        state.next_probe = Some(now + PROBE_EVERY);
        Ok(())
    }

    /// The upstream answered, whatever it said.
    pub(super) fn succeeded(&self) {
        let mut state = self.lock();
        if state.next_probe.is_some() {
            tracing::info!("the upstream answers again");
        }
        *state = State::default();
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
            state.next_probe = Some(Instant::now() + PROBE_EVERY);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_failures_in_a_row_probes_and_closes() {
        let breaker = Breaker::default();
        for _ in 1..OPENS_AFTER {
            breaker.failed();
        }
        breaker.succeeded();
        for _ in 1..OPENS_AFTER {
            breaker.failed();
            assert!(breaker.admit().is_ok());
        }
        breaker.failed();
        assert_eq!(breaker.admit(), Err(PROBE_EVERY));
        tokio::time::advance(PROBE_EVERY).await;
        assert!(breaker.admit().is_ok());
        assert!(breaker.admit().is_err(), "one probe at a time");
        breaker.failed();
        tokio::time::advance(PROBE_EVERY).await;
        assert!(breaker.admit().is_ok());
        breaker.succeeded();
        assert!(breaker.admit().is_ok() && breaker.admit().is_ok());
    }
}
