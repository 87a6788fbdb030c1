//! What comes in: bodies within their limit, JSON objects field by field, ids out of paths.

use std::collections::HashMap;

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::refusal::Refusal;
use crate::domain::Email;

/// Longest body that is accepted, in bytes.
const MAX_BODY_BYTES: usize = 1 << 20;

/// How much of a longer body is read, in bytes, before the connection is given up.
const MAX_DISCARDED_BYTES: usize = 32 << 20;

const UNREADABLE: Refusal = Refusal::Malformed("the body could not be read");

const JSON: &str = "application/json";

/// Reads the body before anything is decided, so that every later step finds it whole.
///
/// A refusal that is sent while the client is still writing would be lost to clients that write first and
/// read afterwards. So the rest of what is too long is read too, and thrown away.
///
/// # Errors
/// [`Refusal::TooLarge`], or [`Refusal::Malformed`] when the client breaks off.
pub(super) async fn read_whole_body(request: Request, next: Next) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let mut chunks = body.into_data_stream();
    let (mut whole, mut length) = (BytesMut::new(), 0_usize);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| UNREADABLE)?;
        length = length.saturating_add(chunk.len());
        if length <= MAX_BODY_BYTES {
            whole.extend_from_slice(&chunk);
        } else if length > MAX_DISCARDED_BYTES {
            break;
        }
    }
    if length > MAX_BODY_BYTES {
        return Err(Refusal::TooLarge);
    }
    Ok(next.run(Request::from_parts(parts, whole.freeze().into())).await)
}

/// The body as [`read_whole_body`] left it.
pub(super) struct Body(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        Bytes::from_request(request, state).await.map(Self).map_err(|_| UNREADABLE)
    }
}

/// Whether the one `Content-Type` header names this media type, whatever its parameters.
pub(super) fn content_type_is(headers: &HeaderMap, media_type: &str) -> bool {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let essence = value.to_str().ok().and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(media_type))
}

/// The fields of a JSON object, read one by one so that every problem is named at once.
///
/// Fields that nobody asks for are ignored, however deep: they are skipped over, not built.
pub(super) struct Fields {
    raw: HashMap<String, Box<RawValue>>,
    problems: Vec<String>,
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        if !content_type_is(request.headers(), JSON) {
            return Err(Refusal::UnsupportedMediaType(JSON));
        }
        let Body(bytes) = Body::from_request(request, state).await?;
        let raw = serde_json::from_slice(&bytes)
            .map_err(|_| Refusal::Malformed("the body must be a well-formed JSON object"))?;
        Ok(Self { raw, problems: Vec::new() })
    }
}

impl Fields {
    /// A text that may be absent. It may not be null: the API description has no nullable field.
    pub(super) fn optional(&mut self, name: &'static str) -> Option<String> {
        let raw = self.raw.get(name)?;
        let text = serde_json::from_str(raw.get()).ok();
        if text.is_none() {
            self.problems.push(format!("{name} must be a string"));
        }
        text
    }

    /// A text that must be there. Stands empty after a problem, which [`finish`](Self::finish) reports.
    pub(super) fn required(&mut self, name: &'static str) -> String {
        if !self.raw.contains_key(name) {
            self.problems.push(format!("{name} is required"));
        }
        self.optional(name).unwrap_or_default()
    }

    /// An e-mail address that must be there.
    pub(super) fn required_email(&mut self, name: &'static str) -> String {
        let before = self.problems.len();
        let text = self.required(name);
        if self.problems.len() == before
            && let Err(invalid) = text.parse::<Email>()
        {
            self.problems.push(format!("{name} {invalid}"));
        }
        text
    }

    /// Whether all that was read is right.
    ///
    /// # Errors
    /// [`Refusal::InvalidFields`] with every problem.
    pub(super) fn finish(self) -> Result<(), Refusal> {
        if self.problems.is_empty() { Ok(()) } else { Err(Refusal::InvalidFields(self.problems)) }
    }
}

/// The ids in a path. One that cannot be decoded names nothing.
pub(super) struct Ids<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Ids<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let ids = Path::<T>::from_request_parts(parts, state).await;
        ids.map(|Path(ids)| Self(ids)).map_err(|_| Refusal::NotFound("path"))
    }
}
