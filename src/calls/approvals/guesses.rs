//! How often a code may be wrong. A guess counts from its beginning, so that many at once are no more than the limit.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Wrong codes that end an approval.
pub(super) const MAX_WRONG_OF_ONE: usize = 5;
/// Wrong codes within [`WINDOW`], over all approvals, that close the way.
pub(super) const MAX_WRONG_OF_ALL: usize = 20;
/// The time in which they count, and for which the way is closed then.
pub(super) const WINDOW: Duration = Duration::from_hours(1);

/// Guesses at one approval.
#[derive(Debug, Default)]
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
#[derive(Debug, Default)]
pub(super) struct AllGuesses {
    wrong: VecDeque<Instant>,
    checking: usize,
    closed_until: Option<Instant>,
}

impl AllGuesses {
    /// Counts a guess.
    ///
    /// # Errors
    /// How long the way is closed.
    pub(super) fn begin(&mut self, now: Instant) -> Result<(), Duration> {
        if let Some(until) = self.closed_until.filter(|until| *until > now) {
            return Err(until - now);
        }
        self.closed_until = None;
        while self.wrong.pop_front_if(|at| *at + WINDOW <= now).is_some() {}
        if self.wrong.len() + self.checking >= MAX_WRONG_OF_ALL {
            // Those being checked decide in a moment whether the way is closed.
            return Err(Duration::from_secs(1));
        }
        self.checking += 1;
        Ok(())
    }

    /// Ends a guess. True when it closed the way.
    pub(super) fn end(&mut self, right: bool, now: Instant) -> bool {
        self.checking = self.checking.saturating_sub(1);
        if right {
            return false;
        }
        self.wrong.push_back(now);
        while self.wrong.pop_front_if(|at| *at + WINDOW <= now).is_some() {}
        let closes = self.wrong.len() >= MAX_WRONG_OF_ALL;
        if closes {
            self.closed_until = Some(now + WINDOW);
            self.wrong.clear();
        }
        closes
    }
}
