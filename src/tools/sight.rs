//! Looks at a verification, and whether a call wants to wait for what they show.
//!
//! Knows when a verification is decided. Knows nothing of when to look again.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::{Context, ToolError};
use super::output::{self, Fields};
use crate::domain::{CustomerId, VerificationId, WaitSeconds};
use crate::fintecture::{Record, Upstream};

/// The member of a result that holds a verification.
const MEMBER: &str = "verification";
/// The status of a verification that is not decided.
const PENDING_STATUS: &str = "pending";
/// What an agent is told while the bank has not answered.
const PENDING: &str = "Not decided yet: call verify_identity get with this verification's id, and wait_seconds to wait for the \
                       verdict; the customer may have to log in at their bank first. Until then nothing is proven.";

/// Where a verification is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VerificationPath {
    /// Whose it is.
    pub customer_id: CustomerId,
    /// Which it is.
    pub verification_id: VerificationId,
}

/// What a look at a verification showed.
#[derive(Clone, PartialEq)]
pub struct Sight {
    /// The members of the result.
    pub fields: Fields,
    /// Whether it is the verification that was looked for, and no longer pending.
    pub is_decided: bool,
}

// A verification holds names: its contents never reach a log by way of Debug.
impl std::fmt::Debug for Sight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sight").field("is_decided", &self.is_decided).finish_non_exhaustive()
    }
}

/// That a call waits for the verdict on a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// For how long.
    pub asked: Duration,
    customer_id: CustomerId,
    /// What a start does not know before the upstream has answered.
    verification_id: Option<VerificationId>,
}

impl Wait {
    pub(super) fn new(
        seconds: WaitSeconds,
        customer_id: &CustomerId,
        verification_id: Option<&VerificationId>,
    ) -> Option<Self> {
        let asked = seconds.duration();
        let (customer_id, verification_id) = (customer_id.clone(), verification_id.cloned());
        (!asked.is_zero()).then_some(Self { asked, customer_id, verification_id })
    }

    /// The verification, where the call names it.
    #[must_use]
    pub fn path(&self) -> Option<VerificationPath> {
        let verification_id = self.verification_id.clone()?;
        Some(VerificationPath { customer_id: self.customer_id.clone(), verification_id })
    }

    /// The verification to wait for after this result; nothing where there is none, or its id can be in no path.
    #[must_use]
    pub fn goes_on(&self, result: &Value) -> Option<VerificationPath> {
        let verification = result.get(MEMBER)?;
        if let Some(path) = self.path() {
            // Another verification than the one that was asked for says nothing about it.
            let is_another =
                verification.get("id").and_then(Value::as_str) != Some(path.verification_id.as_str());
            return (is_another || is_pending(verification.get("status"))).then_some(path);
        }
        let verification_id = verification.get("id")?.as_str()?.parse().ok()?;
        is_pending(verification.get("status"))
            .then(|| VerificationPath { customer_id: self.customer_id.clone(), verification_id })
    }
}

fn is_pending(status: Option<&Value>) -> bool {
    status.and_then(Value::as_str) == Some(PENDING_STATUS)
}

/// The result of a start.
pub(super) fn started(verification: Record) -> Fields {
    with_hint(output::one(MEMBER, verification))
}

/// Looks at a verification once.
pub(super) async fn look(at: &VerificationPath, upstream: Upstream<'_>) -> Result<Sight, ToolError> {
    let id = at.verification_id.as_str();
    let verification = upstream
        .verification(&at.customer_id, &at.verification_id)
        .await
        .map_err(|failure| ToolError::upstream(failure, Context::Verification))?;
    let is_decided = verification.id() == id && verification.text("status") != Some(PENDING_STATUS);
    Ok(Sight { fields: with_hint(output::asked_for(MEMBER, verification, id)), is_decided })
}

/// What stands for a verification that nobody has seen decided, and that could not be looked at now.
#[must_use]
pub fn unseen(at: &VerificationPath) -> Fields {
    let verification = json!({"id": at.verification_id.as_str(), "status": PENDING_STATUS});
    with_hint(Fields::from_iter([(MEMBER.to_owned(), verification)]))
}

fn with_hint(mut fields: Fields) -> Fields {
    if is_pending(fields.get(MEMBER).and_then(|verification| verification.get("status"))) {
        output::hint(&mut fields, PENDING);
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(verification_id: Option<&str>) -> Wait {
        let verification_id = verification_id.map(|id| id.parse().unwrap());
        let seconds = WaitSeconds::try_from(30).unwrap();
        Wait::new(seconds, &"cus_1".parse().unwrap(), verification_id.as_ref()).unwrap()
    }

    fn goes_on(wait: &Wait, verification: &Value) -> Option<String> {
        let path = wait.goes_on(&json!({ "verification": verification }))?;
        assert_eq!(path.customer_id.as_str(), "cus_1");
        Some(path.verification_id.as_str().to_owned())
    }

    #[test]
    fn a_start_waits_for_what_it_started_while_that_is_pending() {
        let start = wait(None);
        assert_eq!(goes_on(&start, &json!({"id": "ver_2", "status": "pending"})).unwrap(), "ver_2");
        for done in [
            json!({"id": "ver_2", "status": "verified"}),
            json!({"id": "ver_2"}),
            json!({"id": "a/b", "status": "pending"}),
        ] {
            assert_eq!(goes_on(&start, &done), None, "{done}");
        }
        assert_eq!(start.goes_on(&json!({"error": {}})), None);
    }

    #[test]
    fn a_get_waits_for_what_it_asked_for_whatever_else_it_was_shown() {
        let get = wait(Some("ver_1"));
        for on in [json!({"id": "ver_1", "status": "pending"}), json!({"id": "ver_2", "status": "verified"})]
        {
            assert_eq!(goes_on(&get, &on).unwrap(), "ver_1", "{on}");
        }
        for done in [json!({"id": "ver_1", "status": "verified"}), json!({"id": "ver_1", "status": "odd"})] {
            assert_eq!(goes_on(&get, &done), None, "{done}");
        }
        assert_eq!(get.goes_on(&json!({"error": {}})), None);
    }

    #[test]
    fn what_could_not_be_looked_at_is_pending_and_says_how_to_go_on() {
        let at = wait(Some("ver_1")).path().unwrap();
        let expected = json!({"verification": {"id": "ver_1", "status": "pending"}, "hint": PENDING});
        assert_eq!(Value::Object(unseen(&at)), expected);
    }

    #[test]
    fn no_seconds_are_no_wait() {
        let none = WaitSeconds::try_from(0).unwrap();
        assert_eq!(Wait::new(none, &"cus_1".parse().unwrap(), None), None);
        assert!(WaitSeconds::try_from(300).is_ok() && WaitSeconds::try_from(301).is_err());
    }
}
