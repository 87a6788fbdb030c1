//! What is sent to the server, and by how many at a time. Every answer is looked at.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST};
use hyper::http::{HeaderMap, Request, StatusCode, request};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// The revision that has no sessions.
const STATELESS: &str = "2026-07-28";

/// A connection to the server.
pub(crate) struct Client {
    address: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { address, sender })
    }

    /// Sends a request and reads the answer to its end.
    pub(crate) async fn send(&mut self, request: request::Builder, body: Bytes) -> anyhow::Result<Answer> {
        let request = request.header(HOST, self.address.to_string()).body(Full::new(body))?;
        self.sender.ready().await?;
        let (head, body) = self.sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    /// Calls a tool at 2026-07-28. `token` is for the server's own door.
    pub(crate) async fn call(&mut self, call: &Call, token: Option<&str>) -> anyhow::Result<Answer> {
        let mut request = post()
            .header("mcp-protocol-version", STATELESS)
            .header("mcp-method", "tools/call")
            .header("mcp-name", call.tool);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let answer = self.send(request, call.body.clone()).await?;
        let text = answer.text()?;
        ensure!(
            answer.status == StatusCode::OK && text.contains(&call.wants),
            "a wrong answer: {} {text}, not {}",
            answer.status,
            call.wants
        );
        Ok(answer)
    }
}

impl Answer {
    pub(crate) fn text(&self) -> anyhow::Result<&str> {
        Ok(std::str::from_utf8(&self.body)?)
    }
}

/// A POST of a message.
pub(crate) fn post() -> request::Builder {
    Request::post("/mcp")
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "application/json, text/event-stream")
}

/// A tool call, and what its answer must hold.
pub(crate) struct Call {
    tool: &'static str,
    body: Bytes,
    wants: String,
}

impl Call {
    pub(crate) fn new(number: u64, tool: &'static str, arguments: &Value, wants: String) -> Self {
        let body = json!({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {
            "name": tool, "arguments": arguments, "_meta": {
                "io.modelcontextprotocol/protocolVersion": STATELESS,
                "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
                "io.modelcontextprotocol/clientCapabilities": {}}}});
        Self { tool, body: body.to_string().into(), wants }
    }

    /// `manage_customers get` of one of a thousand customers.
    pub(crate) fn get(number: u64) -> Self {
        let id = format!("cus_{}", number % 1000);
        let wants = format!(
            "\"structuredContent\":{{\"action\":\"get\",\"environment\":\"sandbox\",\"customer\":{{\"id\":\"{id}\""
        );
        Self::new(number, "manage_customers", &json!({"action": "get", "customer_id": id}), wants)
    }
}

/// When a load ends.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    /// After these numbers, from the first to the one before the last.
    Numbers(u64, u64),
    Time(Instant),
}

/// So many workers, each with a connection of its own, do what they are told with one number after another. Returns
/// how many numbers were done.
pub(crate) async fn load<F>(
    address: SocketAddr,
    in_flight: usize,
    until: Until,
    work: impl Fn(Client, u64) -> F + Clone + Send + 'static,
) -> anyhow::Result<u64>
where
    F: Future<Output = anyhow::Result<Client>> + Send,
{
    let first = if let Until::Numbers(first, _) = until { first } else { 0 };
    let next = Arc::new(AtomicU64::new(first));
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..in_flight {
        let (next, work) = (Arc::clone(&next), work.clone());
        workers.spawn(async move {
            let mut client = Client::connect(address).await?;
            let mut done = 0;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let is_over = match until {
                    Until::Numbers(_, last) => number >= last,
                    Until::Time(end) => Instant::now() >= end,
                };
                if is_over {
                    return anyhow::Ok(done);
                }
                client = work(client, number).await.with_context(|| format!("number {number}"))?;
                done += 1;
            }
        });
    }
    let mut done = 0;
    while let Some(worker) = workers.join_next().await {
        done += worker??;
    }
    Ok(done)
}
