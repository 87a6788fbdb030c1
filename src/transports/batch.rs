//! A JSON-RPC batch over Streamable HTTP, as 2025-03-26 has it: its messages are served one by one, and what they
//! answer is merged into one response.
//!
//! Knows HTTP responses and event streams. Knows nothing of sessions; whether a batch is welcome is decided before.

use std::{collections::HashSet, convert::Infallible, future::ready};

use axum::{
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use http_body_util::{BodyExt, BodyStream, combinators::BoxBody};
use rmcp::model::JsonRpcMessage;
use serde_json::value::RawValue;

use super::{
    message::{self, Refusal},
    reply,
};

type Answer = axum::http::Response<BoxBody<Bytes, Infallible>>;

/// What a member of the batch came to.
enum Outcome {
    /// A notification or a response: nothing to say.
    Accepted,
    /// One message.
    Message(String),
    /// The events of a call, its answer the last.
    Events(BoxStream<'static, Bytes>),
}

/// Serves the members in order through `forward`.
pub(crate) async fn serve<F>(members: &[Box<RawValue>], forward: impl Fn(Bytes) -> F) -> Response
where
    F: Future<Output = Answer>,
{
    let (mut messages, mut streams, mut ids) = (Vec::new(), Vec::new(), HashSet::new());
    for raw in members {
        let outcome = match message::read_member(raw) {
            Err(refusal) => Outcome::Message(refusal.to_json()),
            // rmcp would route both answers to one stream and leave the other open for ever.
            Ok(message) if matches!(message.as_ref(), JsonRpcMessage::Request(request) if !ids.insert(request.id.clone())) => {
                Outcome::Message(Refusal::duplicate_id().to_json())
            }
            Ok(_) => outcome(forward(Bytes::copy_from_slice(raw.get().as_bytes())).await).await,
        };
        match outcome {
            Outcome::Accepted => {}
            Outcome::Message(text) => messages.push(text),
            Outcome::Events(events) => streams.push(events),
        }
    }
    if !streams.is_empty() {
        let events = stream::iter(messages).map(|text| Bytes::from(format!("data: {text}\n\n"))).boxed();
        let merged = stream::select_all(streams.into_iter().chain([events])).map(Ok::<_, Infallible>);
        let headers = [
            (header::CONTENT_TYPE.as_str(), "text/event-stream"),
            (header::CACHE_CONTROL.as_str(), "no-cache"),
            ("x-accel-buffering", "no"),
        ];
        return (headers, Body::from_stream(merged)).into_response();
    }
    if messages.is_empty() {
        return StatusCode::ACCEPTED.into_response();
    }
    // Nothing but refusals, which a batch has in common with any other bad request.
    reply::json_body(StatusCode::BAD_REQUEST, format!("[{}]", messages.join(",")))
}

async fn outcome(answer: Answer) -> Outcome {
    let status = answer.status();
    if status == StatusCode::ACCEPTED {
        return Outcome::Accepted;
    }
    let is_stream = answer
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    if is_stream {
        // One frame of rmcp's body is one event, so that frames may be interleaved.
        let frames = BodyStream::new(answer.into_body());
        return Outcome::Events(
            frames.filter_map(|frame| ready(frame.ok().and_then(|frame| frame.into_data().ok()))).boxed(),
        );
    }
    let Ok(body) = answer.into_body().collect().await;
    match String::from_utf8(body.to_bytes().into()) {
        Ok(text) if serde_json::from_str::<&RawValue>(&text).is_ok() => Outcome::Message(text),
        _ => Outcome::Message(Refusal::invalid("the message was refused").to_json()),
    }
}
