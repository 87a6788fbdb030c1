//! The handshake of the revisions that have one, and sessions of Streamable HTTP.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use http_body_util::{BodyExt, Full};
use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::answers;
use super::http::{Connection, head};

/// The revision of the handshake.
pub const REVISION: &str = "2025-11-25";
const SESSION: &str = "mcp-session-id";

/// The first message of a client.
pub fn initialize() -> Value {
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": REVISION, "capabilities": {}, "clientInfo": {"name": "bench", "version": "1.0.0"},
    }})
}

/// The second one.
pub fn initialized() -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/initialized"})
}

/// Fails where this does not answer [`initialize`] with its revision.
pub fn agreed(answer: &[u8]) -> anyhow::Result<()> {
    let answer: Value = serde_json::from_slice(answer)?;
    let agreed = answer.pointer("/result/protocolVersion").and_then(Value::as_str);
    ensure!(agreed == Some(REVISION), "no handshake: {answer}");
    Ok(())
}

/// Opens a session over this connection. Returns the head of the requests in it.
pub async fn open(connection: &mut Connection, address: SocketAddr) -> anyhow::Result<Parts> {
    let mut head = head("POST", "/mcp", address)?;
    let answer = connection.send(request(&head, &initialize())).await?;
    let session = answer.headers().get(SESSION).cloned();
    let body = answer.into_body().collect().await?.to_bytes();
    agreed(answers::data(&body)?)?;
    head.headers.insert(SESSION, session.context("the server opened no session")?);
    head.headers.insert("mcp-protocol-version", HeaderValue::from_static(REVISION));
    let (status, _) = connection.ask(request(&head, &initialized())).await?;
    ensure!(status == StatusCode::ACCEPTED, "the handshake ended with {status}");
    Ok(head)
}

/// Ends the session.
pub async fn close(connection: &mut Connection, head: &Parts) -> anyhow::Result<()> {
    let mut head = head.clone();
    head.method = Method::DELETE;
    let (status, _) = connection.ask(Request::from_parts(head, Full::default())).await?;
    ensure!(status.is_success(), "the session did not end: {status}");
    Ok(())
}

fn request(head: &Parts, message: &Value) -> Request<Full<hyper::body::Bytes>> {
    Request::from_parts(head.clone(), Full::new(message.to_string().into()))
}
