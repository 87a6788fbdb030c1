//! One approval: what is asked, and where it stands. Time changes it, too: what is over by now is put away before
//! anything else is looked at.
//!
//! Knows nothing of browsers, pages or where it is kept.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::clock::{after, left};
use super::guesses::Guesses;
use super::proof::Proofs;
use super::{Decided, Ticket};
use crate::calls::repeats::Key;
use crate::tools::Question;

/// How long a person may take to answer.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_mins(10);
/// How long a call may take to use what was approved.
pub(super) const CALL_WITHIN: Duration = Duration::from_mins(10);
/// How long an approval that is over is told about.
pub(super) const REMEMBERED_FOR: Duration = Duration::from_hours(1);
/// Longest that anything about an approval matters.
pub(super) const LIVES_AT_MOST: Duration =
    ANSWER_WITHIN.saturating_add(CALL_WITHIN).saturating_add(REMEMBERED_FOR);

/// Where an approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Nobody has answered yet.
    Waiting,
    /// A person said yes; the write was not sent yet.
    Approved,
    /// The write was sent.
    Used,
    /// A person said no on the page.
    Declined,
    /// A person answered in the client.
    AnsweredInClient,
    /// Its time is over.
    Expired,
    /// It ended after too many wrong codes.
    Locked,
}

impl Phase {
    fn is_over(self) -> bool {
        !matches!(self, Self::Waiting | Self::Approved)
    }
}

/// One approval.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Who asks.
    pub(super) principal: String,
    pub(super) write: Key,
    pub(super) ticket: Ticket,
    pub(super) question: Question,
    pub(super) phase: Phase,
    /// When the phase ends: the answer's time, the call's, or the time to tell about it.
    pub(super) until: Timestamp,
    /// Whether a call of the declined write was told so.
    pub(super) is_told: bool,
    /// Who decided, once somebody has.
    pub(super) decided: Option<Decided>,
    pub(super) proofs: Proofs,
    pub(super) guesses: Guesses,
}

impl Record {
    /// One that waits.
    pub(super) fn new(
        principal: &str,
        write: Key,
        ticket: Ticket,
        question: Question,
        now: Timestamp,
    ) -> Self {
        Self {
            principal: principal.to_owned(),
            write,
            ticket,
            question,
            phase: Phase::Waiting,
            until: after(now, ANSWER_WITHIN),
            is_told: false,
            decided: None,
            proofs: Proofs::default(),
            guesses: Guesses::default(),
        }
    }

    /// As it stands at this time; nothing where it is forgotten by now.
    pub(super) fn at(mut self, now: Timestamp) -> Option<Self> {
        if !self.is_over() && self.until <= now {
            self.end(Phase::Expired, self.until);
        }
        (self.until > now).then_some(self)
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.phase == Phase::Waiting
    }

    pub(super) fn is_over(&self) -> bool {
        self.phase.is_over()
    }

    /// Whether a call of its write finds it: it waits, it holds, or its no was told to nobody yet.
    pub(super) fn is_found(&self) -> bool {
        !self.is_over() || (self.phase == Phase::Declined && !self.is_told)
    }

    /// Ends it, unless it is over already.
    pub(super) fn end(&mut self, phase: Phase, now: Timestamp) {
        if !self.is_over() {
            self.phase = phase;
            self.until = after(now, REMEMBERED_FOR);
        }
    }

    /// A person says yes: from now on a call has its time.
    pub(super) fn approve(&mut self, now: Timestamp) {
        self.phase = Phase::Approved;
        self.until = after(now, CALL_WITHIN);
        self.ticket.expires_at = in_words(self.until);
    }

    /// How long it is kept: what is over is told about.
    pub(super) fn lives(&self, now: Timestamp) -> Duration {
        let told_about = if self.is_over() { Duration::ZERO } else { REMEMBERED_FOR };
        left(self.until, now) + told_about
    }
}

/// A moment to the second, as RFC 3339 in UTC.
pub(super) fn in_words(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).map(|at| at.to_string()).unwrap_or_default()
}
