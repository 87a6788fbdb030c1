//! The one envelope of every result: action, environment, and what the action brings, or an error.

use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use super::error::ToolError;
use crate::domain::Environment;
use crate::fintecture::{Listing, Record};

/// The members of a result beside `action` and `environment`.
pub type Fields = Map<String, Value>;

/// A JSON object of the upstream: its fields are the upstream's, so the schema promises none.
pub(super) type AnyObject = Map<String, Value>;

/// Shape of a tool's result. Only `environment` is always there.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "describes the shape for the output schema; results are built as JSON")]
pub(super) struct Output<Results> {
    action: Option<String>,
    environment: String,
    #[schemars(flatten)]
    results: Results,
    hint: Option<String>,
    error: Option<ToolError>,
}

/// Where a list stands.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "describes the shape for the output schema; results are built as JSON")]
pub(super) struct Page {
    number: u32,
    size: u32,
    count: Option<i64>,
    next: Option<u32>,
}

/// A result that went well.
#[must_use]
pub fn envelope(action: &str, environment: Environment, fields: Fields) -> Value {
    let mut result = Map::with_capacity(fields.len() + 2);
    result.insert("action".to_owned(), json!(action));
    result.insert("environment".to_owned(), json!(environment.as_str()));
    result.extend(fields);
    Value::Object(result)
}

/// A result that did not; `action` where the arguments name one of the tool's.
#[must_use]
pub fn error_envelope(action: Option<&str>, environment: Environment, error: &ToolError) -> Value {
    let mut result = Map::with_capacity(3);
    if let Some(action) = action {
        result.insert("action".to_owned(), json!(action));
    }
    result.insert("environment".to_owned(), json!(environment.as_str()));
    result.insert("error".to_owned(), json!(error));
    Value::Object(result)
}

/// One record under its name.
pub(super) fn one(name: &str, record: Record) -> Fields {
    Map::from_iter([(name.to_owned(), Value::Object(record.into_fields()))])
}

/// One record that was asked for by its id; says so where the upstream answered about another.
pub(super) fn asked_for(name: &str, record: Record, id: &str) -> Fields {
    let matches = record.id() == id;
    let mut fields = one(name, record);
    if !matches {
        hint(
            &mut fields,
            "The record's id is not the one that was asked for: do not rely on it, and tell the operator.",
        );
    }
    fields
}

/// A list of records under its name, with what the upstream sent beside it.
pub(super) fn list(name: &str, listing: Listing) -> Fields {
    let records = listing.records.into_iter().map(|record| Value::Object(record.into_fields())).collect();
    let mut fields = Map::from_iter([(name.to_owned(), Value::Array(records))]);
    if !listing.meta.is_empty() {
        fields.insert("meta".to_owned(), Value::Object(listing.meta));
    }
    for (member, value) in listing.rest {
        // The envelope's own words stay ours, whatever the upstream calls its members.
        let taken = fields.contains_key(&member) || RESERVED.contains(&member.as_str());
        fields.insert(if taken { format!("upstream_{member}") } else { member }, value);
    }
    fields
}

/// Members of a result that only this server sets: its own, and those of other actions, which the output schema types.
const RESERVED: [&str; 13] = [
    "action",
    "bank_account",
    "bank_accounts",
    "customer",
    "customers",
    "dossier",
    "environment",
    "error",
    "hint",
    "page",
    "repeated",
    "verification",
    "verifications",
];

/// Adds a sentence on what to do next.
pub(super) fn hint(fields: &mut Fields, sentence: &str) {
    let said = match fields.get("hint").and_then(Value::as_str) {
        Some(present) => format!("{present} {sentence}"),
        None => sentence.to_owned(),
    };
    fields.insert("hint".to_owned(), Value::String(said));
}

/// The id of a record in a result, where it has one.
#[must_use]
pub fn record_id(record: &Value) -> Option<String> {
    match record.get("id")? {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}
