//! Legacy SSE: requests go over one connection, answers come as events over another.

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::http::request::Parts;
use hyper::{Request, StatusCode};
use serde_json::Value;

use super::http::{Connection, head};
use super::requests::{Numbers, Template};
use super::{Tally, answers, session};

/// A session of legacy SSE that makes one call after the other.
pub struct LegacySseLane {
    posts: Connection,
    head: Parts,
    call: Template,
    numbers: Numbers,
    events: Events,
}

impl LegacySseLane {
    /// Connects and shakes hands, as the lane with this index.
    pub async fn open(address: SocketAddr, lane: usize) -> anyhow::Result<Self> {
        let mut events = Events::open(address).await?;
        let (name, messages) = events.next().await?;
        ensure!(name == "endpoint", "the stream does not begin with where messages go: {name}");
        let head = head("POST", &format!("/{messages}"), address)?;
        let posts = Connection::open(address).await?;
        let mut lane = Self { posts, head, call: Template::call(), numbers: Numbers::of_lane(lane), events };
        lane.post(message(&session::initialize())).await?;
        let (_, answer) = lane.events.next().await?;
        session::agreed(answer.as_bytes())?;
        lane.post(message(&session::initialized())).await?;
        Ok(lane)
    }

    /// Makes calls until then.
    pub async fn run(&mut self, until: Instant, tally: &mut Tally) -> anyhow::Result<()> {
        loop {
            let begin = Instant::now();
            if begin >= until {
                return Ok(());
            }
            let number = self.numbers.draw();
            let call = self.call.fill(number)?;
            self.post(call.into()).await?;
            let (_, answer) = self.events.next().await?;
            tally.count(begin)?;
            ensure!(answers::call(answer.as_bytes())? == number, "a wrong answer: it answers another call");
        }
    }

    async fn post(&mut self, message: Bytes) -> anyhow::Result<()> {
        let request = Request::from_parts(self.head.clone(), Full::new(message));
        let (status, _) = self.posts.ask(request).await?;
        ensure!(status == StatusCode::ACCEPTED, "a message was answered with {status}");
        Ok(())
    }
}

fn message(message: &Value) -> Bytes {
    message.to_string().into()
}

/// The events of a session. Its connection is kept, since it would end with it.
struct Events {
    _connection: Connection,
    body: Incoming,
    read: Vec<u8>,
}

impl Events {
    async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let mut connection = Connection::open(address).await?;
        let request = Request::from_parts(head("GET", "/sse", address)?, Full::default());
        let answer = connection.send(request).await?;
        ensure!(answer.status() == StatusCode::OK, "no event stream: {}", answer.status());
        Ok(Self { _connection: connection, body: answer.into_body(), read: Vec::new() })
    }

    /// The name and the data of the next event; comments, which keep the stream alive, are passed over.
    async fn next(&mut self) -> anyhow::Result<(String, String)> {
        loop {
            if let Some(end) = self.read.windows(2).position(|two| two == b"\n\n") {
                let event: Vec<u8> = self.read.drain(..end + 2).collect();
                let event = String::from_utf8(event)?;
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                if let (Some(name), Some(data)) = (field("event:"), field("data:")) {
                    return Ok((name.to_owned(), data.to_owned()));
                }
                continue;
            }
            match self.body.frame().await.context("the event stream ended")??.into_data() {
                Ok(data) => self.read.extend_from_slice(&data),
                Err(_) => bail!("the event stream ended with trailers"),
            }
        }
    }
}
