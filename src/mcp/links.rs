//! Links from a tool's result to the resources that it names.
//!
//! They stand behind the text block, which stays the first, and hold ids alone. Knows the members of results, not
//! what they mean.

use rmcp::RoleServer;
use rmcp::model::{ContentBlock, Implementation, ProtocolVersion, Resource};
use rmcp::service::RequestContext;
use serde_json::Value;

use super::resources::{JSON, MARKDOWN};
use crate::calls::Calls;
use crate::domain::{AccountId, CustomerId, Principal, Scope, VerificationId};
use crate::tools::record_id;

/// Most links of one result.
const MAX_LINKS: usize = 20;

/// Whether the client takes links.
pub(super) fn are_taken(context: &RequestContext<RoleServer>) -> bool {
    let Some(revision) = context.protocol_version() else { return false };
    are_taken_at(&revision, context.client_info().as_ref())
}

/// Whether this client takes them, having settled on this revision.
pub(super) fn are_taken_at(revision: &ProtocolVersion, client: Option<&Implementation>) -> bool {
    let is_stateless = *revision >= ProtocolVersion::V_2026_07_28;
    // LangChain's adapters, which do not name themselves, hand a link on as a file to be fetched; OpenAI's chat
    // completions refuse such a message, and the agent's run ends with it (langchain-mcp-adapters 0.3.2).
    let is_nameless = client.is_some_and(|client| client.name == "mcp" && client.version == "0.1.0");
    *revision >= ProtocolVersion::V_2025_06_18 && (is_stateless || !is_nameless)
}

/// The links of a result that this principal can follow; `customer_id` is the argument that the call was made with.
pub(super) fn of(
    calls: &Calls,
    principal: &Principal,
    customer_id: Option<&str>,
    result: &Value,
) -> Vec<ContentBlock> {
    let shows = |id: &str| calls.shows(principal, id);
    let named = |id: &str| shows(id).then(|| id.parse::<CustomerId>().ok()).flatten();
    let owner = customer_id.and_then(named);
    let link = |kind: Kind, record: &Value| {
        let id = record_id(record)?;
        let owner = match kind {
            Kind::Customer => named(&id)?,
            // A record of somebody else's is not to be found under this customer.
            _ if record.get("customer_id").is_some_and(|of| of.as_str() != customer_id) => return None,
            _ => owner.clone()?,
        };
        shows(&id).then(|| kind.link(owner.as_str(), &id)).flatten()
    };
    let kinds = [
        ("customer", Kind::Customer),
        ("customers", Kind::Customer),
        ("bank_account", Kind::BankAccount),
        ("bank_accounts", Kind::BankAccount),
        ("verification", Kind::Verification),
        ("verifications", Kind::Verification),
    ];
    let kinds = kinds.iter().filter(|(_, kind)| principal.may(kind.scope()));
    let records = kinds.filter_map(|(member, kind)| Some((*kind, result.get(*member)?)));
    let mut links: Vec<Resource> = records
        .flat_map(|(kind, found)| {
            let records = found.as_array().map_or(std::slice::from_ref(found), Vec::as_slice);
            records.iter().map(move |record| (kind, record))
        })
        .filter_map(|(kind, record)| link(kind, record))
        .take(MAX_LINKS)
        .collect();
    if result.get("dossier").is_some() {
        links.extend(owner.map(|owner| dossier(owner.as_str())));
    }
    links.into_iter().map(ContentBlock::ResourceLink).collect()
}

/// What a record is.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Customer,
    BankAccount,
    Verification,
}

impl Kind {
    /// The right to read such a record.
    fn scope(self) -> Scope {
        match self {
            Self::Customer => Scope::CustomersRead,
            Self::BankAccount => Scope::BankAccountsRead,
            Self::Verification => Scope::VerificationsRead,
        }
    }

    fn link(self, customer_id: &str, id: &str) -> Option<Resource> {
        let customer = format!("fintecture://customers/{customer_id}");
        let (uri, title) = match self {
            Self::Customer => (customer, "Customer"),
            Self::BankAccount => {
                let id = id.parse::<AccountId>().ok()?;
                (format!("{customer}/bank-accounts/{}", id.as_str()), "Bank account")
            }
            Self::Verification => {
                let id = id.parse::<VerificationId>().ok()?;
                (format!("{customer}/verifications/{}", id.as_str()), "Verification")
            }
        };
        Some(Resource::new(uri, id).with_title(format!("{title} {id}")).with_mime_type(JSON))
    }
}

fn dossier(customer_id: &str) -> Resource {
    let uri = format!("fintecture://customers/{customer_id}/dossier");
    Resource::new(uri, format!("dossier-{customer_id}"))
        .with_title(format!("Dossier of {customer_id}"))
        .with_mime_type(MARKDOWN)
}
