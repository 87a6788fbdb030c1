//! `verify_identity`: start, get and list the identity verifications of a customer, and put a dossier together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Input;
use super::definition::Definition;
use super::dossier;
use super::error::{Context, ToolError};
use super::output::{self, Fields, Output};
use super::question::{Fact, Question};
use super::sight::{self, VerificationPath, Wait};
use super::write::{self, customer_of, for_whom};
use crate::capability::Operation;
use crate::domain::{CustomerId, Environment, Name, ProviderId, VerificationId, WaitSeconds};
use crate::fintecture::{NewVerification, Upstream};

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

/// Arguments of `dossier`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Dossier {
    customer_id: CustomerId,
}

/// A checked call of this tool.
#[derive(Debug)]
pub(super) enum Action {
    Get(Get),
    List(List),
    Dossier(Dossier),
}

/// What a result of this tool holds.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "describes the shape for the output schema; results are built as JSON")]
struct Results {
    verification: Option<output::AnyObject>,
    verifications: Option<Vec<output::AnyObject>>,
    dossier: Option<output::AnyObject>,
}

pub(super) fn definition() -> Definition {
    Definition::new::<Output<Results>>("verify_identity")
        .action("start", Operation::InitiateCustomerVerification, |input| {
            Input::Write(write::Input::Verification(input))
        })
        .action("get", Operation::GetCustomerVerificationById, |input| {
            Input::Verifications(Action::Get(input))
        })
        .action("list", Operation::ListAllCustomerVerifications, |input| {
            Input::Verifications(Action::List(input))
        })
        .action_of_several("dossier", &dossier::OPERATIONS, |input| {
            Input::Verifications(Action::Dossier(input))
        })
}

impl Action {
    /// Whether to wait for a verdict.
    pub(super) fn wait(&self) -> Option<Wait> {
        match self {
            Self::Get(get) => Wait::new(get.wait_seconds?, &get.customer_id, Some(&get.verification_id)),
            Self::List(_) | Self::Dossier(_) => None,
        }
    }

    pub(super) async fn run(
        self,
        upstream: Upstream<'_>,
        environment: Environment,
    ) -> Result<Fields, ToolError> {
        match self {
            Self::Get(input) => {
                let at = VerificationPath {
                    customer_id: input.customer_id,
                    verification_id: input.verification_id,
                };
                sight::look(&at, upstream).await.map(|sight| sight.fields)
            }
            Self::List(input) => {
                let verifications = upstream
                    .list_verifications(&input.customer_id)
                    .await
                    .map_err(|failure| ToolError::upstream(failure, Context::Customer))?;
                Ok(output::list("verifications", verifications))
            }
            // On the heap: three requests at once are a large future, which every call would have to carry.
            Self::Dossier(input) => Box::pin(dossier::read(&input.customer_id, upstream, environment)).await,
        }
    }
}

impl Start {
    /// Who is to be verified.
    pub(super) fn customer_id(&self) -> &CustomerId {
        &self.customer_id
    }

    /// Whether to wait for the verdict.
    pub(super) fn wait(&self) -> Option<Wait> {
        Wait::new(self.wait_seconds?, &self.customer_id, None)
    }

    /// In plain words, the expected name beside the customer's.
    pub(super) async fn question(&self, upstream: Upstream<'_>) -> Result<Question, ToolError> {
        let customer = customer_of(&self.customer_id, upstream).await?;
        let expected = self.expected_name.as_ref().map(|name| ("Expected name", name.as_str()));
        let mut facts = for_whom(&customer, expected);
        facts.extend(
            self.provider_id.as_ref().map(|provider| Fact::new("Bank (provider id)", provider.as_str())),
        );
        Ok(Question { title: "Start an identity verification".to_owned(), facts })
    }

    /// Sends it.
    pub(super) async fn send(&self, upstream: Upstream<'_>) -> Result<Fields, ToolError> {
        let check = NewVerification {
            provider_id: self.provider_id.clone(),
            expected_name: self.expected_name.clone(),
        };
        let find = "call verify_identity list for this customer and look for a new verification";
        let started = upstream.start_verification(&self.customer_id, &check).await.map_err(|failure| {
            ToolError::upstream(failure, Context::Write { find, parent: Some(Context::CUSTOMER) })
        })?;
        Ok(sight::started(started))
    }
}
