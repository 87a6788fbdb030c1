//! What a call comes to, and its line in the log.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::caller::Caller;
use super::tasks::Task;
use super::waiting::Waited;
use crate::fintecture::CallContext;
use crate::tools::{self, Fields, ToolError, Tools};
use crate::traces;

/// The answer to a tool call, ready for any protocol.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The result's JSON object: `{action, environment, ...}`, or the same with `error`.
    pub body: Value,
    /// Whether it is an error.
    pub is_error: bool,
}

// A reply is full of personal data: its contents never reach a log by way of Debug.
impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply").field("is_error", &self.is_error).finish_non_exhaustive()
    }
}

/// What a call came to.
#[derive(Debug, Clone)]
pub enum Answer {
    /// It is done.
    Reply(Reply),
    /// The caller's [`Person`](super::Person) has a question that leaves with the answer; the client calls again with theirs.
    Asked,
    /// It waits for a verdict, and the client follows that by itself.
    Task(Task),
}

pub(super) fn reply(tools: &Tools, action: &str, outcome: Result<Fields, ToolError>) -> Reply {
    match outcome {
        Ok(fields) => Reply { body: tools::envelope(action, tools.environment(), fields), is_error: false },
        Err(error) => refusal(tools, Some(action), &error),
    }
}

pub(super) fn refusal(tools: &Tools, action: Option<&str>, error: &ToolError) -> Reply {
    Reply { body: tools::error_envelope(action, tools.environment(), error), is_error: true }
}

impl Answer {
    /// What it came to, in a word: of the contract, where it is an error.
    pub(super) fn outcome(&self) -> &str {
        match self {
            Self::Asked => "asked",
            Self::Task(_) => "task",
            Self::Reply(Reply { body, .. }) => {
                body.pointer("/error/kind").and_then(Value::as_str).unwrap_or("success")
            }
        }
    }

    pub(super) fn is_error(&self) -> bool {
        matches!(self, Self::Reply(reply) if reply.is_error)
    }

    pub(super) fn is_repeated(&self) -> bool {
        matches!(self, Self::Reply(reply) if reply.body.get("repeated").is_some())
    }
}

#[expect(clippy::too_many_arguments, reason = "a log line says many things")]
pub(super) fn log(
    tool: &str,
    action: &str,
    caller: &Caller,
    answer: &Answer,
    waited: Option<&Waited>,
    context: &CallContext,
    place: &traces::Place,
    elapsed: Duration,
) {
    let seen = context.seen();
    tracing::info!(
        tool,
        action,
        face = caller.origin.face.as_str(),
        principal = caller.principal.name,
        outcome = answer.outcome(),
        repeated = answer.is_repeated(),
        status = seen.status,
        attempts = seen.attempts,
        wait = waited.map(|waited| waited.ended.as_str()),
        looks = waited.map(|waited| waited.seen.looks),
        milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        request_id = seen.request_id,
        trace_id = place.trace_id(),
        "tool call"
    );
}
