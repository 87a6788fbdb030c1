//! A code that somebody types on a page: it counts, is looked at beside everything else, and brings a proof or ends
//! the approval.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::guesses::{self, AllGuesses};
use super::record::Record;
use super::{ApprovalId, Approvals, Code, How, Phase, Proof, Refusal, clock, whole_seconds};
use crate::store::{Change, StoreError};

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
    /// What came of it could not be written down.
    #[error(transparent)]
    Store(#[from] StoreError),
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
        let (approvals, id) = (Arc::clone(self), id.clone());
        // The task ends the guess, whether or not anybody waits for it.
        let looked = tokio::spawn(async move {
            let looked = approvals.look_at_code(&id, code, typed).await;
            match looked {
                Err(CodeRefused::Wrong { .. } | CodeRefused::Locked) => {
                    approvals.refused(Refusal::WrongCode, None);
                }
                Err(CodeRefused::Closed { .. }) => approvals.refused(Refusal::TooManyCodes, None),
                _ => {}
            }
            looked
        });
        looked.await.unwrap_or(Err(CodeRefused::Over))
    }

    async fn look_at_code(&self, id: &ApprovalId, code: Code, typed: String) -> Result<Proof, CodeRefused> {
        self.begin_guess(id).await?;
        // One that was not looked at to its end was wrong.
        let right = spawn_blocking(move || code.is(&typed)).await.unwrap_or(false);
        self.end_guess(id, right).await
    }

    async fn begin_guess(&self, id: &ApprovalId) -> Result<(), CodeRefused> {
        let begin = |record: &mut Record, _| match record.phase {
            // As many are being looked at as could still be wrong.
            Phase::Waiting if !record.guesses.begin() => Err(CodeRefused::Closed { retry_after_seconds: 1 }),
            Phase::Waiting => Ok(()),
            Phase::Locked => Err(CodeRefused::Locked),
            _ => Err(CodeRefused::Over),
        };
        self.change(id, begin).await?.ok_or(CodeRefused::Unknown)??;
        let all = |all: &mut AllGuesses| all.begin(clock::now());
        if let Err(left) = self.change_all_guesses(all).await? {
            self.change(id, |record, _| record.guesses.give_up()).await?;
            return Err(CodeRefused::Closed { retry_after_seconds: whole_seconds(left) });
        }
        Ok(())
    }

    async fn end_guess(&self, id: &ApprovalId, right: bool) -> Result<Proof, CodeRefused> {
        if self.change_all_guesses(|all| all.end(right, clock::now())).await? {
            tracing::warn!("too many wrong approval codes: none is looked at for an hour");
        }
        let end = |record: &mut Record, now| {
            let is_last = record.guesses.end(right);
            match record.phase {
                Phase::Waiting if right => record.proofs.grant(How::Code).ok_or(CodeRefused::Over),
                Phase::Waiting if is_last => {
                    record.end(Phase::Locked, now);
                    Err(CodeRefused::Locked)
                }
                Phase::Waiting => Err(CodeRefused::Wrong { left: record.guesses.left() }),
                Phase::Locked => Err(CodeRefused::Locked),
                _ => Err(CodeRefused::Over),
            }
        };
        let ended = self.change(id, end).await?.ok_or(CodeRefused::Unknown)?;
        match ended {
            Err(CodeRefused::Locked) => {
                tracing::warn!("an approval ended after too many wrong codes");
                self.leave(id).await?;
            }
            Err(CodeRefused::Wrong { .. }) => tracing::warn!("a wrong approval code was typed"),
            _ => {}
        }
        ended
    }

    async fn change_all_guesses<R>(
        &self,
        mut change: impl FnMut(&mut AllGuesses) -> R,
    ) -> Result<R, StoreError> {
        let update = |known: Option<AllGuesses>| {
            let mut all = known.unwrap_or_default();
            let outcome = change(&mut all);
            (Change::Put(all, guesses::KEPT_FOR), outcome)
        };
        self.store.update(&guesses::of_all(), update).await
    }
}
