//! The HTTP status of each kind of error, and when it comes: the one table, for answers and for their description.

use axum::http::StatusCode;

use crate::tools::ErrorKind;

/// The HTTP status that a kind of error is answered with.
#[must_use]
pub fn status(kind: ErrorKind) -> StatusCode {
    StatusCode::from_u16(row(kind).0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// When a kind of error comes.
pub(super) fn when(kind: ErrorKind) -> &'static str {
    row(kind).1
}

fn row(kind: ErrorKind) -> (u16, &'static str) {
    match kind {
        ErrorKind::InvalidInput => {
            (422, "the body or arguments are wrong, every problem is listed; nothing was sent")
        }
        ErrorKind::NotFound => (404, "the upstream has no such record, or this server no such tool"),
        ErrorKind::Conflict => (409, "it clashes with what is there already; customer_id may name it"),
        ErrorKind::RateLimited => (429, "too many calls, by the upstream's limits or by this server's"),
        ErrorKind::ReadOnly => (403, "writes are turned off here"),
        ErrorKind::InsufficientScope => (403, "the caller lacks the right in scope"),
        ErrorKind::ConfirmationRequired => {
            (428, "a person has to approve first: give them approval.url, wait, and send the same again")
        }
        ErrorKind::Declined => (409, "the person said no"),
        ErrorKind::Cancelled => {
            (499, "the call was given up, by whoever made it or by the person asked; nothing was sent")
        }
        ErrorKind::Unauthorized => (502, "the upstream refused this server's credentials"),
        ErrorKind::Forbidden => (502, "the upstream refuses this server's credentials the right for it"),
        ErrorKind::UpstreamRejected => (502, "the upstream rejected the request and says why"),
        ErrorKind::UpstreamUnavailable => {
            (503, "the upstream did not answer, or not as it should; nothing was applied")
        }
        ErrorKind::OutcomeUnknown => {
            (504, "nobody knows whether the write was applied: find out before sending it again")
        }
        ErrorKind::Internal => (500, "a fault of this server"),
    }
}
