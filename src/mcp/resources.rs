//! The resources: capability files as they were read, the card, and records by the same way as a tool call.
//!
//! A record's resource is the result of the call that reads it, so limits, masking and errors are those of the
//! tools. Ids are not looked at here: the call refuses what is none, percent signs and `..` included.

use rmcp::ErrorData;
use rmcp::model::{ReadResourceResult, Resource, ResourceContents, ResourceTemplate};
use serde_json::{Map, Value, json};

use super::{card, refusal};
use crate::calls::{Answer, Caller, Calls};
use crate::domain::{Scope, Scopes};
use crate::tools::{CapabilityFile, Tools, dossier};

pub(super) const JSON: &str = "application/json";
pub(super) const MARKDOWN: &str = "text/markdown";
const YAML: &str = "application/yaml";

/// Where all resources stand.
const SCHEME: &str = "fintecture://";

/// What is known of one kind of resource.
struct Template {
    uri: &'static str,
    name: &'static str,
    title: &'static str,
    description: &'static str,
    mime_type: &'static str,
    variables: &'static [&'static str],
    /// The rights that reading one takes: those of the call.
    scopes: &'static [Scope],
}

const TEMPLATES: [Template; 4] = [
    Template {
        uri: "fintecture://customers/{customer_id}",
        name: "customer",
        title: "Customer",
        description: "One customer, as manage_customers get answers.",
        mime_type: JSON,
        variables: &["customer_id"],
        scopes: &[Scope::CustomersRead],
    },
    Template {
        uri: "fintecture://customers/{customer_id}/bank-accounts/{account_id}",
        name: "bank_account",
        title: "Bank account",
        description: "One bank account of a customer, as manage_bank_accounts get answers.",
        mime_type: JSON,
        variables: &["customer_id", "account_id"],
        scopes: &[Scope::BankAccountsRead],
    },
    Template {
        uri: "fintecture://customers/{customer_id}/verifications/{verification_id}",
        name: "verification",
        title: "Verification",
        description: "One verification of a customer, as verify_identity get answers. A name match only.",
        mime_type: JSON,
        variables: &["customer_id", "verification_id"],
        scopes: &[Scope::VerificationsRead],
    },
    Template {
        uri: "fintecture://customers/{customer_id}/dossier",
        name: "dossier",
        title: "Dossier",
        description: "What is known of a customer and what was not checked, to read (Markdown) and to work with (JSON).",
        mime_type: MARKDOWN,
        variables: &["customer_id"],
        scopes: &[Scope::CustomersRead, Scope::BankAccountsRead, Scope::VerificationsRead],
    },
];

/// The templates as they stand in `resources/templates/list`: those whose resources these rights suffice for.
pub(super) fn templates(scopes: Scopes) -> Vec<ResourceTemplate> {
    let wire = |template: &Template| {
        ResourceTemplate::new(template.uri, template.name)
            .with_title(template.title)
            .with_description(template.description)
            .with_mime_type(template.mime_type)
    };
    let may_read = |template: &&Template| scopes.lacking(template.scopes.iter().copied()).is_empty();
    TEMPLATES.iter().filter(may_read).map(wire).collect()
}

/// The variables of the template that is written like this.
///
/// # Errors
/// Invalid params, where there is none.
pub(super) fn variables(uri: &str) -> Result<Vec<&'static str>, ErrorData> {
    let template = TEMPLATES.iter().find(|template| template.uri == uri);
    template.map(|template| template.variables.to_vec()).ok_or_else(|| {
        let known: Vec<&str> = TEMPLATES.iter().map(|template| template.uri).collect();
        let message = format!("there is no such resource template; those are {}", known.join(", "));
        ErrorData::invalid_params(message, None)
    })
}

/// The resources as they stand in `resources/list`, `html` being the card: records are too many to list.
pub(super) fn list(tools: &Tools, html: &str) -> Vec<Resource> {
    let wire = |file: &CapabilityFile| {
        let about = format!("Words, methods and paths of the tool {}, in the Naftiko format.", file.tool);
        Resource::new(format!("{SCHEME}capabilities/{}", file.name), file.name.clone())
            .with_title(format!("Capability file of {}", file.tool))
            .with_description(about)
            .with_mime_type(YAML)
            .with_size(file.text.len() as u64)
    };
    tools.capability_files().iter().map(wire).chain([card::listed(html)]).collect()
}

/// A resource and whether it stays as it is while the server runs.
pub(super) struct Read {
    pub(super) result: ReadResourceResult,
    pub(super) is_fixed: bool,
}

/// Reads a resource, `html` being the card.
///
/// # Errors
/// Not found for a URI that names none; otherwise what the call says.
pub(super) async fn read(calls: &Calls, caller: &Caller, uri: &str, html: &str) -> Result<Read, ErrorData> {
    if uri == card::URI {
        calls.arrives(caller).await.map_err(|over| refusal::of_error(&over))?;
        calls.reads_file(caller, card::NAME);
        return Ok(Read { result: ReadResourceResult::new(vec![card::contents(html)]), is_fixed: true });
    }
    let segments: Vec<&str> = uri.strip_prefix(SCHEME).unwrap_or_default().split('/').collect();
    if segments.contains(&"") {
        return Err(unknown(calls, caller, uri).await);
    }
    let contents = match segments.as_slice() {
        ["capabilities", name] => {
            let files = calls.tools().capability_files();
            let Some(file) = files.iter().find(|file| file.name == *name) else {
                return Err(unknown(calls, caller, uri).await);
            };
            calls.arrives(caller).await.map_err(|over| refusal::of_error(&over))?;
            calls.reads_file(caller, name);
            let contents = vec![contents(uri, YAML, file.text.clone())];
            return Ok(Read { result: ReadResourceResult::new(contents), is_fixed: true });
        }
        ["customers", customer_id] => {
            let result =
                call(calls, caller, uri, "manage_customers", "get", &[("customer_id", customer_id)]).await?;
            vec![contents(uri, JSON, result.to_string())]
        }
        ["customers", customer_id, "bank-accounts", account_id] => {
            let ids = [("customer_id", *customer_id), ("account_id", *account_id)];
            let result = call(calls, caller, uri, "manage_bank_accounts", "get", &ids).await?;
            vec![contents(uri, JSON, result.to_string())]
        }
        ["customers", customer_id, "verifications", verification_id] => {
            let ids = [("customer_id", *customer_id), ("verification_id", *verification_id)];
            let result = call(calls, caller, uri, "verify_identity", "get", &ids).await?;
            vec![contents(uri, JSON, result.to_string())]
        }
        ["customers", customer_id, "dossier"] => {
            let ids = [("customer_id", *customer_id)];
            let result = call(calls, caller, uri, "verify_identity", "dossier", &ids).await?;
            let to_read = dossier::markdown(result.get("dossier").unwrap_or(&Value::Null));
            vec![contents(uri, MARKDOWN, to_read), contents(uri, JSON, result.to_string())]
        }
        _ => return Err(unknown(calls, caller, uri).await),
    };
    Ok(Read { result: ReadResourceResult::new(contents), is_fixed: false })
}

fn contents(uri: &str, mime_type: &str, text: String) -> ResourceContents {
    ResourceContents::text(text, uri).with_mime_type(mime_type)
}

async fn call(
    calls: &Calls,
    caller: &Caller,
    uri: &str,
    tool: &str,
    action: &str,
    ids: &[(&str, &str)],
) -> Result<Value, ErrorData> {
    let mut arguments = Map::from_iter([("action".to_owned(), json!(action))]);
    arguments.extend(ids.iter().map(|(name, id)| ((*name).to_owned(), json!(id))));
    // On the heap: the future of a call is large.
    let Answer::Reply(mut reply) = Box::pin(calls.call(caller, tool, arguments)).await else {
        return Err(ErrorData::internal_error("a read needs nobody's answer", None));
    };
    if !reply.is_error {
        return Ok(reply.body);
    }
    if let Some(fields) = reply.body.as_object_mut() {
        fields.insert("uri".to_owned(), json!(uri));
    }
    Err(refusal::of_contract(reply.body))
}

/// Counts as a call, too: otherwise whoever is over a limit could go on with what there is not.
async fn unknown(calls: &Calls, caller: &Caller, uri: &str) -> ErrorData {
    if let Err(over) = calls.arrives(caller).await {
        return refusal::of_error(&over);
    }
    let message =
        "there is no such resource; resources/list and resources/templates/list say which there are";
    ErrorData::resource_not_found(message, Some(json!({ "uri": uri })))
}
