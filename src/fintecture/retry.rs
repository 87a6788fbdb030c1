//! Whether a failed attempt is made again, and after what pause.
//!
//! A read is tried three times. A write goes out again only where it is certain that it never left.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::failure::{Failure, FailureKind, Reach};

/// Attempts of one call, the first included.
pub(super) const MAX_ATTEMPTS: u32 = 3;
/// Longest pause before the second attempt; doubled before each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Longest `Retry-After` that is believed, in seconds: a year.
const MAX_RETRY_AFTER_SECONDS: u64 = 31_536_000;

/// Retries that may happen before successes have paid for more, in whole retries.
const BUDGET: u32 = 50;
/// What a retry costs, and what a success pays back: one retry for ten successes.
const RETRY_COST: u32 = 10;

/// Keeps a failing upstream from being asked three times as often as a healthy one. Starts full.
#[derive(Debug)]
pub(super) struct RetryBudget(AtomicU32);

impl Default for RetryBudget {
    fn default() -> Self {
        Self(AtomicU32::new(BUDGET * RETRY_COST))
    }
}

impl RetryBudget {
    /// Pays for later retries.
    pub(super) fn succeeded(&self) {
        let more = |left: u32| (left < BUDGET * RETRY_COST).then_some(left + 1);
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// Takes one retry out, where there is one.
    fn take(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(RETRY_COST)).is_ok()
    }
}

/// The pause before the next attempt, or nothing where there is to be none.
pub(super) fn pause(
    failure: &Failure,
    attempts: u32,
    is_write: bool,
    budget: &RetryBudget,
) -> Option<Duration> {
    let again = match failure.kind {
        FailureKind::Unavailable if is_write => failure.reach == Reach::NotSent,
        FailureKind::Unavailable => true,
        FailureKind::RateLimited => !is_write && failure.status.is_some(),
        _ => false,
    };
    if !again || failure.is_fail_fast || attempts >= MAX_ATTEMPTS || !budget.take() {
        return None;
    }
    if let Some(seconds) = failure.retry_after_seconds {
        // Never without any pause: an upstream that says 0 is not to be asked three times in a row.
        return Some(Duration::from_secs(seconds).max(FIRST_PAUSE.mul_f64(fastrand::f64())));
    }
    // Full jitter: callers that failed together do not come back together.
    Some((FIRST_PAUSE * 2_u32.pow(attempts - 1)).mul_f64(fastrand::f64()))
}

/// `Retry-After` in seconds, in either of its forms.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = value.parse().ok().or_else(|| {
        let until = httpdate::parse_http_date(value).ok()?;
        // A date that has passed asks for no wait at all.
        Some(until.duration_since(SystemTime::now()).map_or(0, |wait| wait.as_secs()))
    });
    seconds.map(|seconds: u64| seconds.min(MAX_RETRY_AFTER_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(kind: FailureKind, reach: Reach) -> Failure {
        Failure { reach, status: Some(500), ..Failure::new(kind, "") }
    }

    #[test]
    fn a_read_is_tried_three_times_and_a_write_only_where_it_never_left() {
        let budget = RetryBudget::default();
        let lost = failure(FailureKind::Unavailable, Reach::Unknown);
        assert!(pause(&lost, 1, false, &budget).unwrap() <= FIRST_PAUSE);
        assert!(pause(&lost, 2, false, &budget).unwrap() <= FIRST_PAUSE * 2);
        assert_eq!(pause(&lost, 3, false, &budget), None);
        assert_eq!(pause(&lost, 1, true, &budget), None);
        assert!(pause(&failure(FailureKind::Unavailable, Reach::NotSent), 1, true, &budget).is_some());
        let busy =
            Failure { retry_after_seconds: Some(7), ..failure(FailureKind::RateLimited, Reach::Refused) };
        assert_eq!(pause(&busy, 1, false, &budget), Some(Duration::from_secs(7)));
        assert_eq!(pause(&busy, 1, true, &budget), None);
        assert_eq!(pause(&failure(FailureKind::NotFound, Reach::Refused), 1, false, &budget), None);
    }

    #[test]
    fn the_budget_starts_full_runs_out_and_is_paid_back() {
        let budget = RetryBudget::default();
        let lost = failure(FailureKind::Unavailable, Reach::Unknown);
        let allowed = (0..1000).filter(|_| pause(&lost, 1, false, &budget).is_some()).count();
        assert_eq!(allowed, BUDGET as usize);
        (0..RETRY_COST).for_each(|_| budget.succeeded());
        assert!(pause(&lost, 1, false, &budget).is_some());
        assert_eq!(pause(&lost, 1, false, &budget), None);
    }
}
