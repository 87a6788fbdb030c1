//! What one tool call carries through all its requests to the upstream: its time budget, and what came of them.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use crate::traces::Place;

/// Time for all attempts of a call together: clients give up at 60 s.
pub const CALL_BUDGET: Duration = Duration::from_secs(45);

/// One tool call, as the upstream client sees it.
#[derive(Debug)]
pub struct CallContext {
    deadline: Mutex<Instant>,
    /// While this file exists, no write may leave.
    stop_writes: Option<PathBuf>,
    way: Mutex<Way>,
    /// Whether a failed request may be made again.
    asks_again: bool,
    seen: Mutex<Seen>,
    /// What the next attempt is to be called, where that was said.
    planned: Mutex<Option<String>>,
    /// Where its requests stand in a trace.
    place: Place,
}

/// Where the write of a call is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Way {
    #[default]
    Here,
    /// It may be with the upstream: nobody can call it back.
    Left,
    /// The same, and it was called back too late: it does not leave once more.
    LeftUnwanted,
    /// It was called back before.
    GivenUp,
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
        let deadline = Mutex::new(Instant::now() + CALL_BUDGET);
        Self {
            deadline,
            stop_writes,
            asks_again: true,
            way: Mutex::default(),
            seen: Mutex::default(),
            planned: Mutex::default(),
            place: Place::default(),
        }
    }

    /// The same call at this place in a trace.
    #[must_use]
    pub fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }

    /// Where its requests stand in a trace.
    pub(super) fn place(&self) -> &Place {
        &self.place
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

    /// Gives the attempts their time anew, after a person has taken theirs; not beyond `end`.
    pub fn renew(&self, end: Option<Instant>) {
        let renewed = Instant::now() + CALL_BUDGET;
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) =
            end.map_or(renewed, |end| end.min(renewed));
    }

    /// Calls the write of this call back, for good. False where it may have left already; should it come back undone, it
    /// stays.
    #[must_use]
    pub fn give_up(&self) -> bool {
        let mut way = self.way();
        *way = match *way {
            Way::Here | Way::GivenUp => Way::GivenUp,
            Way::Left | Way::LeftUnwanted => Way::LeftUnwanted,
        };
        *way == Way::GivenUp
    }

    /// Whether the write may be with the upstream.
    #[must_use]
    pub fn write_may_have_left(&self) -> bool {
        matches!(*self.way(), Way::Left | Way::LeftUnwanted)
    }

    /// The last step before a write leaves, for the first time or once more since it is certainly undone. False where it
    /// was called back.
    pub(super) fn let_write_leave(&self) -> bool {
        let mut way = self.way();
        *way = match *way {
            Way::Here | Way::Left => Way::Left,
            Way::LeftUnwanted | Way::GivenUp => Way::GivenUp,
        };
        *way == Way::Left
    }

    /// The write certainly did not leave after all, and can be called back again.
    pub(super) fn write_stayed(&self) {
        let mut way = self.way();
        *way = match *way {
            Way::Here | Way::Left => Way::Here,
            Way::LeftUnwanted | Way::GivenUp => Way::GivenUp,
        };
    }

    fn way(&self) -> MutexGuard<'_, Way> {
        self.way.lock().unwrap_or_else(PoisonError::into_inner)
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
        let context = Self::new(None);
        context.renew(Some(Instant::now() + budget));
        context
    }

    /// What its requests have come to so far.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Time that is left.
    #[must_use]
    pub fn left(&self) -> Duration {
        let deadline = *self.deadline.lock().unwrap_or_else(PoisonError::into_inner);
        deadline.saturating_duration_since(Instant::now())
    }

    /// Says before the next attempt what its `X-Request-ID` will be, for a record of what is about to be sent.
    #[must_use]
    pub fn plan_request_id(&self) -> String {
        let planned = Uuid::new_v4().to_string();
        *self.planned.lock().unwrap_or_else(PoisonError::into_inner) = Some(planned.clone());
        planned
    }

    /// The `X-Request-ID` of an attempt that begins: every one has its own.
    pub(super) fn request_id(&self) -> String {
        let planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner).clone();
        planned.unwrap_or_else(|| Uuid::new_v4().to_string())
    }

    pub(super) fn attempted(&self, request_id: &str) {
        // Until one leaves, it is the next one's.
        *self.planned.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.attempts += 1;
        seen.status = None;
        seen.request_id = Some(request_id.to_owned());
    }

    pub(super) fn answered(&self, status: u16) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).status = Some(status);
    }
}
