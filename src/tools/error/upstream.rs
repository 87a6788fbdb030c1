//! What a failure of the upstream means to whoever called.

use super::{ErrorKind, Outcome, ToolError};
use crate::fintecture::{Failure, FailureKind, Reach};

/// What a call was about, for the words of its error.
#[derive(Debug, Clone, Copy)]
pub(in crate::tools) enum Context {
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
    pub(in crate::tools) const CUSTOMER: &'static str =
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
    /// What became of a call to the upstream.
    pub(in crate::tools) fn upstream(failure: Failure, context: Context) -> Self {
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
