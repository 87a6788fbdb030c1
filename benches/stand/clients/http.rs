//! One connection over HTTP/1.1, with one request at a time.

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::SendRequest;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::requests::{Numbers, TOOL, Template, customer_id};
use super::{Tally, Wire, answers, session};
use crate::stand::upstream::CUSTOMERS;

/// A connection that makes one call after the other.
pub struct HttpLane {
    connection: Connection,
    head: Parts,
    body: Option<Template>,
    numbers: Numbers,
    wire: Wire,
}

impl HttpLane {
    /// Connects, as the lane with this index.
    pub async fn open(wire: Wire, address: SocketAddr, lane: usize) -> anyhow::Result<Self> {
        let mut connection = Connection::open(address).await?;
        let (head, body) = match wire {
            Wire::Get => (head("GET", CUSTOMERS, address)?, None),
            Wire::Passthrough => (head("POST", "/mcp", address)?, Some(Template::call())),
            Wire::Rest => (head("POST", &format!("/v1/tools/{TOOL}"), address)?, Some(Template::arguments())),
            Wire::Stateless => {
                let mut head = head("POST", "/mcp", address)?;
                head.headers.insert("mcp-protocol-version", HeaderValue::from_static("2026-07-28"));
                head.headers.insert("mcp-method", HeaderValue::from_static("tools/call"));
                head.headers.insert("mcp-name", HeaderValue::from_static(TOOL));
                (head, Some(Template::stateless_call()))
            }
            Wire::Session => (session::open(&mut connection, address).await?, Some(Template::call())),
            Wire::Watched => (session::open(&mut connection, address).await?, Some(Template::watched_call())),
            Wire::LegacySse | Wire::Stdio => bail!("this wire is more than a request and its answer"),
        };
        Ok(Self { connection, head, body, numbers: Numbers::of_lane(lane), wire })
    }

    /// Makes calls until then.
    pub async fn run(&mut self, until: Instant, tally: &mut Tally) -> anyhow::Result<()> {
        loop {
            let begin = Instant::now();
            if begin >= until {
                return Ok(());
            }
            let number = self.numbers.draw();
            let request = self.request(number)?;
            let (status, body) = self.connection.ask(request).await?;
            ensure!(status == StatusCode::OK, "a wrong answer: {status} {}", String::from_utf8_lossy(&body));
            tally.count(begin)?;
            self.check(&body, number)?;
        }
    }

    /// Ends the session, where there is one.
    pub async fn close(&mut self) -> anyhow::Result<()> {
        match self.wire {
            Wire::Session | Wire::Watched => session::close(&mut self.connection, &self.head).await,
            _ => Ok(()),
        }
    }

    fn check(&self, body: &[u8], number: u64) -> anyhow::Result<()> {
        let answered = match self.wire {
            Wire::Get => return answers::bare(body, number),
            Wire::Passthrough => return answers::passed(body, number),
            Wire::Rest => return answers::rest(body, number),
            Wire::Session | Wire::Watched => answers::call(answers::data(body)?)?,
            _ => answers::call(body)?,
        };
        ensure!(answered == number, "a wrong answer: it answers another call");
        Ok(())
    }

    fn request(&self, number: u64) -> anyhow::Result<Request<Full<Bytes>>> {
        let mut head = self.head.clone();
        let body = if let Some(body) = &self.body {
            body.fill(number)?
        } else {
            head.uri = format!("{CUSTOMERS}{}", customer_id(number)).parse()?;
            Vec::new()
        };
        Ok(Request::from_parts(head, Full::new(body.into())))
    }
}

/// A connection over HTTP/1.1.
pub struct Connection(SendRequest<Full<Bytes>>);

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // Where it breaks, the next request says so.
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Sends a request. Returns the answer as soon as its head is there.
    pub async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> anyhow::Result<Response<hyper::body::Incoming>> {
        self.0.ready().await.context("the connection was closed")?;
        self.0.send_request(request).await.context("no answer")
    }

    /// Sends a request. Returns the status and the whole body of its answer.
    pub async fn ask(&mut self, request: Request<Full<Bytes>>) -> anyhow::Result<(StatusCode, Bytes)> {
        let answer = self.send(request).await?;
        let status = answer.status();
        Ok((status, answer.into_body().collect().await.context("an answer that breaks off")?.to_bytes()))
    }
}

/// The head of a request that carries JSON, as an MCP client sends it.
pub fn head(method: &str, path: &str, address: SocketAddr) -> anyhow::Result<Parts> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, address.to_string())
        .header(ACCEPT, "application/json, text/event-stream")
        .header(CONTENT_TYPE, "application/json");
    Ok(request.body(())?.into_parts().0)
}
