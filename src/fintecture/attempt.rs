//! One request on its way: names it in every failure, and says how far it came.

use std::error::Error;
use std::iter::successors;

use bytes::BytesMut;
use reqwest::Response;

use super::body::{self, BodyError};
use super::credentials::Bearer;
use super::failure::{Failure, FailureKind, Reach, kind_of};
use super::retry::retry_after;

/// An attempt with the `X-Request-ID` that it goes by.
pub(super) struct Attempt {
    pub(super) request_id: String,
}

impl Attempt {
    pub(super) fn new(request_id: String) -> Self {
        Self { request_id }
    }

    /// A failure from elsewhere, in the name of this attempt.
    pub(super) fn named(&self, failure: Failure) -> Failure {
        Failure { request_id: Some(self.request_id.clone()), ..failure }
    }

    /// Ended before a byte left.
    pub(super) fn not_sent(&self, reason: impl Into<String>) -> Failure {
        Failure { reach: Reach::NotSent, request_id: None, ..self.unavailable(reason, None) }
    }

    /// Sent, and no answer came.
    pub(super) fn not_answered(&self, error: &reqwest::Error) -> Failure {
        // Without a connection no byte of the request can have left; everything else may have arrived.
        if error.is_connect() || error.is_builder() {
            let reason = format!("no connection to the upstream: {}", body::cause(error));
            return Failure { reach: Reach::NotSent, ..self.unavailable(reason, None) };
        }
        if is_given_back(error) {
            let reason = "the upstream gave the request back without a look at it";
            let reach = Reach::NotSent;
            return Failure { reach, is_given_back: true, ..self.unavailable(reason, None) };
        }
        if error.is_timeout() {
            return self.unavailable("the upstream did not answer in time", None);
        }
        self.unavailable(format!("the connection to the upstream broke: {}", body::cause(error)), None)
    }

    /// Answered, and the answer cannot be read to its end.
    pub(super) fn unreadable(&self, status: u16, error: &BodyError) -> Failure {
        let reason = match error {
            BodyError::TooLarge => "the upstream's answer is larger than 2 MiB",
            BodyError::TimedOut => "the upstream did not finish its answer in time",
            BodyError::Broken => "the upstream's answer broke off",
        };
        self.unavailable(reason, Some(status))
    }

    /// Answered with success, and something else than the operation returns.
    pub(super) fn undecodable(&self, status: Option<u16>) -> Failure {
        self.unavailable("the upstream's answer is not what this operation returns", status)
    }

    /// Answered with a status that is no success.
    pub(super) async fn refused(&self, response: Response, bearer: &Bearer) -> Failure {
        let status = response.status().as_u16();
        let kind = kind_of(status);
        let retry_after_seconds = retry_after(response.headers());
        // A refusal stays one, however its body ends: the status alone decides.
        let body = body::read(response).await.unwrap_or_else(|_| BytesMut::new());
        Failure {
            reach: if kind == FailureKind::Unavailable { Reach::Unknown } else { Reach::Refused },
            status: Some(status),
            detail: body::detail(&body, &[bearer.token()]),
            retry_after_seconds,
            request_id: Some(self.request_id.clone()),
            ..Failure::new(kind, format!("the upstream answered with status {status}"))
        }
    }

    fn unavailable(&self, reason: impl Into<String>, status: Option<u16>) -> Failure {
        Failure {
            status,
            request_id: Some(self.request_id.clone()),
            ..Failure::new(FailureKind::Unavailable, reason)
        }
    }
}

/// Whether the upstream has not looked at the request, in the words that HTTP/2 has for that: it ended the connection
/// before it came to this one (`GOAWAY`), or had too many at once (`REFUSED_STREAM`). RFC 9113, 8.7.
fn is_given_back(error: &reqwest::Error) -> bool {
    let mut causes = successors(error.source(), |&cause| cause.source());
    let said = causes.find_map(|cause| cause.downcast_ref::<h2::Error>());
    said.filter(|said| said.is_remote()).is_some_and(|said| match said.reason() {
        Some(h2::Reason::NO_ERROR) => said.is_go_away(),
        Some(h2::Reason::REFUSED_STREAM) => said.is_reset(),
        _ => false,
    })
}
