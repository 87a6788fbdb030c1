//! The errors of what there is not, of what a principal may not do, or not any more for now: nothing was sent.

use std::time::Duration;

use serde_json::{Map, Value};

use super::error::{ErrorKind, Outcome, Problem, ToolError};
use crate::domain::Scopes;

impl ToolError {
    /// No tool has the name that was called; these are those that the caller can call.
    pub(crate) fn no_such_tool(tools: &[&str]) -> Self {
        let names = if tools.is_empty() { "none for this client".to_owned() } else { tools.join(", ") };
        Self::new(ErrorKind::NotFound, format!("there is no such tool; the tools are {names}"))
            .with_hint("Call one of the tools that are named here.")
    }

    /// What came in place of the arguments is no JSON object: `said` says what is wrong with it. `example` is a call that
    /// would be right.
    pub(crate) fn no_arguments(said: &str, example: Map<String, Value>) -> Self {
        let message = format!("must be a JSON object with the arguments of the tool: {said}");
        let problem = Problem { field: "body".to_owned(), message, example: Some(Value::Object(example)) };
        Self::invalid_input(vec![problem], false)
    }

    /// The principal lacks these scopes.
    pub(crate) fn insufficient_scope(lacking: Scopes, write: bool) -> Self {
        let error = Self::new(
            ErrorKind::InsufficientScope,
            format!("this client lacks the scope {lacking}: nothing was sent"),
        )
        .with_hint(
            "Trying again does not help. Ask the operator for a token that has the scope as well, or authorise again \
             with it; the list of tools (over plain HTTP: GET /openapi.json) shows what can be done without.",
        );
        Self { scope: Some(lacking), outcome: of(write), ..error }
    }

    /// One of our own limits, and when there may be room again.
    pub(crate) fn over_limit(what: &str, wait: Duration, write: bool) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let error = Self::new(ErrorKind::RateLimited, format!("{what}: nothing was sent"))
            .with_hint("Wait for retry_after_seconds, then call again; make fewer calls at once.");
        let retry_after_seconds = Some(seconds.max(1));
        Self { retryable: true, retry_after_seconds, outcome: of(write), ..error }
    }

    /// As many verifications were started for a customer as may be.
    pub(crate) fn too_many_verifications(limit: u64, wait: Duration) -> Self {
        let what =
            format!("{limit} verifications were started for this customer within a day, which is the most");
        Self::over_limit(&what, wait, true).with_hint(
            "Do not start another one for this customer now: verify_identity list shows those that were started. The \
             operator sets this limit.",
        )
    }
}

fn of(write: bool) -> Option<Outcome> {
    write.then_some(Outcome::NotApplied)
}
