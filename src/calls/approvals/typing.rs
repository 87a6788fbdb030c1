//! A code that somebody types on a page: it counts, is looked at beside everything else, and brings a proof or ends
//! the approval.

use std::sync::Arc;

use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::{ApprovalId, Approvals, Phase, Proof, whole_seconds};

/// Why a code gives no proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeRefused {
    /// There is no such approval.
    #[error("there is no such approval")]
    Unknown,
    /// No code is set.
    #[error("no approval code is set")]
    NoCode,
    /// The approval waits no more.
    #[error("the approval waits no more")]
    Over,
    /// It is another code.
    #[error("wrong approval code")]
    Wrong {
        /// Wrong codes that are left.
        left: usize,
    },
    /// It was one wrong code too many: the approval has ended.
    #[error("wrong approval code, and the approval has ended")]
    Locked,
    /// Too many codes are being checked, or were wrong lately.
    #[error("codes are not looked at now")]
    Closed {
        /// When they are again.
        retry_after_seconds: u64,
    },
}

impl Approvals {
    /// Looks at a code that was typed. It counts before it is looked at.
    ///
    /// # Errors
    /// [`CodeRefused`] where it gives no proof.
    pub async fn prove_by_code(
        self: &Arc<Self>,
        id: &ApprovalId,
        typed: String,
    ) -> Result<Proof, CodeRefused> {
        let code = self.code.clone().ok_or(CodeRefused::NoCode)?;
        let guess = Guess::begin(self, id)?;
        // The thread ends the guess, whether or not anybody waits for it.
        let checked = spawn_blocking(move || {
            let right = code.is(&typed);
            guess.end(right)
        });
        checked.await.unwrap_or(Err(CodeRefused::Over))
    }

    fn end_guess(&self, id: &ApprovalId, right: bool) -> Result<Proof, CodeRefused> {
        let now = Instant::now();
        let mut store = self.lock();
        if store.guesses.end(right, now) {
            tracing::warn!("too many wrong approval codes: none is looked at for an hour");
        }
        let record = store.get(id, now).ok_or(CodeRefused::Unknown)?;
        let is_last = record.guesses.end(right);
        if record.phase != Phase::Waiting {
            return Err(if record.phase == Phase::Locked { CodeRefused::Locked } else { CodeRefused::Over });
        }
        if right {
            return record.proofs.grant().ok_or(CodeRefused::Over);
        }
        if is_last {
            tracing::warn!("an approval ended after too many wrong codes");
            store.end(id, Phase::Locked, now);
            return Err(CodeRefused::Locked);
        }
        tracing::warn!("a wrong approval code was typed");
        Err(CodeRefused::Wrong { left: record.guesses.left() })
    }
}

/// A code that is being looked at. Dropped without an end, it was wrong.
struct Guess {
    approvals: Arc<Approvals>,
    id: ApprovalId,
    has_ended: bool,
}

impl Guess {
    fn begin(approvals: &Arc<Approvals>, id: &ApprovalId) -> Result<Self, CodeRefused> {
        let now = Instant::now();
        let mut store = approvals.lock();
        let record = store.get(id, now).ok_or(CodeRefused::Unknown)?;
        match record.phase {
            Phase::Waiting => {}
            Phase::Locked => return Err(CodeRefused::Locked),
            _ => return Err(CodeRefused::Over),
        }
        let closed = |left| CodeRefused::Closed { retry_after_seconds: whole_seconds(left) };
        if !record.guesses.begin() {
            // As many are being looked at as could still be wrong.
            return Err(CodeRefused::Closed { retry_after_seconds: 1 });
        }
        if let Err(left) = store.guesses.begin(now) {
            if let Some(record) = store.get(id, now) {
                record.guesses.give_up();
            }
            return Err(closed(left));
        }
        Ok(Self { approvals: Arc::clone(approvals), id: id.clone(), has_ended: false })
    }

    fn end(mut self, right: bool) -> Result<Proof, CodeRefused> {
        self.has_ended = true;
        self.approvals.end_guess(&self.id, right)
    }
}

impl Drop for Guess {
    fn drop(&mut self) {
        if !self.has_ended {
            let _ = self.approvals.end_guess(&self.id, false);
        }
    }
}
