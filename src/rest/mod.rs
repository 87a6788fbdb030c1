//! The REST face over [`calls`](crate::calls): a tool call is a POST with its arguments, the answer is its result, and the
//! kind of an error decides the status.
//!
//! `caller` reads who calls, `statuses` has the status of each kind, `openapi` describes all of it. Translates between HTTP's
//! words and ours and decides nothing about tools. Knows no listener and no door.

mod caller;
mod openapi;
mod responses;
mod statuses;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::calls::{Answer, Caller, Calls};
use crate::domain::{Principal, Scope, Scopes, Unambiguous};
use crate::tools::{self, ErrorKind, ToolError};

pub use statuses::status;

/// Where a tool is called, by POST.
pub const TOOL_ROUTE: &str = "/v1/tools/{tool}";
/// Where all of this is described.
pub const OPENAPI_ROUTE: &str = "/openapi.json";

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Results are about people: no cache keeps them.
const KEPT_NOWHERE: HeaderValue = HeaderValue::from_static("no-store");
/// What the tools are does not change while the server runs; who sees which of them depends on the token.
const KEPT_BY_ITS_READER: HeaderValue = HeaderValue::from_static("private, max-age=300");

/// What the description says beside the tools.
#[derive(Debug, Clone)]
pub struct RestConfig {
    /// The server's instructions to its users.
    pub words: String,
    /// Where clients find the server, without a slash at the end.
    pub address: String,
    /// Whether callers show a token.
    pub authenticates: bool,
}

/// The REST face; cloning it clones a pointer.
#[derive(Debug, Clone)]
pub struct Rest(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    calls: Arc<Calls>,
    config: RestConfig,
    /// The description for each set of rights: put together when it is first asked for, and kept, since there are few.
    descriptions: Mutex<HashMap<Scopes, Bytes>>,
}

/// A request, once the door has let it in.
#[derive(Debug)]
pub struct Request {
    /// Who sent it.
    pub principal: Arc<Principal>,
    /// Its headers.
    pub headers: HeaderMap,
    /// Cancelled when the client hangs up.
    pub cancelled: CancellationToken,
}

impl Rest {
    /// The face of these calls.
    #[must_use]
    pub fn new(calls: Arc<Calls>, config: RestConfig) -> Self {
        Self(Arc::new(Inner { calls, config, descriptions: Mutex::default() }))
    }

    /// Calls a tool with what stands in the body.
    pub async fn call(&self, request: Request, tool: &str, body: &[u8]) -> Response {
        let (calls, scopes) = (&self.0.calls, request.principal.scopes);
        let caller = caller::of(request.principal, &request.headers, request.cancelled);
        if !calls.tools().has(tool) {
            let offered = calls.tools().list(scopes);
            let names: Vec<&str> = offered.iter().map(|tool| tool.name).collect();
            return self.refuse(&caller, ToolError::no_such_tool(&names)).await;
        }
        let arguments = match read(body) {
            Ok(arguments) => arguments,
            Err(said) => {
                let example = self.example(tool, scopes);
                return self.refuse(&caller, ToolError::no_arguments(&said, example)).await;
            }
        };
        match calls.call(&caller, tool, arguments).await {
            Answer::Reply(reply) => respond(&reply.body),
            // Neither is for a caller without a person who cannot follow tasks.
            Answer::Asked | Answer::Task(_) => {
                self.failed(&ToolError::internal("the answer of the call was for another protocol"))
            }
        }
    }

    /// The answer to a call that ended without one.
    #[must_use]
    pub fn lost(&self) -> Response {
        self.failed(&ToolError::internal("the call failed inside the server"))
    }

    /// The OpenAPI description of what this caller may do.
    pub async fn openapi(&self, request: Request) -> Response {
        let scopes = request.principal.scopes;
        let caller = caller::of(request.principal, &request.headers, request.cancelled);
        if let Err(over) = self.0.calls.arrives(&caller).await {
            return self.failed(&over);
        }
        let mut response = Body::from(self.description(scopes)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, JSON);
        headers.insert(header::CACHE_CONTROL, KEPT_BY_ITS_READER);
        headers.insert(header::VARY, HeaderValue::from_static("authorization"));
        response
    }

    fn description(&self, scopes: Scopes) -> Bytes {
        // These two change nothing of it, so that there are at most 64.
        let scopes = scopes.without(Scope::PersonalDataRead).without(Scope::ApprovalsWrite);
        let mut descriptions = self.0.descriptions.lock().unwrap_or_else(PoisonError::into_inner);
        let describe = || {
            let tools = self.0.calls.tools();
            openapi::describe(&tools.list(scopes), tools.environment(), &self.0.config).to_string().into()
        };
        descriptions.entry(scopes).or_insert_with(describe).clone()
    }

    /// A call of this tool that would be right, the shortest of its examples.
    fn example(&self, tool: &str, scopes: Scopes) -> Map<String, Value> {
        let offered = self.0.calls.tools().list(scopes).into_iter().find(|offered| offered.name == tool);
        let examples = offered.map(|tool| tool.examples).unwrap_or_default();
        let shortest = examples.into_iter().map(|example| example.arguments).min_by_key(Map::len);
        shortest.unwrap_or_default()
    }

    /// Refuses what is no call of a tool, once it is counted: who is over a limit is told that.
    async fn refuse(&self, caller: &Caller, error: ToolError) -> Response {
        let error = self.0.calls.arrives(caller).await.err().unwrap_or(error);
        self.failed(&error)
    }

    fn failed(&self, error: &ToolError) -> Response {
        respond(&tools::error_envelope(None, self.0.calls.tools().environment(), error))
    }
}

/// The arguments in a body, or what is wrong with it, in words that hold nothing of it.
fn read(body: &[u8]) -> Result<Map<String, Value>, String> {
    if let Ok(Unambiguous(arguments)) = serde_json::from_slice(body) {
        return Ok(arguments);
    }
    let kind = match serde_json::from_slice(body) {
        Ok(Value::Object(_)) => return Err("a member stands in it twice".to_owned()),
        Err(_) if body.is_empty() => return Err("it is empty".to_owned()),
        Err(error) => return Err(format!("it is no JSON: {error}")),
        Ok(Value::Array(_)) => "a list",
        Ok(Value::String(_)) => "a text",
        Ok(Value::Number(_)) => "a number",
        Ok(Value::Bool(_)) => "true or false",
        Ok(Value::Null) => "null",
    };
    Err(format!("it is {kind}"))
}

/// A result, with the status that its kind of error has.
fn respond(body: &Value) -> Response {
    let error = body.get("error");
    let kind = error.map(|error| error.get("kind").and_then(Value::as_str).and_then(ErrorKind::named));
    let status = match kind {
        None => StatusCode::OK,
        Some(kind) => statuses::status(kind.unwrap_or(ErrorKind::Internal)),
    };
    let mut response = (status, serde_json::to_vec(body).unwrap_or_default()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, JSON);
    headers.insert(header::CACHE_CONTROL, KEPT_NOWHERE);
    if let Some(seconds) = error.and_then(|error| error.get("retry_after_seconds")).and_then(Value::as_u64) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_kind_has_the_status_that_was_promised() {
        let promised = [
            ("invalid_input", 422),
            ("not_found", 404),
            ("conflict", 409),
            ("rate_limited", 429),
            ("read_only", 403),
            ("insufficient_scope", 403),
            ("confirmation_required", 428),
            ("declined", 409),
            ("cancelled", 499),
            ("unauthorized", 502),
            ("forbidden", 502),
            ("upstream_rejected", 502),
            ("upstream_unavailable", 503),
            ("outcome_unknown", 504),
            ("internal", 500),
        ];
        assert_eq!(promised.len(), ErrorKind::ALL.len());
        for (kind, status) in promised {
            let body = json!({"environment": "sandbox", "error": {"kind": kind, "retry_after_seconds": 7}});
            let response = respond(&body);
            assert_eq!(response.status().as_u16(), status, "{kind}");
            assert_eq!(response.headers()["retry-after"], "7");
        }
        assert_eq!(respond(&json!({"customer": {"kind": "not_found"}})).status().as_u16(), 200);
    }

    #[test]
    fn what_is_no_object_is_told_in_words_that_hold_nothing_of_it() {
        for (body, said) in [
            ("", "it is empty"),
            ("{\"canary\": 1", "it is no JSON: EOF while parsing an object at line 1 column 12"),
            ("canary", "it is no JSON: expected value at line 1 column 1"),
            ("[1]", "it is a list"),
            ("\"canary\"", "it is a text"),
            ("42", "it is a number"),
            ("false", "it is true or false"),
            ("null", "it is null"),
            (r#"{"iban": "canary", "iban": "canary"}"#, "a member stands in it twice"),
            (r#"{"iban": 1, "ib\u0061n": 2}"#, "a member stands in it twice"),
        ] {
            assert_eq!(read(body.as_bytes()).unwrap_err(), said);
        }
        assert!(read(&[b'{', 0xff, b'}']).unwrap_err().starts_with("it is no JSON"));
        assert!(read("[".repeat(1000).as_bytes()).is_err(), "what is too deep is not read");
        assert_eq!(read(br#"{"action":"list"}"#).unwrap()["action"], "list");
    }
}
