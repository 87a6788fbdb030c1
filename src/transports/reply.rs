//! The HTTP answers that are ours and not rmcp's, as JSON.

use axum::{
    Json,
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::json;
use tokio::time::timeout;

use super::{
    limits::{HttpLimits, RETRY_AFTER_SECONDS},
    message::Refusal,
};
use crate::measures;

pub(crate) fn error(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({"error": message}))).into_response()
}

/// 503 with the time after which to try again.
pub(crate) fn busy(message: &str) -> Response {
    later(StatusCode::SERVICE_UNAVAILABLE, message)
}

/// 429 with the time after which to try again.
pub(crate) fn too_many(message: &str) -> Response {
    later(StatusCode::TOO_MANY_REQUESTS, message)
}

fn later(status: StatusCode, message: &str) -> Response {
    let mut response = error(status, message);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
    response
}

/// 404, for a session that does not exist as for another principal's.
pub(crate) fn no_such_session() -> Response {
    error(StatusCode::NOT_FOUND, "no such session")
}

pub(crate) fn shutting_down() -> Response {
    busy("the server is shutting down")
}

/// 400 with a JSON-RPC error.
pub(crate) fn refused(refusal: &Refusal) -> Response {
    json_body(StatusCode::BAD_REQUEST, refusal.to_json())
}

pub(crate) fn json_body(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// The body of a POST that carries JSON, or the answer to one that does not.
pub(crate) async fn json_bytes(
    headers: &axum::http::HeaderMap,
    body: Body,
    limits: &HttpLimits,
) -> Result<Bytes, Response> {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Content-Type must be application/json"));
    }
    match timeout(limits.body_wait, Limited::new(body, limits.body_bytes).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(failure)) if failure.is::<LengthLimitError>() => {
            measures::limit_hit("request-bytes");
            Err(error(StatusCode::PAYLOAD_TOO_LARGE, Refusal::TOO_LARGE))
        }
        Ok(Err(_)) => Err(error(StatusCode::BAD_REQUEST, "the request body could not be read")),
        Err(_) => {
            measures::limit_hit("body-seconds");
            Err(error(StatusCode::REQUEST_TIMEOUT, "the request body took too long"))
        }
    }
}
