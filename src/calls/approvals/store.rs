//! What approvals there are, and where each one stands. One at a time changes it; every change takes the time it
//! happens at, and what is over by then is put away first.
//!
//! Knows nothing of browsers, codes or pages.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use super::guesses::{AllGuesses, Guesses};
use super::proof::Proofs;
use super::{ApprovalId, Ticket};
use crate::calls::repeats::Key;
use crate::tools::Question;

/// How long a person may take to answer.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_mins(10);
/// How long a call may take to use what was approved.
pub(super) const CALL_WITHIN: Duration = Duration::from_mins(10);
/// How long an approval that is over is told about.
pub(super) const REMEMBERED_FOR: Duration = Duration::from_hours(1);
/// Approvals that wait for one principal at once.
pub(super) const MAX_WAITING: usize = 5;
/// Approvals that are over and still told about. Beyond, the one that ended first is forgotten.
pub(super) const MAX_REMEMBERED: usize = 1_000;

/// Where an approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
pub(super) struct Record {
    pub(super) principal: String,
    pub(super) write: Key,
    pub(super) ticket: Ticket,
    pub(super) question: Question,
    pub(super) phase: Phase,
    /// When the phase ends: the answer's time, the call's, or the time to tell about it.
    pub(super) until: Instant,
    pub(super) proofs: Proofs,
    pub(super) guesses: Guesses,
    /// Says that something changed, to whom it concerns.
    pub(super) changed: watch::Sender<()>,
}

impl Record {
    /// Whether the time is over that a person was told. The clock that all else goes by stands still while a machine
    /// sleeps.
    fn is_past_what_was_said(&self) -> bool {
        let said = self.ticket.expires_at.parse::<Timestamp>();
        !self.phase.is_over() && said.is_ok_and(|said| said < Timestamp::now())
    }
}

/// All approvals.
#[derive(Default)]
pub(super) struct Store {
    by_id: HashMap<ApprovalId, Record>,
    /// The approval that a write's next call finds: one that waits, holds, or was declined and not told yet.
    by_write: HashMap<Key, ApprovalId>,
    pub(super) guesses: AllGuesses,
}

impl Store {
    /// The approval of this id.
    pub(super) fn get(&mut self, id: &ApprovalId, now: Instant) -> Option<&mut Record> {
        self.put_away(now);
        self.by_id.get_mut(id)
    }

    /// The approval that a call of this write finds.
    pub(super) fn of_write(&mut self, write: &Key, now: Instant) -> Option<&mut Record> {
        self.put_away(now);
        self.by_id.get_mut(self.by_write.get(write)?)
    }

    /// Adds one that waits.
    ///
    /// # Errors
    /// How long until one of this principal's waits no more, where too many do.
    pub(super) fn add(
        &mut self,
        principal: &str,
        write: Key,
        ticket: Ticket,
        question: Question,
        now: Instant,
    ) -> Result<(), Duration> {
        let waiting = self
            .by_id
            .values()
            .filter(|record| record.phase == Phase::Waiting && record.principal == principal)
            .map(|record| record.until);
        if waiting.clone().count() >= MAX_WAITING {
            return Err(waiting.min().unwrap_or(now).saturating_duration_since(now));
        }
        self.by_write.insert(write, ticket.id.clone());
        let record = Record {
            principal: principal.to_owned(),
            write,
            question,
            phase: Phase::Waiting,
            until: now + ANSWER_WITHIN,
            proofs: Proofs::default(),
            guesses: Guesses::default(),
            changed: watch::Sender::new(()),
            ticket,
        };
        self.by_id.insert(record.ticket.id.clone(), record);
        Ok(())
    }

    /// Ends an approval, unless it is over already.
    pub(super) fn end(&mut self, id: &ApprovalId, phase: Phase, now: Instant) {
        let Some(record) = self.by_id.get_mut(id).filter(|record| !record.phase.is_over()) else { return };
        record.phase = phase;
        record.until = now + REMEMBERED_FOR;
        record.changed.send_replace(());
        let write = record.write;
        // A declined write is still to be told so.
        if phase != Phase::Declined {
            self.forget_write(&write, id);
        }
    }

    /// Lets the next call of a declined write ask afresh.
    pub(super) fn told(&mut self, write: &Key) {
        self.by_write.remove(write);
    }

    /// Lets a used approval hold again, for the time that it had left. Another one of the same write goes before it.
    pub(super) fn hold_again(&mut self, id: &ApprovalId, until: Instant, now: Instant) {
        self.put_away(now);
        let Some(record) = self.by_id.get_mut(id).filter(|record| record.phase == Phase::Used) else {
            return;
        };
        if self.by_write.contains_key(&record.write) {
            return;
        }
        record.phase = Phase::Approved;
        record.until = until;
        record.changed.send_replace(());
        self.by_write.insert(record.write, id.clone());
    }

    /// Puts away what is over by now.
    fn put_away(&mut self, now: Instant) {
        let over: Vec<_> = self
            .by_id
            .iter()
            .filter(|(_, record)| record.until <= now || record.is_past_what_was_said())
            .map(|(id, record)| (id.clone(), record.until))
            .collect();
        for (id, until) in over {
            self.end(&id, Phase::Expired, until);
            if self.by_id.get(&id).is_some_and(|record| record.until <= now) {
                self.forget(&id);
            }
        }
        while self.by_id.values().filter(|record| record.phase.is_over()).count() > MAX_REMEMBERED {
            let first = self.by_id.iter().filter(|(_, record)| record.phase.is_over());
            let Some((id, _)) = first.min_by_key(|(_, record)| record.until) else { return };
            let id = id.clone();
            self.forget(&id);
        }
    }

    fn forget(&mut self, id: &ApprovalId) {
        if let Some(record) = self.by_id.remove(id) {
            self.forget_write(&record.write, id);
        }
    }

    fn forget_write(&mut self, write: &Key, id: &ApprovalId) {
        if self.by_write.get(write) == Some(id) {
            self.by_write.remove(write);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        (self.by_id.len(), self.by_write.len())
    }
}
