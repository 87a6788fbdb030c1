//! `verify_identity`: start, get and list the identity verifications of a customer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Input;
use super::definition::Definition;
use super::error::{Context, ToolError};
use super::output::{self, Fields, Output};
use crate::capability::Operation;
use crate::domain::{CustomerId, Name, ProviderId, VerificationId, WaitSeconds};
use crate::fintecture::{NewVerification, Record, Upstream};

/// Arguments of `start`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Start {
    customer_id: CustomerId,
    provider_id: Option<ProviderId>,
    #[schemars(extend("examples" = ["Ada Byron"]))]
    expected_name: Option<Name>,
    /// How long to wait is no part of the write: repeats do not look at it.
    #[serde(skip_serializing)]
    wait_seconds: Option<WaitSeconds>,
}

/// Arguments of `get`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Get {
    customer_id: CustomerId,
    verification_id: VerificationId,
    wait_seconds: Option<WaitSeconds>,
}

/// Arguments of `list`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct List {
    customer_id: CustomerId,
}

/// A checked call of this tool.
#[derive(Debug)]
pub(super) enum Action {
    Start(Start),
    Get(Get),
    List(List),
}

/// What a result of this tool holds.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "describes the shape for the output schema; results are built as JSON")]
struct Verifications {
    verification: Option<output::AnyObject>,
    verifications: Option<Vec<output::AnyObject>>,
}

pub(super) fn definition() -> Definition {
    Definition::new::<Output<Verifications>>("verify_identity")
        .action("start", Operation::InitiateCustomerVerification, |input| {
            Input::Verifications(Action::Start(input))
        })
        .action("get", Operation::GetCustomerVerificationById, |input| {
            Input::Verifications(Action::Get(input))
        })
        .action("list", Operation::ListAllCustomerVerifications, |input| {
            Input::Verifications(Action::List(input))
        })
}

impl Action {
    pub(super) async fn run(self, upstream: Upstream<'_>) -> Result<Fields, ToolError> {
        match self {
            Self::Start(input) => start(input, upstream).await,
            Self::Get(input) => {
                let at = VerificationPath {
                    customer_id: input.customer_id,
                    verification_id: input.verification_id,
                };
                look(&at, upstream).await.map(|sight| sight.fields)
            }
            Self::List(input) => {
                let verifications = upstream
                    .list_verifications(&input.customer_id)
                    .await
                    .map_err(|failure| ToolError::upstream(failure, Context::Customer))?;
                Ok(output::list("verifications", verifications))
            }
        }
    }
}

/// What an agent is told while the bank has not answered.
const PENDING: &str = "Not decided yet: call verify_identity get with this verification's id, and wait_seconds to wait for the \
                       verdict; the customer may have to log in at their bank first. Until then nothing is proven.";

fn is_pending(verification: &Record) -> bool {
    verification.text("status") == Some("pending")
}

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

pub(super) async fn look(at: &VerificationPath, upstream: Upstream<'_>) -> Result<Sight, ToolError> {
    let id = &at.verification_id;
    let verification = upstream
        .verification(&at.customer_id, id)
        .await
        .map_err(|failure| ToolError::upstream(failure, Context::Verification))?;
    let pending = is_pending(&verification);
    let is_decided = !pending && verification.id() == id.as_str();
    let mut fields = output::asked_for("verification", verification, id.as_str());
    if pending {
        output::hint(&mut fields, PENDING);
    }
    Ok(Sight { fields, is_decided })
}

async fn start(input: Start, upstream: Upstream<'_>) -> Result<Fields, ToolError> {
    let check = NewVerification { provider_id: input.provider_id, expected_name: input.expected_name };
    let find = "call verify_identity list for this customer and look for a new verification";
    let verification = upstream.start_verification(&input.customer_id, &check).await.map_err(|failure| {
        ToolError::upstream(failure, Context::Write { find, parent: Some(Context::CUSTOMER) })
    })?;
    let pending = is_pending(&verification);
    let mut fields = output::one("verification", verification);
    if pending {
        output::hint(&mut fields, PENDING);
    }
    Ok(fields)
}
