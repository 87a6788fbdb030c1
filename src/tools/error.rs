//! The errors of the contract: kind, message, what to do next, and for writes whether anything was applied.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::domain::Scopes;
use crate::fintecture::{Failure, FailureKind, Reach};

/// What kind of error an agent is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the contract's table of kinds explains them")]
pub enum ErrorKind {
    InvalidInput,
    Unauthorized,
    Forbidden,
    NotFound,
    Conflict,
    RateLimited,
    InsufficientScope,
    UpstreamRejected,
    UpstreamUnavailable,
    OutcomeUnknown,
    ReadOnly,
    ConfirmationRequired,
    Declined,
    Cancelled,
    Internal,
}

impl ErrorKind {
    /// Every kind there is.
    pub const ALL: [Self; 15] = [
        Self::InvalidInput,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::Conflict,
        Self::RateLimited,
        Self::InsufficientScope,
        Self::UpstreamRejected,
        Self::UpstreamUnavailable,
        Self::OutcomeUnknown,
        Self::ReadOnly,
        Self::ConfirmationRequired,
        Self::Declined,
        Self::Cancelled,
        Self::Internal,
    ];

    /// The kind of this word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The word of the contract.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid_input",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::RateLimited => "rate_limited",
            Self::InsufficientScope => "insufficient_scope",
            Self::UpstreamRejected => "upstream_rejected",
            Self::UpstreamUnavailable => "upstream_unavailable",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::ReadOnly => "read_only",
            Self::ConfirmationRequired => "confirmation_required",
            Self::Declined => "declined",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }
}

// A kind more than the list has does not compile.
const _: () = assert!(ErrorKind::ALL.len() == ErrorKind::Internal as usize + 1);

impl Serialize for ErrorKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

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

/// What a call was about, for the words of its error.
#[derive(Debug, Clone, Copy)]
pub(super) enum Context {
    /// The list of customers.
    Customers,
    /// One customer, or something directly below one.
    Customer,
    /// One account of a customer.
    BankAccount,
    /// One verification of a customer.
    Verification,
    /// A look-up before a write, which was not sent.
    BeforeWrite,
    /// A look-up of what a write is for; the write was not sent. Holds what a 404 would mean.
    BeforeWriteTo(&'static str),
    /// A write: how to find out whether it was applied, and what a 404 would mean.
    Write { find: &'static str, parent: Option<&'static str> },
}

impl Context {
    /// What to do where a customer is not found.
    pub(super) const CUSTOMER: &'static str =
        "No customer has this customer_id. Take it from a result of manage_customers list; do not guess it.";

    fn not_found(self) -> &'static str {
        match self {
            Self::Customer => Self::CUSTOMER,
            Self::BankAccount => {
                "This customer has no such account, or there is no such customer. Take customer_id from \
                 manage_customers list, then account_id from manage_bank_accounts list."
            }
            Self::Verification => {
                "This customer has no such verification, or there is no such customer. Take customer_id from \
                 manage_customers list, then verification_id from verify_identity list."
            }
            Self::Write { parent: Some(parent), .. } | Self::BeforeWriteTo(parent) => parent,
            Self::Customers | Self::BeforeWrite | Self::Write { parent: None, .. } => {
                "The upstream does not know this path. Tell the operator to check the base URL and the capability files."
            }
        }
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

    /// What became of a call to the upstream.
    pub(super) fn upstream(failure: Failure, context: Context) -> Self {
        let write =
            matches!(context, Context::Write { .. } | Context::BeforeWrite | Context::BeforeWriteTo(_));
        let said = failure.detail.map_or_else(String::new, |detail| format!(". It says: {detail}"));
        let message = format!("{}{said}", failure.reason);
        let error = match failure.kind {
            FailureKind::Unauthorized => Self::new(ErrorKind::Unauthorized, message).with_hint(
                "This server's credentials were refused. Trying again does not help: tell the operator to check \
                 FINTECTURE_CUSTOMER_TOKEN (or FINTECTURE_APP_ID and FINTECTURE_APP_SECRET) and the environment.",

            ),
            FailureKind::Forbidden => Self::new(ErrorKind::Forbidden, message).with_hint(
                "This server's credential lacks the right for that. Trying again does not help: tell the operator.",
            ),
            FailureKind::NotFound => Self::new(ErrorKind::NotFound, message).with_hint(context.not_found()),
            FailureKind::Conflict => Self::new(ErrorKind::Conflict, message)
                .with_hint("It clashes with what is there already. List what exists and use that instead of creating it again."),
            FailureKind::RateLimited => Self {
                retryable: true,
                ..Self::new(ErrorKind::RateLimited, message)
                    .with_hint("Wait for retry_after_seconds, or a minute where none is given, then call again.")
            },
            FailureKind::Stopped => Self::writes_stopped(),
            FailureKind::GivenUp => Self::given_up(true),
            FailureKind::Rejected => Self::new(ErrorKind::UpstreamRejected, message)
                .with_hint("Read what the upstream says, correct the arguments, and do not send the same again."),
            FailureKind::Unavailable => Self::unavailable(message, failure.reach, context),
        };
        Self {
            upstream_status: failure.status,
            retry_after_seconds: failure.retry_after_seconds,
            request_id: failure.request_id,
            outcome: error.outcome.or(write.then_some(Outcome::NotApplied)),
            ..error
        }
    }

    fn unavailable(message: String, reach: Reach, context: Context) -> Self {
        match context {
            Context::Write { find, .. } if reach != Reach::NotSent => {
                let error = Self::new(ErrorKind::OutcomeUnknown, message).with_hint(format!(
                    "The write may have been applied. Do not repeat it yet: first {find}. Only when it is certainly \
                     not there, and some time has passed, ask the person and try again."
                ));
                Self { outcome: Some(Outcome::Unknown), ..error }
            }
            Context::BeforeWrite | Context::BeforeWriteTo(_) => Self {
                retryable: true,
                ..Self::new(ErrorKind::UpstreamUnavailable, message).with_hint(
                    "The look-up before the write failed, so the write was not sent. Try again in some seconds.",
                )
            },
            Context::Write { .. } => Self {
                retryable: true,
                ..Self::new(ErrorKind::UpstreamUnavailable, message).with_hint(
                    "Nothing was applied. Try again in some seconds.",
                )
            },
            _ => Self {
                retryable: true,
                ..Self::new(ErrorKind::UpstreamUnavailable, message).with_hint(
                    "Reading changes nothing: try again in some seconds; if it stays so, tell the operator.",
                )
            },
        }
    }
}
