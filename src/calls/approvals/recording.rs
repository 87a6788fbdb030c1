//! What is put on record of approvals: who signed in, what was decided, and what was refused.
//!
//! Knows nothing of pages: they say what they refuse, by a word of their own.

use super::{Approvals, Decided, Decision};
use crate::audit::{Event, RefusedAccess, Trail};
use crate::calls::masking;
use crate::calls::repeats::Key;
use crate::measures;

/// The face at which everything here is refused.
const FACE: &str = "/approvals";

/// Why a page refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A token that is nobody's.
    WrongToken,
    /// The issuer signed nobody in, or what came back belongs to no sign-in of this browser.
    WrongSignIn,
    /// Somebody who may not approve.
    InsufficientScope,
    /// Another code than the approval code.
    WrongCode,
    /// A code that is not looked at, since too many were wrong.
    TooManyCodes,
    /// A press about the own write, where another person must decide.
    OwnWrite,
    /// A press of somebody who has not shown to be a person.
    Unproven,
    /// A form that no page of ours has sent.
    ForeignForm,
}

impl Refusal {
    fn as_str(self) -> &'static str {
        match self {
            Self::WrongToken => "wrong_token",
            Self::WrongSignIn => "wrong_sign_in",
            Self::InsufficientScope => "insufficient_scope",
            Self::WrongCode => "wrong_code",
            Self::TooManyCodes => "too_many_codes",
            Self::OwnWrite => "own_write",
            Self::Unproven => "unproven",
            Self::ForeignForm => "foreign_form",
        }
    }
}

impl Approvals {
    /// Puts on this record who signs in, what a person decides on a page, and what is refused there.
    pub fn records(&self, trail: Trail) {
        let _ = self.trail.set(trail);
    }

    /// A page refused something to somebody of this name, where that is known.
    pub fn refused(&self, refusal: Refusal, name: Option<&str>) {
        let reason = refusal.as_str();
        measures::refused_access(reason);
        if let Some(trail) = self.trail.get() {
            trail.refused(&RefusedAccess { reason, principal: name.map(masked), path: FACE });
        }
    }

    pub(super) fn signed_in_on_record(&self, name: &str) {
        let name = masked(name);
        tracing::info!(approver = name, "a person signed in to approve");
        let Some(trail) = self.trail.get() else { return };
        let (decision, approver) = ("signed_in", Some(name));
        trail.note(&Event::Approval { decision, how: "page", principal: None, approver, arguments: None });
    }

    pub(super) fn on_record(&self, decided: &Decided, principal: &str, write: &Key) {
        let decision = match decided.decision {
            Decision::Approve => "approved",
            Decision::Decline => "declined",
        };
        measures::approval(decision);
        let Some(trail) = self.trail.get() else { return };
        let principal = Some(masked(principal));
        let approver = decided.approver.as_deref().map(masked);
        let arguments = Some(trail.digest(write));
        trail.note(&Event::Approval { decision, how: "page", principal, approver, arguments });
    }
}

/// An issuer's names may be anything.
fn masked(name: &str) -> String {
    masking::mask_text(name).into_owned()
}
