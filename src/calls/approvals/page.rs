//! What the pages may see and do: everything here asks for a proof, or gives one.

use std::fmt;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use super::clock::{self, left};
use super::id::page_token;
use super::record::{Phase, Record};
use super::{ApprovalId, Approvals, Proof, Refusal, SignInBy, SignedIn, index, whole_seconds};
use crate::store::StoreError;
use crate::tools::Question;

/// How a person can show that they are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ways {
    /// In the window of their browser that the server opens.
    pub window: bool,
    /// With the code that whoever set up the server chose.
    pub code: bool,
    /// By signing in.
    pub sign_in: Option<SignInBy>,
}

/// Who looks at a page.
#[derive(Debug)]
pub enum Visitor {
    /// Somebody, or an agent.
    Anybody,
    /// Who holds this proof.
    Holder(String),
    /// A person who has signed in.
    Person(SignedIn),
}

impl From<Option<&str>> for Visitor {
    fn from(proof: Option<&str>) -> Self {
        proof.map_or(Self::Anybody, |proof| Self::Holder(proof.to_owned()))
    }
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
    /// To a person who has signed in, and may not decide about this: another person must.
    NotTheirs,
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
    /// Who asks, to a person who has signed in.
    pub asked_by: Option<String>,
    /// Who has decided, where that was another person.
    pub decided_by: Option<String>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    /// Yes, send this.
    Approve,
    /// No, send nothing.
    Decline,
}

/// How a person showed that they are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum How {
    /// In the window of their browser that the server opened.
    Window,
    /// With the approval code.
    Code,
    /// By signing in.
    SignIn,
}

/// A decision, as it is kept and put on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// Who asked.
    pub asked_by: String,
    /// Who decided, where people sign in.
    pub approver: Option<String>,
    /// What.
    pub decision: Decision,
    /// How they showed that they are a person.
    pub how: How,
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
    /// Another person must decide.
    #[error("another person must decide about this")]
    NotTheirs,
    /// It could not be written down.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a visitor may do with an approval.
enum Standing {
    /// Only learn how to go on.
    Outside,
    /// Nothing: another person must decide.
    NotTheirs,
    /// See it, and decide.
    Inside { how: How, token: String, person: Option<String> },
}

impl Approvals {
    /// How a person can show that they are one.
    #[must_use]
    pub fn ways(&self) -> Ways {
        match self.people {
            Some(people) => Ways { window: false, code: false, sign_in: Some(people.by) },
            None => Ways { window: self.desk.has_browser(), code: self.code.is_some(), sign_in: None },
        }
    }

    fn of_visitor(&self, record: &Record, visitor: &Visitor) -> Standing {
        let id = record.ticket.id.as_str();
        match (visitor, self.people) {
            (Visitor::Holder(proof), None) => match record.proofs.how(proof) {
                Some(how) => Standing::Inside { how, token: page_token(proof, id), person: None },
                None => Standing::Outside,
            },
            (Visitor::Person(person), Some(people)) if people.may_decide(person, &record.principal) => {
                Standing::Inside {
                    how: How::SignIn,
                    token: person.token(id),
                    person: Some(person.name().to_owned()),
                }
            }
            (Visitor::Person(_), Some(_)) => Standing::NotTheirs,
            _ => Standing::Outside,
        }
    }

    /// What this visitor may see.
    ///
    /// # Errors
    /// [`StoreError`] where that cannot be found out.
    pub async fn sight(&self, id: &ApprovalId, visitor: impl Into<Visitor>) -> Result<Sight, StoreError> {
        let Some(record) = self.load(id).await? else { return Ok(Sight::Unknown) };
        let expires_at = record.ticket.expires_at.clone();
        let (token, person) = match self.of_visitor(&record, &visitor.into()) {
            Standing::Outside => {
                return Ok(Sight::Unproven { is_over: !record.is_waiting(), expires_at });
            }
            Standing::NotTheirs => return Ok(Sight::NotTheirs),
            Standing::Inside { token, person, .. } => (token, person),
        };
        if !record.proofs.seen {
            self.change(id, |record, _| record.proofs.seen = true).await?;
        }
        let decided_by = record.decided.and_then(|decided| decided.approver);
        Ok(Sight::Proven(Box::new(View {
            phase: record.phase,
            question: record.question,
            expires_at,
            seconds_left: whole_seconds(left(record.until, clock::now())),
            asked_by: person.is_some().then_some(record.principal),
            decided_by: decided_by.filter(|by| Some(by) != person.as_ref()),
            token,
        })))
    }

    /// Spends the key of an opened window. None where there is no such key, or not any more.
    ///
    /// # Errors
    /// [`StoreError`] where that cannot be found out.
    pub async fn prove_by_key(&self, id: &ApprovalId, key: &str) -> Result<Option<Proof>, StoreError> {
        let redeem = |record: &mut Record, now| {
            if record.is_waiting() { record.proofs.redeem(key, now) } else { None }
        };
        Ok(self.change(id, redeem).await?.flatten())
    }

    /// A press on one of the page's buttons.
    ///
    /// # Errors
    /// [`PressRefused`] where it decides nothing.
    pub async fn decide(
        &self,
        id: &ApprovalId,
        visitor: impl Into<Visitor>,
        token: &str,
        decision: Decision,
    ) -> Result<Decided, PressRefused> {
        let visitor = visitor.into();
        let decide = |record: &mut Record, now| {
            let (how, own, approver) = match self.of_visitor(record, &visitor) {
                Standing::Outside => return Err(PressRefused::Unproven),
                Standing::NotTheirs => return Err(PressRefused::NotTheirs),
                Standing::Inside { how, token, person } => (how, token, person),
            };
            if !bool::from(own.as_bytes().ct_eq(token.as_bytes())) {
                return Err(PressRefused::Foreign);
            }
            if !record.is_waiting() {
                return Err(PressRefused::Over);
            }
            match decision {
                Decision::Approve => record.approve(now),
                Decision::Decline => record.end(Phase::Declined, now),
            }
            let decided = Decided { asked_by: record.principal.clone(), approver, decision, how };
            record.decided = Some(decided.clone());
            Ok((decided, record.principal.clone(), record.write))
        };
        let decided = self.change(id, decide).await?.ok_or(PressRefused::Unknown)?;
        let (decided, principal, write) =
            decided.inspect_err(|refused| self.press_refused(*refused, &visitor))?;
        self.on_record(&decided, &principal, &write);
        tracing::info!(?decision, how = ?decided.how, "a person decided about a write");
        if let Err(error) = self.leave(id).await {
            tracing::warn!(%error, "a decided approval holds its place among those that wait until its time is over");
        }
        Ok(decided)
    }

    fn press_refused(&self, refused: PressRefused, visitor: &Visitor) {
        let refusal = match refused {
            PressRefused::NotTheirs => Refusal::OwnWrite,
            PressRefused::Unproven => Refusal::Unproven,
            PressRefused::Foreign => Refusal::ForeignForm,
            // There was nothing to refuse.
            PressRefused::Unknown | PressRefused::Over | PressRefused::Store(_) => return,
        };
        let name = if let Visitor::Person(person) = visitor { Some(person.name()) } else { None };
        self.refused(refusal, name);
    }

    /// Gives the place of an approval back that waits no more.
    pub(super) async fn leave(&self, id: &ApprovalId) -> Result<(), StoreError> {
        let Some(record) = self.load(id).await? else { return Ok(()) };
        index::leave(&self.store, &record.principal, id, clock::now()).await
    }
}
