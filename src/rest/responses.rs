//! Every status that a request may be answered with, each with the schema of its body: errors of calls by their kind, and
//! what the server refuses before there is a call.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::statuses::{status as status_of, when};
use crate::tools::ErrorKind;

/// Schema of the bodies of what is refused before there is a call.
const REFUSAL: &str = "#/components/schemas/Refusal";
/// Schema of an error.
const ERROR: &str = "#/components/schemas/Error";

/// What the server refuses before there is a call, by status.
const BEFORE_A_CALL: [(u16, &str); 7] = [
    (400, "the request is malformed: its Host, Origin or Authorization header, or its body, which broke off"),
    (403, "this Host or Origin is not served here, or the token holds no right here"),
    (408, "the body took too long"),
    (413, "the body is too long"),
    (415, "Content-Type is not application/json"),
    (429, "too much of yours is under way at once, or too many wrong tokens were shown"),
    (503, "too much is under way at once, or the server is ending"),
];
/// The same where callers show a token.
const WITHOUT_A_TOKEN: (u16, &str) = (401, "there is no token, or one that is not good");
/// Statuses of what has no body, and is not about one.
const OF_A_READ: [u16; 5] = [400, 401, 403, 429, 503];

/// One status: the kinds of errors that have it, and when else it comes.
#[derive(Default)]
struct Row {
    kinds: Vec<ErrorKind>,
    before: Option<&'static str>,
}

fn rows(authenticates: bool) -> BTreeMap<u16, Row> {
    let mut rows: BTreeMap<u16, Row> = BTreeMap::new();
    for kind in ErrorKind::ALL {
        rows.entry(status_of(kind).as_u16()).or_default().kinds.push(kind);
    }
    let token = authenticates.then_some(WITHOUT_A_TOKEN);
    for (status, when) in BEFORE_A_CALL.into_iter().chain(token) {
        rows.entry(status).or_default().before = Some(when);
    }
    rows
}

/// All responses, for `components`.
pub(super) fn components(authenticates: bool) -> Value {
    let rows = rows(authenticates);
    rows.iter().map(|(status, row)| (status.to_string(), row.response(*status))).collect::<Map<_, _>>().into()
}

/// The responses of a call, beside that of success.
pub(super) fn of_a_call(authenticates: bool) -> Map<String, Value> {
    rows(authenticates).into_keys().map(reference).collect()
}

/// The responses of what only reads and takes no body, beside that of success.
pub(super) fn of_a_read(authenticates: bool) -> Map<String, Value> {
    rows(authenticates).into_keys().filter(|status| OF_A_READ.contains(status)).map(reference).collect()
}

fn reference(status: u16) -> (String, Value) {
    (status.to_string(), json!({ "$ref": format!("#/components/responses/{status}") }))
}

/// The schemas that the responses refer to. `error` is that of an error, as tools promise it.
pub(super) fn schemas(error: Value) -> [(String, Value); 2] {
    let refusal = json!({
        "description": "What the server says before there is a call.",
        "type": "object",
        "properties": { "error": { "type": "string" } },
        "required": ["error"],
    });
    [("Error".to_owned(), error), ("Refusal".to_owned(), refusal)]
}

impl Row {
    fn response(&self, status: u16) -> Value {
        let of_kinds = self.kinds.iter().map(|kind| format!("`{}`: {}.", kind.as_str(), when(*kind)));
        let before = self.before.map(|when| format!("Before there is a call: {when}."));
        let description: Vec<String> = of_kinds.chain(before).collect();
        let schema = match (self.kinds.is_empty(), self.before.is_some()) {
            (true, _) => json!({ "$ref": REFUSAL }),
            (false, false) => self.envelope(),
            (false, true) => json!({ "oneOf": [self.envelope(), { "$ref": REFUSAL }] }),
        };
        let mut response = Map::from_iter([
            ("description".to_owned(), json!(description.join(" "))),
            ("content".to_owned(), json!({ "application/json": { "schema": schema } })),
        ]);
        if let Some((name, header)) = header(status) {
            response.insert("headers".to_owned(), json!({ name: header }));
        }
        Value::Object(response)
    }

    /// Schema of a result that holds an error of these kinds.
    fn envelope(&self) -> Value {
        let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.as_str()).collect();
        json!({
            "type": "object",
            "properties": {
                "action": { "type": "string" },
                "environment": { "$ref": "#/components/schemas/Environment" },
                "error": { "allOf": [
                    { "$ref": ERROR },
                    { "type": "object", "properties": { "kind": { "type": "string", "enum": kinds } } },
                ] },
            },
            "required": ["environment", "error"],
        })
    }
}

fn header(status: u16) -> Option<(&'static str, Value)> {
    match status {
        401 => Some((
            "WWW-Authenticate",
            json!({ "description": "Bearer, and where tokens come from.", "schema": { "type": "string" } }),
        )),
        429 | 503 => Some((
            "Retry-After",
            json!({ "description": "Seconds after which to try again, where that is known.",
                "schema": { "type": "integer" } }),
        )),
        _ => None,
    }
}
