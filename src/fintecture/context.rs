//! What one tool call carries through all its requests to the upstream: its time budget, and what came of them.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Time for all attempts of a call together: clients give up at 60 s.
pub const CALL_BUDGET: Duration = Duration::from_secs(45);

/// One tool call, as the upstream client sees it.
#[derive(Debug)]
pub struct CallContext {
    deadline: Instant,
    /// While this file exists, no write may leave.
    stop_writes: Option<PathBuf>,
    /// Whether a failed request may be made again.
    asks_again: bool,
    seen: Mutex<Seen>,
}

/// What a call's requests came to, for its log line.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Requests that were tried, look-ups and retries included.
    pub attempts: u32,
    /// Status of the last answer.
    pub status: Option<u16>,
    /// `X-Request-ID` of the last attempt.
    pub request_id: Option<String>,
}

impl CallContext {
    /// A call that begins now. While the file `stop_writes` exists, none of its writes leaves.
    #[must_use]
    pub fn new(stop_writes: Option<PathBuf>) -> Self {
        Self { deadline: Instant::now() + CALL_BUDGET, stop_writes, asks_again: true, seen: Mutex::default() }
    }

    /// The same call with a single request to the upstream: no retry, not even with another token.
    #[must_use]
    pub fn asking_once(self) -> Self {
        Self { asks_again: false, ..self }
    }

    /// Whether a failed request may be made again.
    pub(super) fn asks_again(&self) -> bool {
        self.asks_again
    }

    /// Whether the operator has stopped writes. A file that cannot be looked at may be there: then they wait, too.
    #[must_use]
    pub fn writes_are_stopped(&self) -> bool {
        let looked = self.stop_writes.as_ref().map(std::fs::symlink_metadata);
        looked
            .is_some_and(|found| !matches!(found, Err(error) if error.kind() == std::io::ErrorKind::NotFound))
    }

    /// A call that has less time.
    #[cfg(test)]
    pub(super) fn with_budget(budget: Duration) -> Self {
        Self { deadline: Instant::now() + budget, ..Self::new(None) }
    }

    /// What its requests have come to so far.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Time that is left.
    pub(super) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    pub(super) fn attempted(&self, request_id: &str) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.attempts += 1;
        seen.status = None;
        seen.request_id = Some(request_id.to_owned());
    }

    pub(super) fn answered(&self, status: u16) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).status = Some(status);
    }
}
