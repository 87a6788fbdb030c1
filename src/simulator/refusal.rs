//! Why a request is refused, and how that looks over HTTP.
//!
//! The shape is that of Fintecture's official SDKs: `{"errors": [{"status", "code", "title", "detail"}]}`.
//! No detail quotes what was sent: it may be personal data.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::wire::{Errors, OneError};

/// Seconds after which a caller may ask again when the memory is full. It will still be full, but a caller
/// that honours `Retry-After` must have something to honour.
const RETRY_WHEN_FULL: HeaderValue = HeaderValue::from_static("60");

/// A request that is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// The request cannot be understood.
    #[error("{0}")]
    Malformed(&'static str),
    /// The request is understood, and these fields are wrong, a sentence each.
    #[error("{}", .0.join("; "))]
    InvalidFields(Vec<String>),
    /// There is no bearer token.
    #[error("an Authorization header with one bearer token is required")]
    NoToken,
    /// There is a bearer token, and it opens nothing.
    #[error("the bearer token is not valid or has expired")]
    WrongToken,
    /// The application did not say who it is.
    #[error(
        "an Authorization header with Basic base64(app_id:app_secret) is required, app_id as in the form"
    )]
    UnknownApplication,
    /// There is no such thing, named here.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The path exists, the method on it does not.
    #[error("this path does not support this method; see Allow")]
    MethodNotAllowed,
    /// The body is not of the media type named here.
    #[error("the Content-Type must be {0}")]
    UnsupportedMediaType(&'static str),
    /// The body is too long.
    #[error("the body is over 1 MiB")]
    TooLarge,
    /// The request is not signed as it must be; this says why.
    #[error("{0}")]
    Signature(&'static str),
    /// A fault that was ordered: this status.
    #[error("the simulator was told to fail here (--fault)")]
    Ordered(StatusCode),
    /// No more records are kept.
    #[error("the simulator keeps no more records of this kind; start it again to empty it")]
    Full,
}

impl Refusal {
    fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
            Self::InvalidFields(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_field"),
            Self::NoToken | Self::WrongToken => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::UnknownApplication => (StatusCode::UNAUTHORIZED, "invalid_client"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::UnsupportedMediaType(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::Signature(_) => (StatusCode::UNAUTHORIZED, "invalid_signature"),
            Self::Ordered(status) => (*status, "ordered_fault"),
            Self::Full => (StatusCode::TOO_MANY_REQUESTS, "too_many_records"),
        }
    }

    fn details(&self) -> Vec<String> {
        match self {
            Self::InvalidFields(problems) => problems.clone(),
            other => vec![other.to_string()],
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code) = self.status_and_code();
        let title = status.canonical_reason().unwrap_or_default();
        let errors = self.details().into_iter().map(|detail| OneError {
            status: status.as_str().to_owned(),
            code,
            title,
            detail,
        });
        let mut response = (status, Json(Errors { errors: errors.collect() })).into_response();
        let (name, value) = match self {
            Self::NoToken => (header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            Self::WrongToken => {
                (header::WWW_AUTHENTICATE, HeaderValue::from_static(r#"Bearer error="invalid_token""#))
            }
            Self::UnknownApplication => {
                (header::WWW_AUTHENTICATE, HeaderValue::from_static(r#"Basic realm="simulator""#))
            }
            Self::Signature(_) => (header::WWW_AUTHENTICATE, HeaderValue::from_static("Signature")),
            Self::Full => (header::RETRY_AFTER, RETRY_WHEN_FULL),
            _ => return response,
        };
        response.headers_mut().insert(name, value);
        response
    }
}
