//! The errors of the contract: kind, message, what to do next, and for writes whether anything was applied.
//! `kind` has the contract's words, `upstream` what a failure there means to an agent.

mod kind;
mod upstream;

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::domain::Scopes;
pub use kind::ErrorKind;
pub(super) use upstream::Context;

/// Whether a write took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It certainly did not.
    NotApplied,
    /// It may have.
    Unknown,
}

/// Problems that are told one by one: more than any tool has arguments. An answer must not outgrow its question.
const MAX_PROBLEMS: usize = 40;

/// What is wrong with one argument.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Problem {
    /// The argument's name.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
    /// A value that would be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Value>")]
    pub example: Option<Value>,
}

/// An error as an agent sees it, under `error` in the result. Members that do not apply are left out.
#[derive(Clone, Serialize, JsonSchema)]
pub struct ToolError {
    /// Which of the contract's kinds.
    #[schemars(with = "String")]
    pub kind: ErrorKind,
    /// What happened.
    pub message: String,
    /// Every argument that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Option<Vec<Problem>>")]
    pub problems: Vec<Problem>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The upstream's status, where it answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_status: Option<u16>,
    /// Whether the same call may succeed later without harm.
    pub retryable: bool,
    /// How long to wait before that, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
    /// The rights that the principal lacks, with spaces between them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub scope: Option<Scopes>,
    /// Where a person decides about the write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalPage>,
    /// The customer that is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// `X-Request-ID` of the last attempt, for Fintecture's support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// For writes: whether it took effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub outcome: Option<Outcome>,
}

/// The page of an approval that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ApprovalPage {
    /// For the person to open. It grants nothing by itself.
    pub url: String,
    /// Until when they can decide, RFC 3339 in UTC.
    pub expires_at: String,
}

// Messages may quote the upstream's words, so Debug, which ends up in logs, names the kind alone.
impl std::fmt::Debug for ToolError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ToolError").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl ToolError {
    pub(super) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            problems: Vec::new(),
            hint: None,
            upstream_status: None,
            retryable: false,
            retry_after_seconds: None,
            scope: None,
            approval: None,
            customer_id: None,
            request_id: None,
            outcome: None,
        }
    }

    /// One more sentence on what to do next.
    pub(super) fn add_hint(&mut self, sentence: &str) {
        let said = self.hint.take().map_or_else(|| sentence.to_owned(), |hint| format!("{hint} {sentence}"));
        self.hint = Some(said);
    }

    pub(super) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Something of ours went wrong.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
            .with_hint("This is a fault of fintecture-mcp. Tell the operator; its log says more.")
    }

    /// The call failed inside the server; a write may have been sent before that.
    pub(crate) fn panicked(write: bool) -> Self {
        let error = Self::internal("the call failed inside the server");
        Self { outcome: write.then_some(Outcome::Unknown), ..error }
    }

    /// The audit trail cannot be written, and what must be on record must not happen. `is_unsent`: it was a write, which
    /// was not sent.
    pub(crate) fn unrecorded(is_unsent: bool) -> Self {
        let said = if is_unsent {
            "the audit trail cannot be written: nothing was sent"
        } else {
            "the audit trail cannot be written, so this answer must not be given"
        };
        let error = Self::new(ErrorKind::Internal, said).with_hint(
            "Tell the operator: the server's log says why the trail cannot be written. Once it can be, the same call works.",
        );
        Self { retryable: true, outcome: is_unsent.then_some(Outcome::NotApplied), ..error }
    }

    /// A write whose task is gone: nobody knows how far it came.
    pub(crate) fn lost() -> Self {
        let error =
            Self::new(ErrorKind::OutcomeUnknown, "the server ended before it knew what became of the write")
                .with_hint("The write may have been applied. List what exists before you try again.");
        Self { outcome: Some(Outcome::Unknown), ..error }
    }

    /// A write while an operator has stopped them.
    pub(crate) fn writes_stopped() -> Self {
        let error = Self::new(ErrorKind::ReadOnly, "the operator has stopped all writes: nothing was sent")
            .with_hint("Reading goes on. Ask the operator when writes will be let through again.");
        Self { outcome: Some(Outcome::NotApplied), ..error }
    }

    /// No room to remember another write; without that it could be sent twice.
    pub(crate) fn too_many_writes(kept_for: Duration) -> Self {
        let error =
            Self::new(ErrorKind::RateLimited, "the server has sent too many writes lately: nothing was sent")
                .with_hint("Wait for retry_after_seconds, then call again.");
        let outcome = Some(Outcome::NotApplied);
        Self { retryable: true, retry_after_seconds: Some(kept_for.as_secs()), outcome, ..error }
    }

    /// A customer with this `external_id` is there already.
    pub(super) fn exists(customer_id: String) -> Self {
        let error = Self::new(ErrorKind::Conflict, "a customer with this external_id exists already: nothing was written")
            .with_hint("Read customer_id with manage_customers get, and work with that customer instead of creating it again.");
        Self { customer_id: Some(customer_id), outcome: Some(Outcome::NotApplied), ..error }
    }

    /// A write on a server that was started read-only.
    pub(crate) fn read_only() -> Self {
        let error = Self::new(ErrorKind::ReadOnly, "this server is read-only: nothing was sent")
            .with_hint("Only reading actions work here. Ask the operator if this write is needed.");
        Self { outcome: Some(Outcome::NotApplied), ..error }
    }

    /// Arguments that are wrong; `write` where the action is known to be one.
    pub(super) fn invalid_input(mut problems: Vec<Problem>, write: bool) -> Self {
        if problems.len() > MAX_PROBLEMS {
            let more = format!("{} more arguments are wrong, too", problems.len() - MAX_PROBLEMS);
            problems.truncate(MAX_PROBLEMS);
            problems.push(Problem { field: "…".to_owned(), message: more, example: None });
        }
        let fields: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
        let error = Self::new(ErrorKind::InvalidInput, format!("nothing was sent: wrong {}", fields.join(", ")))
            .with_hint("Correct every argument in problems and call again. Ask the person for values that you do not know.");
        Self { problems, outcome: write.then_some(Outcome::NotApplied), ..error }
    }
}
