//! One face for the three ways in, for tests about protocol revisions: JSON-RPC messages out, messages back.

use std::sync::Arc;

use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use url::Url;

use super::http_server::{HttpServer, http};
use super::in_time;
use super::legacy_sse::{self, Events};
use super::pipe::Pipe;
use super::setup::Setup;

/// The revisions that begin with `initialize`.
pub(crate) const OLDER: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
/// The revision without a handshake: every request carries what the server has to know.
pub(crate) const STATELESS: &str = "2026-07-28";

/// An open connection, with the server behind it.
pub(crate) enum Wire {
    Stdio(Box<Pipe>),
    Http { server: Arc<HttpServer>, session: Option<String>, revision: Option<String> },
    LegacySse { _server: Option<Box<HttpServer>>, events: Box<Events>, messages: Url },
}

/// One connection of each kind, each with a simulator of its own.
pub(crate) async fn each() -> Vec<(&'static str, Wire)> {
    let setup = Setup::simulator();
    let server = setup.http().await;
    let mut legacy_sse = Wire::legacy_sse(&server).await;
    if let Wire::LegacySse { _server: kept, .. } = &mut legacy_sse {
        *kept = Some(Box::new(server));
    }
    vec![
        ("stdio", Wire::Stdio(Box::new(setup.pipe()))),
        ("http", Wire::http(Arc::new(setup.http().await))),
        ("legacy sse", legacy_sse),
    ]
}

/// What a stateless request carries beside its parameters, where they do not say it themselves.
pub(crate) fn stateless(mut params: Value) -> Value {
    let mut meta = json!({
        "io.modelcontextprotocol/protocolVersion": STATELESS,
        "io.modelcontextprotocol/clientInfo": {"name": "wire", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    if let Some(own) = params.get("_meta").and_then(Value::as_object) {
        meta.as_object_mut().unwrap().extend(own.clone());
    }
    params["_meta"] = meta;
    params
}

/// A stateless request over HTTP with the headers that it needs, still to be sent.
pub(crate) fn stateless_request(server: &HttpServer, method: &str, params: Value) -> RequestBuilder {
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": stateless(params)});
    let request = http().post(server.url("/mcp")).header("accept", "application/json, text/event-stream");
    repeating_in_headers(request.json(&message), &message)
}

/// What a stateless message says of itself must stand in its headers, too.
fn repeating_in_headers(mut request: RequestBuilder, message: &Value) -> RequestBuilder {
    request = request.header("mcp-method", message["method"].as_str().unwrap());
    let params = &message["params"];
    let version = &params["_meta"]["io.modelcontextprotocol/protocolVersion"];
    request = request.header("mcp-protocol-version", version.as_str().unwrap());
    let name = ["name", "uri", "taskId"].iter().find_map(|name| params.get(name)?.as_str());
    match name {
        Some(name) => request.header("mcp-name", name),
        None => request,
    }
}

impl Wire {
    /// Streamable HTTP, without a session yet.
    pub(crate) fn http(server: Arc<HttpServer>) -> Self {
        Self::Http { server, session: None, revision: None }
    }

    /// A session of legacy SSE of its own.
    pub(crate) async fn legacy_sse(server: &HttpServer) -> Self {
        let (events, messages) = legacy_sse::open(&server.url("/sse")).await;
        Self::LegacySse { _server: None, events: Box::new(events), messages }
    }

    /// Shakes hands at this revision. Returns the result of `initialize`.
    pub(crate) async fn initialize(&mut self, revision: &str) -> Value {
        let params = json!({
            "protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "wire", "version": "1"},
        });
        let answer = self.request("initialize", params).await;
        if let Self::Http { revision: agreed, .. } = self {
            *agreed = answer["result"]["protocolVersion"].as_str().map(str::to_owned);
        }
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}), 0).await;
        answer["result"].clone()
    }

    /// Sends a request. Returns its answer.
    pub(crate) async fn request(&mut self, method: &str, params: Value) -> Value {
        let request = json!({"jsonrpc": "2.0", "id": method, "method": method, "params": params});
        let answer = self.send(&request, 1).await.remove(0);
        assert_eq!(answer["id"], method, "{answer}");
        answer
    }

    /// Sends a message, or a batch of them. Returns so many messages of the server.
    pub(crate) async fn send(&mut self, message: &Value, answers: usize) -> Vec<Value> {
        let mut got = Vec::new();
        match self {
            Self::Stdio(pipe) => {
                pipe.write(&message.to_string()).await;
                while got.len() < answers {
                    take(pipe.read().await.expect("the server ended instead of answering"), &mut got);
                }
            }
            Self::Http { server, session, revision } => {
                let response = post(server, session.as_deref(), revision.as_deref(), message).await;
                if let Some(id) = response.headers().get("mcp-session-id") {
                    *session = Some(id.to_str().unwrap().to_owned());
                }
                if answers == 0 {
                    assert_eq!(response.status(), StatusCode::ACCEPTED);
                } else if response.headers()["content-type"] == "text/event-stream" {
                    let mut events = Events::of(response);
                    while got.len() < answers {
                        let event =
                            in_time(events.next()).await.expect("the stream ended instead of answering");
                        take(serde_json::from_str(&event.data).unwrap(), &mut got);
                    }
                } else {
                    take(response.json().await.unwrap(), &mut got);
                }
            }
            Self::LegacySse { events, messages, .. } => {
                let posted = in_time(http().post(messages.clone()).json(message).send()).await.unwrap();
                assert_eq!(posted.status(), StatusCode::ACCEPTED);
                while got.len() < answers {
                    let event = in_time(events.next()).await.expect("the stream ended instead of answering");
                    assert_eq!(event.name, "message");
                    take(serde_json::from_str(&event.data).unwrap(), &mut got);
                }
            }
        }
        assert_eq!(got.len(), answers, "{got:?}");
        got
    }
}

/// A batch may be answered by an array, or by one message after the other.
fn take(message: Value, got: &mut Vec<Value>) {
    match message {
        Value::Array(messages) => got.extend(messages),
        message => got.push(message),
    }
}

async fn post(
    server: &HttpServer,
    session: Option<&str>,
    revision: Option<&str>,
    message: &Value,
) -> Response {
    let mut request =
        http().post(server.url("/mcp")).header("accept", "application/json, text/event-stream").json(message);
    if let Some(session) = session {
        request = request.header("mcp-session-id", session);
    }
    let is_stateless = message.pointer("/params/_meta/io.modelcontextprotocol~1protocolVersion").is_some();
    if is_stateless {
        request = repeating_in_headers(request, message);
    } else if let Some(revision) = revision {
        request = request.header("mcp-protocol-version", revision);
    }
    in_time(request.send()).await.unwrap()
}
