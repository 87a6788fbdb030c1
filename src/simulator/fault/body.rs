//! Spoils the body of an answer whose request was carried out.

use std::io;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::body::Body;
use axum::http::response::Parts;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::kind::Spoilt;
use crate::simulator::clock::Clock;

/// Bytes that are neither JSON nor text.
const GARBAGE: &[u8] = b"\x00\xff\xfe\x9d<<< not JSON >>>\x80";

/// What a gateway shows to people.
const HTML: &str =
    "<!DOCTYPE html><html><head><title>Please wait</title></head><body>Please wait.</body></html>";

/// Most pieces a second of a body that comes slowly.
const PIECES_PER_SECOND: u32 = 10;

/// The answer with its body spoilt. Status and headers stay as far as they can.
pub(super) async fn spoil(response: Response, how: Spoilt) -> Response {
    let (mut parts, body) = whole(response).await;
    let half = body.slice(..body.len() / 2);
    let body = match how {
        Spoilt::Truncated => {
            parts.headers.insert(header::CONTENT_LENGTH, body.len().into());
            broken_off(half)
        }
        Spoilt::TruncatedChunks => {
            parts.headers.remove(header::CONTENT_LENGTH);
            broken_off(half)
        }
        Spoilt::Garbage => replaced(&mut parts, Bytes::from_static(GARBAGE)),
        Spoilt::Html => {
            parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            replaced(&mut parts, Bytes::from_static(HTML.as_bytes()))
        }
        Spoilt::HalfJson => replaced(&mut parts, half),
        Spoilt::Empty => replaced(&mut parts, Bytes::new()),
    };
    Response::from_parts(parts, body)
}

/// The answer with its body at so many bytes a second, by this clock.
pub(super) async fn trickle(response: Response, rate: NonZeroU32, clock: Clock) -> Response {
    let (mut parts, body) = whole(response).await;
    parts.headers.insert(header::CONTENT_LENGTH, body.len().into());
    let piece = rate.get().div_ceil(PIECES_PER_SECOND);
    let pause = Duration::from_secs(u64::from(piece)) / rate.get();
    let piece = usize::try_from(piece).unwrap_or(usize::MAX);
    let pieces = stream::unfold((body, clock), move |(mut left, clock)| async move {
        if left.is_empty() {
            return None;
        }
        clock.sleep(pause).await;
        let next = left.split_to(piece.min(left.len()));
        Some((Ok::<_, io::Error>(next), (left, clock)))
    });
    Response::from_parts(parts, Body::from_stream(pieces))
}

/// The whole body of an answer. The simulator's own answers are in memory: reading them cannot fail.
async fn whole(response: Response) -> (Parts, Bytes) {
    let (parts, body) = response.into_parts();
    (parts, axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default())
}

/// Another body; the server works out its length.
fn replaced(parts: &mut Parts, body: Bytes) -> Body {
    parts.headers.remove(header::CONTENT_LENGTH);
    body.into()
}

/// A body that fails after this much, which makes the server end the connection.
fn broken_off(sent: Bytes) -> Body {
    let failure = async {
        // The server writes out what it has when nothing more is ready; failing at once would lose it.
        tokio::task::yield_now().await;
        Err(io::ErrorKind::UnexpectedEof.into())
    };
    Body::from_stream(stream::once(async { Ok::<_, io::Error>(sent) }).chain(stream::once(failure)))
}
