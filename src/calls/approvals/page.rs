//! What the pages may see and do: everything here asks for a proof, or gives one.

use std::fmt;

use subtle::ConstantTimeEq as _;
use tokio::time::Instant;

use super::store::{self, Phase};
use super::{ApprovalId, Approvals, Proof, in_words, whole_seconds};
use crate::tools::Question;

/// How a person can show that they are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ways {
    /// In the window of their browser that the server opens.
    pub window: bool,
    /// With the code that whoever set up the server chose.
    pub code: bool,
}

/// What a visitor may see of an approval.
#[derive(Debug)]
pub enum Sight {
    /// There is none, or it is forgotten.
    Unknown,
    /// Without a proof: only how to go on.
    Unproven {
        /// Whether it is over: then there is no way to go on with it.
        is_over: bool,
        /// RFC 3339, UTC: until when it can be answered.
        expires_at: String,
    },
    /// With a proof: everything.
    Proven(Box<View>),
}

/// An approval as its person sees it.
pub struct View {
    /// Where it stands.
    pub phase: Phase,
    /// What is asked.
    pub question: Question,
    /// RFC 3339, UTC: until when it can be answered, or used.
    pub expires_at: String,
    /// The same from now on.
    pub seconds_left: u64,
    /// What a press must bring back.
    pub token: String,
}

// The token approves, and the question is full of personal data.
impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("phase", &self.phase).finish_non_exhaustive()
    }
}

/// What a person decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Yes, send this.
    Approve,
    /// No, send nothing.
    Decline,
}

/// Why a press decides nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PressRefused {
    /// There is no such approval.
    #[error("there is no such approval")]
    Unknown,
    /// The browser has not proven that a person holds it.
    #[error("the browser has no proof for this approval")]
    Unproven,
    /// The press came from another page.
    #[error("the press did not come from this page")]
    Foreign,
    /// It was decided before, or its time is over.
    #[error("the approval waits no more")]
    Over,
}

impl Approvals {
    /// How a person can show that they are one.
    #[must_use]
    pub fn ways(&self) -> Ways {
        Ways { window: self.desk.has_browser(), code: self.code.is_some() }
    }

    /// What may be seen with this proof, or without one.
    #[must_use]
    pub fn sight(&self, id: &ApprovalId, proof: Option<&str>) -> Sight {
        let now = Instant::now();
        let mut store = self.lock();
        let Some(record) = store.get(id, now) else { return Sight::Unknown };
        let token = proof.and_then(|proof| record.proofs.token(proof)).map(str::to_owned);
        let Some(token) = token else {
            let is_over = record.phase != Phase::Waiting;
            return Sight::Unproven { is_over, expires_at: record.ticket.expires_at.clone() };
        };
        if !record.proofs.seen {
            record.proofs.seen = true;
            record.changed.send_replace(());
        }
        Sight::Proven(Box::new(View {
            phase: record.phase,
            question: record.question.clone(),
            expires_at: record.ticket.expires_at.clone(),
            seconds_left: whole_seconds(record.until.saturating_duration_since(now)),
            token,
        }))
    }

    /// Spends the key of an opened window. None where there is no such key, or not any more.
    #[must_use]
    pub fn prove_by_key(&self, id: &ApprovalId, key: &str) -> Option<Proof> {
        let now = Instant::now();
        let mut store = self.lock();
        let record = store.get(id, now).filter(|record| record.phase == Phase::Waiting)?;
        record.proofs.redeem(key, now)
    }

    /// A press on one of the page's buttons.
    ///
    /// # Errors
    /// [`PressRefused`] where it decides nothing.
    pub fn decide(
        &self,
        id: &ApprovalId,
        proof: Option<&str>,
        token: &str,
        decision: Decision,
    ) -> Result<(), PressRefused> {
        let now = Instant::now();
        let mut store = self.lock();
        let record = store.get(id, now).ok_or(PressRefused::Unknown)?;
        let own = proof.and_then(|proof| record.proofs.token(proof)).ok_or(PressRefused::Unproven)?;
        if !bool::from(own.as_bytes().ct_eq(token.as_bytes())) {
            return Err(PressRefused::Foreign);
        }
        if record.phase != Phase::Waiting {
            return Err(PressRefused::Over);
        }
        let (principal, write) = (record.principal.clone(), record.write);
        match decision {
            Decision::Approve => {
                record.phase = Phase::Approved;
                record.until = now + store::CALL_WITHIN;
                record.ticket.expires_at = in_words(store::CALL_WITHIN);
                record.changed.send_replace(());
            }
            Decision::Decline => store.end(id, Phase::Declined, now),
        }
        self.on_record(decision, &principal, &write);
        tracing::info!(?decision, "a person decided about a write");
        Ok(())
    }
}
