//! A small client of HTTP+SSE of 2024-11-05, which rmcp no longer has.

use std::convert::Infallible;

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use reqwest::Response;
use rmcp::service::{RoleClient, RxJsonRpcMessage, TxJsonRpcMessage};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::PollSender;
use url::Url;

use super::http_server::http;
use super::in_time;

/// One event of a stream.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: String,
}

/// The events of an open stream.
#[derive(Debug)]
pub(crate) struct Events {
    response: Response,
    buffer: String,
}

impl Events {
    /// Reads the body of this answer as events.
    pub(crate) fn of(response: Response) -> Self {
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, buffer: String::new() }
    }

    /// The next event; `None` when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let field = |name: &str| {
                    let values = block.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
                    values.map(str::trim_start).collect::<Vec<_>>().join("\n")
                };
                let event = Event { name: field("event"), data: field("data") };
                self.buffer = self.buffer.split_off(self.buffer.len() - rest.len());
                // Comments keep the stream alive and mean nothing.
                if !event.data.is_empty() {
                    return Some(event);
                }
                continue;
            }
            let chunk = self.response.chunk().await.ok()??;
            self.buffer.push_str(std::str::from_utf8(&chunk).expect("events of ASCII JSON arrive whole"));
        }
    }
}

/// Opens a stream. Returns it with the address that takes the client's messages.
pub(crate) async fn open(address: &str) -> (Events, Url) {
    let response = in_time(http().get(address).send()).await.unwrap();
    let mut events = Events::of(response);
    let first = in_time(events.next()).await.expect("the stream says where messages go");
    assert_eq!(first.name, "endpoint");
    (events, Url::parse(address).unwrap().join(&first.data).unwrap())
}

/// A connection that rmcp's client can use as its transport.
pub(crate) async fn connect(
    address: &str,
) -> (
    impl Sink<TxJsonRpcMessage<RoleClient>, Error = Infallible> + Send + Unpin + 'static,
    impl Stream<Item = RxJsonRpcMessage<RoleClient>> + Send + Unpin + 'static,
) {
    let (mut events, messages) = open(address).await;
    let (incoming, inbox) = mpsc::channel(16);
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            let message = serde_json::from_str(&event.data).unwrap();
            if incoming.send(message).await.is_err() {
                break;
            }
        }
    });
    let (outgoing, mut outbox) = mpsc::channel::<TxJsonRpcMessage<RoleClient>>(16);
    tokio::spawn(async move {
        let http = http();
        // One after the other: the handshake has an order.
        while let Some(message) = outbox.recv().await {
            let posted = http.post(messages.clone()).json(&message).send().await.unwrap();
            assert_eq!(posted.status(), 202);
        }
    });
    // A closed connection shows on the stream, which ends.
    let sink =
        PollSender::new(outgoing).sink_map_err(|_| unreachable!("the outbox lives as long as the sink"));
    (sink, ReceiverStream::new(inbox).boxed())
}
