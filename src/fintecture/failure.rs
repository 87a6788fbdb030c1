//! Why a call to the upstream did not bring a result, and whether it may have been applied all the same.

use std::fmt;

/// What went wrong, in the words of the contract's error kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// 401: the credential was refused.
    Unauthorized,
    /// 403: the credential lacks a right.
    Forbidden,
    /// 404: no such customer, account or verification.
    NotFound,
    /// 409: it clashes with what is there.
    Conflict,
    /// 429: too many requests.
    RateLimited,
    /// Any other 4xx.
    Rejected,
    /// The operator has stopped writes; this one did not leave.
    Stopped,
    /// The call was given up; the write did not leave.
    GivenUp,
    /// 5xx, 3xx, 408, 425, network, timeout, or an answer that cannot be read.
    Unavailable,
}

impl FailureKind {
    /// A word for it, for traces.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::RateLimited => "rate_limited",
            Self::Rejected => "rejected",
            Self::Stopped => "stopped",
            Self::GivenUp => "given_up",
            Self::Unavailable => "unavailable",
        }
    }
}

/// How far a request came: what decides whether a write may have been applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It never left (connection refused, DNS, TLS), or the upstream gave it back without a look.
    NotSent,
    /// The upstream answered that it did not do it (a 4xx).
    Refused,
    /// It may have arrived and been applied.
    Unknown,
}

/// A call that brought no result. Holds no personal data except in `detail`, which is the upstream's.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong.
    pub kind: FailureKind,
    /// How far the request came.
    pub reach: Reach,
    /// In our words, without the upstream's: fit for a log.
    pub reason: String,
    /// The status of the answer, where one came.
    pub status: Option<u16>,
    /// What the upstream says about it: one line, cut at 500 characters.
    pub detail: Option<String>,
    /// What `Retry-After` asks for, in seconds.
    pub retry_after_seconds: Option<u64>,
    /// `X-Request-ID` of the attempt, where one was made.
    pub request_id: Option<String>,
    /// Whether the request was not even tried, because trying has been in vain for a while.
    pub(super) is_fail_fast: bool,
    /// Whether the upstream said itself that it did not look at the request: it is there, and may be asked again.
    pub(super) is_given_back: bool,
}

impl Failure {
    /// A failure that may have come far, with nothing known beside its reason.
    pub(super) fn new(kind: FailureKind, reason: impl Into<String>) -> Self {
        Self {
            kind,
            reach: Reach::Unknown,
            reason: reason.into(),
            status: None,
            detail: None,
            retry_after_seconds: None,
            request_id: None,
            is_fail_fast: false,
            is_given_back: false,
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("kind", &self.kind)
            .field("reach", &self.reach)
            .field("reason", &self.reason)
            .field("status", &self.status)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}

/// The kind of an answer that is no success.
pub(super) fn kind_of(status: u16) -> FailureKind {
    match status {
        401 => FailureKind::Unauthorized,
        403 => FailureKind::Forbidden,
        404 => FailureKind::NotFound,
        408 | 425 => FailureKind::Unavailable,
        409 => FailureKind::Conflict,
        429 => FailureKind::RateLimited,
        400..=499 => FailureKind::Rejected,
        _ => FailureKind::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_the_kind_of_the_contract() {
        assert_eq!(kind_of(401), FailureKind::Unauthorized);
        assert_eq!(kind_of(403), FailureKind::Forbidden);
        assert_eq!(kind_of(404), FailureKind::NotFound);
        assert_eq!(kind_of(409), FailureKind::Conflict);
        assert_eq!(kind_of(429), FailureKind::RateLimited);
        for rejected in [400, 402, 405, 410, 415, 418, 422, 451, 499] {
            assert_eq!(kind_of(rejected), FailureKind::Rejected, "{rejected}");
        }
        for unavailable in [301, 302, 304, 307, 408, 425, 500, 502, 503, 504, 599] {
            assert_eq!(kind_of(unavailable), FailureKind::Unavailable, "{unavailable}");
        }
    }
}
