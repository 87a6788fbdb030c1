//! Protocol errors: those that carry an error of the contract, and the one that a panic becomes.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use rmcp::ErrorData;
use rmcp::model::ErrorCode;
use serde_json::{Value, json};

use crate::tools::ToolError;

/// Runs what answers a request; a panic in it is answered, too. Without this the client would wait for ever. It runs
/// apart: rmcp moves one future about for all methods, as large as the largest, and these are not the frequent ones.
pub(super) fn catch<T>(
    answer: impl Future<Output = Result<T, ErrorData>>,
) -> impl Future<Output = Result<T, ErrorData>> {
    AssertUnwindSafe(Box::pin(answer)).catch_unwind().map(|answered| {
        answered.unwrap_or_else(|_| {
            tracing::error!("the answer to a request panicked");
            let message = "the request failed inside the server: tell the operator; its log says more";
            Err(ErrorData::internal_error(message, None))
        })
    })
}

/// The protocol error for an error of the contract.
pub(super) fn of_error(error: &ToolError) -> ErrorData {
    of_contract(json!({ "error": error }))
}

/// The protocol error for `{..., "error": {...}}`: its kind decides the code, its words make the message.
pub(super) fn of_contract(body: Value) -> ErrorData {
    let text = |member: &str| body.pointer(&format!("/error/{member}")).and_then(Value::as_str);
    let code = match text("kind") {
        Some("not_found") => ErrorCode::RESOURCE_NOT_FOUND,
        Some("invalid_input") => ErrorCode::INVALID_PARAMS,
        Some("insufficient_scope") => ErrorCode::INVALID_REQUEST,
        _ => ErrorCode::INTERNAL_ERROR,
    };
    let problems = body.pointer("/error/problems").and_then(Value::as_array);
    let problems: Vec<String> = problems.into_iter().flatten().map(problem).collect();
    let said = if problems.is_empty() {
        text("message").unwrap_or_default().to_owned()
    } else {
        problems.join("; ")
    };
    let hint = text("hint").map(|hint| format!(". {hint}")).unwrap_or_default();
    ErrorData::new(code, format!("{said}{hint}"), Some(body))
}

fn problem(problem: &Value) -> String {
    let text = |member: &str| problem.get(member).and_then(Value::as_str).unwrap_or_default();
    let example = problem.get("example").map(|example| format!(" (example: {example})")).unwrap_or_default();
    format!("{} {}{example}", text("field"), text("message"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_answered() {
        let error = catch::<()>(async { panic!("secret detail") }).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::INTERNAL_ERROR);
        assert!(!error.message.contains("secret"));
    }
}
