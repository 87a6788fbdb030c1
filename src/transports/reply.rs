//! The HTTP answers that are ours and not rmcp's, as JSON.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::json;
use tokio::time::timeout;

use super::{
    bodies::{Bodies, HeldBody},
    client,
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

pub(crate) fn json_body(status: StatusCode, body: impl Into<Body>) -> Response {
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body.into())
        .into_response()
}

/// The body of a POST that carries JSON, or the answer to one that does not. It counts as held for as long as any copy of
/// the request's head lives, which handlers see with its message.
pub(crate) async fn json_bytes(
    parts: &mut Parts,
    body: Body,
    limits: &HttpLimits,
    bodies: &Arc<Bodies>,
) -> Result<Bytes, Response> {
    let mut types = parts.headers.get_all(header::CONTENT_TYPE).iter();
    let content_type = types.next().and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") || types.next().is_some() {
        return Err(error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Content-Type must be application/json"));
    }
    if parts.headers.contains_key(header::CONTENT_ENCODING) {
        return Err(error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "a body without Content-Encoding is wanted"));
    }
    let mut held = bodies.begin(&client::principal(&parts.extensions));
    let read = timeout(limits.body_wait, read(Limited::new(body, limits.body_bytes), &mut held));
    // A body that never comes would hold up the end.
    let read = tokio::select! {
        biased;
        read = read => read,
        () = bodies.are_late() => return Err(shutting_down()),
    };
    let Ok(read) = read else {
        measures::limit_hit("body-seconds");
        return Err(error(StatusCode::REQUEST_TIMEOUT, "the request body took too long"));
    };
    parts.extensions.insert(Arc::new(held));
    read
}

async fn read(mut body: Limited<Body>, held: &mut HeldBody) -> Result<Bytes, Response> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => {
                let Ok(data) = frame.into_data() else { continue };
                held.grow(data.len())?;
                // Copied, since a short piece would hold on to all that was read with it.
                bytes.extend_from_slice(&data);
            }
            Err(failure) if failure.is::<LengthLimitError>() => {
                measures::limit_hit("request-bytes");
                return Err(error(StatusCode::PAYLOAD_TOO_LARGE, Refusal::TOO_LARGE));
            }
            Err(_) => return Err(error(StatusCode::BAD_REQUEST, "the request body could not be read")),
        }
    }
    Ok(bytes.freeze())
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, time::Duration};

    use axum::http::Request;
    use futures_util::{StreamExt, stream};
    use tokio::time::sleep;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::transports::limits::LAST_BODY_WAIT;

    /// What `json_bytes` says to a body of this length, and the head that goes on with it.
    async fn posted(bodies: &Arc<Bodies>, length: usize) -> (u16, Parts) {
        let request = Request::post("/mcp").header(header::CONTENT_TYPE, "application/json");
        let (mut parts, body) = request.body(Body::from(vec![b' '; length])).unwrap().into_parts();
        let answer = json_bytes(&mut parts, body, &HttpLimits::default(), bodies).await;
        let status = answer.map_or_else(
            |refused| refused.status().as_u16(),
            |bytes| {
                assert_eq!(bytes.len(), length);
                200
            },
        );
        (status, parts)
    }

    /// The rest of a body comes so long after the shutdown began.
    async fn arriving(after: Duration) -> Result<Bytes, Response> {
        let shutdown = CancellationToken::new();
        let bodies = Bodies::new(100, 100, shutdown.clone());
        let begin = stream::once(async move {
            shutdown.cancel();
            Ok::<_, Infallible>(Bytes::from_static(b"{"))
        });
        let rest = stream::once(async move {
            sleep(after).await;
            Ok(Bytes::from_static(b"}"))
        });
        let request = Request::post("/mcp").header(header::CONTENT_TYPE, "application/json");
        let (mut parts, body) = request.body(Body::from_stream(begin.chain(rest))).unwrap().into_parts();
        json_bytes(&mut parts, body, &HttpLimits::default(), &bodies).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_on_its_way_at_the_shutdown_has_a_little_time() {
        assert_eq!(arriving(LAST_BODY_WAIT / 2).await.unwrap(), "{}");
        assert_eq!(arriving(LAST_BODY_WAIT * 2).await.unwrap_err().status(), 503);
    }

    #[tokio::test]
    async fn a_body_counts_until_its_request_is_done_with() {
        let bodies = Bodies::new(100, 100, CancellationToken::new());
        let (first, parts) = posted(&bodies, 60).await;
        let with_a_handler = parts.clone();
        drop(parts);
        assert_eq!((first, posted(&bodies, 41).await.0), (200, 503));
        assert_eq!(posted(&bodies, 40).await.0, 200, "what was refused counts no more");
        drop(with_a_handler);
        assert_eq!(posted(&bodies, 100).await.0, 200);
    }
}
