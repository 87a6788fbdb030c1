//! The contract's kinds of errors.

use serde::Serialize;

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
