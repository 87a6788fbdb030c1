//! What every result of every tool call owes its reader, checked on each call of the whole suite.

use std::collections::HashMap;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Value, json};

/// The kinds of errors that can be answered today.
pub(crate) const KINDS: [&str; 15] = [
    "invalid_input",
    "unauthorized",
    "forbidden",
    "not_found",
    "conflict",
    "rate_limited",
    "insufficient_scope",
    "upstream_rejected",
    "upstream_unavailable",
    "outcome_unknown",
    "read_only",
    "confirmation_required",
    "declined",
    "cancelled",
    "internal",
];

/// The members that an error may have.
const ERROR_MEMBERS: [&str; 12] = [
    "kind",
    "message",
    "problems",
    "hint",
    "upstream_status",
    "retryable",
    "retry_after_seconds",
    "scope",
    "approval",
    "customer_id",
    "request_id",
    "outcome",
];

/// The output schema of each tool.
#[derive(Debug)]
pub(crate) struct Contract(HashMap<String, Schema>);

/// Compiled when it is first needed, since most clients call one tool.
#[derive(Debug)]
struct Schema {
    json: Value,
    compiled: OnceLock<Validator>,
}

/// A result that kept the contract.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) is_error: bool,
    pub(crate) body: Value,
}

impl Contract {
    /// From the tools of a `tools/list` result.
    pub(crate) fn of(tools: &[Value]) -> Self {
        let of_tool = |tool: &Value| {
            let name = tool["name"].as_str().unwrap().to_owned();
            (name, Schema { json: tool["outputSchema"].clone(), compiled: OnceLock::new() })
        };
        Self(tools.iter().map(of_tool).collect())
    }

    /// Checks a `tools/call` result.
    pub(crate) fn check(&self, tool: &str, result: &Value) -> Answer {
        let body = &result["structuredContent"];
        let [text, links @ ..] = result["content"].as_array().unwrap().as_slice() else {
            panic!("a result has a text: {result}");
        };
        for link in links {
            assert_eq!(link["type"], "resource_link", "nothing but links stands behind the text: {result}");
        }
        assert_eq!(text["type"], "text");
        let said: Value = serde_json::from_str(text["text"].as_str().unwrap()).unwrap();
        assert_eq!(said, *body, "the text is the same JSON as structuredContent");
        // An absent isError means false.
        let is_error = result.get("isError").is_some_and(|flag| flag.as_bool().unwrap());
        self.check_body(tool, body, is_error)
    }

    /// Checks the JSON object of a result.
    pub(crate) fn check_body(&self, tool: &str, body: &Value, is_error: bool) -> Answer {
        let schema = &self.0[tool];
        let compiled = schema.compiled.get_or_init(|| jsonschema::draft202012::new(&schema.json).unwrap());
        if let Err(error) = compiled.validate(body) {
            panic!("a result of {tool} breaks its output schema: {error}\n{body}");
        }
        assert!(body["environment"].is_string(), "{body}");
        assert_eq!(body.get("error").is_some(), is_error, "error and isError go together: {body}");
        if is_error {
            check_error(&body["error"]);
        } else {
            assert!(body["action"].is_string(), "{body}");
        }
        Answer { is_error, body: body.clone() }
    }
}

fn check_error(error: &Value) {
    let kind = error["kind"].as_str().unwrap();
    assert!(KINDS.contains(&kind), "unknown kind {kind}");
    for (member, value) in error.as_object().unwrap() {
        assert!(ERROR_MEMBERS.contains(&member.as_str()), "unknown member {member}");
        assert!(!value.is_null(), "members that do not apply are left out: {error}");
    }
    for text in ["message", "hint"] {
        assert!(error[text].as_str().is_some_and(|text| !text.is_empty()), "an error has a {text}: {error}");
    }
    assert!(error["retryable"].is_boolean(), "{error}");
    assert_eq!(kind == "invalid_input", error.get("problems").is_some(), "{error}");
    assert_eq!(kind == "insufficient_scope", error.get("scope").is_some(), "{error}");
    if error.get("customer_id").is_some() {
        assert_eq!(kind, "conflict", "only an existing customer is named: {error}");
    }
    match error.get("outcome").and_then(Value::as_str) {
        None => assert!(!["outcome_unknown", "read_only"].contains(&kind), "{error}"),
        Some("unknown") => assert_eq!(kind, "outcome_unknown", "{error}"),
        Some(outcome) => assert!(outcome == "not_applied" && kind != "outcome_unknown", "{error}"),
    }
}

impl Answer {
    /// The result of a call that went well.
    pub(crate) fn good(self) -> Value {
        assert!(!self.is_error, "an error where none was expected: {}", self.body);
        self.body
    }

    /// The error of a call that did not.
    pub(crate) fn error(self) -> Value {
        assert!(self.is_error, "a success where an error was expected: {}", self.body);
        self.body["error"].clone()
    }

    /// The kind of its error.
    pub(crate) fn kind(&self) -> &str {
        assert!(self.is_error, "a success where an error was expected: {}", self.body);
        self.body["error"]["kind"].as_str().unwrap()
    }

    /// The whole result for a snapshot: the request id, different in each run, only shows its form.
    pub(crate) fn redacted(mut self) -> Value {
        if let Some(id) = self.body.pointer_mut("/error/request_id") {
            let uuid: uuid::Uuid = id.as_str().unwrap().parse().unwrap();
            *id = json!(format!("[uuid v{}]", uuid.get_version_num()));
        }
        self.body
    }
}
