//! How often a code may be wrong. A guess counts from its beginning, so that many at once are no more than the limit.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::clock::{after, left};
use crate::store::Name;

/// Wrong codes that end an approval.
pub(super) const MAX_WRONG_OF_ONE: usize = 5;
/// Wrong codes within [`WINDOW`], over all approvals, that close the way.
pub(super) const MAX_WRONG_OF_ALL: usize = 20;
/// The time in which they count, and for which the way is closed then.
pub(super) const WINDOW: Duration = Duration::from_hours(1);
/// A guess that is looked at for longer has lost its process: it was wrong.
const LOOKED_AT_FOR: Duration = Duration::from_mins(1);
/// How long the guesses of all are kept.
pub(super) const KEPT_FOR: Duration = WINDOW.saturating_mul(2);

/// Where guesses at all approvals are kept.
pub(super) fn of_all() -> Name {
    Name::new("approval-guesses", &[])
}

/// Guesses at one approval.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Guesses {
    wrong: usize,
    checking: usize,
}

impl Guesses {
    /// Whether one more could still be the last wrong one.
    pub(super) fn begin(&mut self) -> bool {
        let may = self.wrong + self.checking < MAX_WRONG_OF_ONE;
        self.checking += usize::from(may);
        may
    }

    /// Ends a guess. True when it was one wrong code too many.
    pub(super) fn end(&mut self, right: bool) -> bool {
        self.checking = self.checking.saturating_sub(1);
        self.wrong += usize::from(!right);
        self.wrong >= MAX_WRONG_OF_ONE
    }

    /// A guess that was not looked at after all.
    pub(super) fn give_up(&mut self) {
        self.checking = self.checking.saturating_sub(1);
    }

    /// Wrong codes that are left before the approval ends.
    pub(super) fn left(&self) -> usize {
        MAX_WRONG_OF_ONE.saturating_sub(self.wrong)
    }
}

/// Guesses at all approvals.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct AllGuesses {
    wrong: VecDeque<Timestamp>,
    /// When each began that is being looked at.
    checking: VecDeque<Timestamp>,
    closed_until: Option<Timestamp>,
}

impl AllGuesses {
    /// Counts a guess.
    ///
    /// # Errors
    /// How long the way is closed.
    pub(super) fn begin(&mut self, now: Timestamp) -> Result<(), Duration> {
        if let Some(until) = self.closed_until.filter(|until| *until > now) {
            return Err(left(until, now));
        }
        self.closed_until = None;
        while let Some(lost) = self.checking.pop_front_if(|at| after(*at, LOOKED_AT_FOR) <= now) {
            self.wrong.push_back(lost);
        }
        self.forget_old(now);
        if self.wrong.len() + self.checking.len() >= MAX_WRONG_OF_ALL {
            // Those being checked decide in a moment whether the way is closed.
            return Err(Duration::from_secs(1));
        }
        self.checking.push_back(now);
        Ok(())
    }

    /// Ends a guess. True when it closed the way.
    pub(super) fn end(&mut self, right: bool, now: Timestamp) -> bool {
        self.checking.pop_front();
        if right {
            return false;
        }
        self.wrong.push_back(now);
        self.forget_old(now);
        let closes = self.wrong.len() >= MAX_WRONG_OF_ALL;
        if closes {
            self.closed_until = Some(after(now, WINDOW));
            self.wrong.clear();
        }
        closes
    }

    fn forget_old(&mut self, now: Timestamp) {
        while self.wrong.pop_front_if(|at| after(*at, WINDOW) <= now).is_some() {}
    }
}
