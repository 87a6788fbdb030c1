//! HTTP+SSE of 2024-11-05, through a real socket.

use std::{pin::Pin, sync::Arc};

use axum::{body::Body, http::Request};
use bytes::Bytes;
use futures_util::{FutureExt, Stream, StreamExt, future::join_all};
use http_body_util::BodyExt;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use super::{call, cancel, dummy::Dummy, gate, http::Site, initialize, initialized, sorted_ids};
use crate::transports::{
    HttpConfig, HttpLimits,
    http::routes,
    limits::{CALLS_IN_FLIGHT, MESSAGE_BYTES, SSE_EVENTS_WAITING, SSE_MESSAGES_WAITING},
};

/// One open event stream.
struct Session {
    client: Client,
    endpoint: url::Url,
    stream: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    text: String,
}

impl Session {
    /// Opens the stream and reads where to post.
    async fn connect(site: &Site) -> Self {
        let base = site.url("/sse");
        let response = site.client.get(&base).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let stream = Box::pin(response.bytes_stream());
        let mut session = Self {
            client: site.client.clone(),
            endpoint: base.parse().unwrap(),
            stream,
            text: String::new(),
        };
        let (event, data) = session.event().await.unwrap();
        assert_eq!(event, "endpoint");
        session.endpoint = session.endpoint.join(&data).unwrap();
        session
    }

    async fn open(site: &Site, revision: &str) -> Self {
        let mut session = Self::connect(site).await;
        assert_eq!(session.post(&initialize(revision)).await.status(), 202);
        assert_eq!(session.message().await["result"]["protocolVersion"], revision);
        assert_eq!(session.post(&initialized()).await.status(), 202);
        session
    }

    async fn post(&mut self, message: &Value) -> Response {
        self.post_text(message.to_string()).await
    }

    async fn post_text(&mut self, text: String) -> Response {
        let request = self.client.post(self.endpoint.clone()).header("content-type", "application/json");
        request.body(text).send().await.unwrap()
    }

    /// The next event, `None` at the end of the stream.
    async fn event(&mut self) -> Option<(String, String)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    event
                        .lines()
                        .find_map(|line| line.strip_prefix(name))
                        .map(|value| value.trim().to_owned())
                };
                let found = field("event:").zip(field("data:"));
                self.text = rest.to_owned();
                if found.is_some() {
                    return found;
                }
                continue;
            }
            let chunk = self.stream.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn message(&mut self) -> Value {
        let (event, data) = self.event().await.unwrap();
        assert_eq!(event, "message");
        serde_json::from_str(&data).unwrap()
    }
}

async fn code(response: Response) -> (u16, Value) {
    (response.status().as_u16(), response.json::<Value>().await.unwrap()["error"]["code"].clone())
}

#[tokio::test]
async fn every_revision_with_a_handshake() {
    let site = Site::start(HttpLimits::default()).await;
    for revision in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut session = Session::open(&site, revision).await;
        session.post(&call(1, "echo")).await;
        let answer = session.message().await;
        assert_eq!(answer["id"], 1);
        assert!(answer["result"]["content"][0]["text"].as_str().unwrap().contains(r#""by_http":true"#));
    }
}

#[tokio::test]
async fn the_endpoint_keeps_the_prefix_of_a_proxy() {
    let site = Site::start(HttpLimits::default()).await;
    let response = site.client.get(site.url("/sse")).send().await.unwrap();
    let text = super::http::read_events(response, 1).await;
    let data = text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    let seen_by_client: url::Url = "https://example.com/kyc/sse".parse().unwrap();
    assert_eq!(seen_by_client.join(data).unwrap().path(), "/kyc/messages");
}

#[tokio::test]
async fn bad_posts_are_answered_at_once() {
    let site = Site::start(HttpLimits::default()).await;
    let mut session = Session::open(&site, "2025-11-25").await;
    assert_eq!(code(session.post_text("{".to_owned()).await).await, (400, json!(-32700)));
    assert_eq!(code(session.post(&json!(17)).await).await, (400, json!(-32600)));
    assert_eq!(code(session.post(&json!([])).await).await, (400, json!(-32600)));
    assert_eq!(code(session.post(&json!([call(1, "echo")])).await).await, (400, json!(-32600)));
    assert_eq!(session.post_text("x".repeat(MESSAGE_BYTES + 1)).await.status(), 413);
    let text = session.client.post(session.endpoint.clone()).header("content-type", "text/plain").body("{}");
    assert_eq!(text.send().await.unwrap().status(), 415);
    for target in ["", "?session_id=nonsense", "?session_id=f0f0f0f0-0000-4000-8000-000000000000"] {
        let unknown = site.client.post(site.url(&format!("/messages{target}"))).json(&call(1, "echo"));
        assert!(unknown.send().await.unwrap().status().is_client_error(), "{target}");
    }
    session.post(&call(2, "echo")).await;
    assert_eq!(session.message().await["id"], 2);
}

#[tokio::test]
async fn a_batch_and_an_early_notification() {
    let site = Site::start(HttpLimits::default()).await;
    let mut session = Session::connect(&site).await;
    assert_eq!(session.post(&initialized()).await.status(), 202);
    session.post(&initialize("2025-03-26")).await;
    session.message().await;
    session.post(&json!([call(1, "echo"), initialized(), 17, call("two", "echo")])).await;
    assert_eq!(sorted_ids(&session.message().await), ["\"two\"", "1", "null"]);
}

#[tokio::test]
async fn closing_the_stream_ends_the_session_and_its_calls() {
    let site = Site::start(HttpLimits { streams: 1, ..HttpLimits::default() }).await;
    let mut session = Session::open(&site, "2025-11-25").await;
    session.post(&call(1, "slow")).await;
    site.server.started().await;
    let full = site.client.get(site.url("/sse")).send().await.unwrap();
    assert_eq!(full.status(), 503);
    assert!(full.headers().contains_key("retry-after"));

    let Session { client, endpoint, stream, .. } = session;
    drop(stream);
    site.server.cancelled().await;
    // The session goes a moment after its handlers.
    loop {
        let gone = client.post(endpoint.clone()).json(&cancel(1)).send().await.unwrap();
        if gone.status() == 404 {
            break;
        }
        tokio::task::yield_now().await;
    }
    loop {
        if site.client.get(site.url("/sse")).send().await.unwrap().status() == 200 {
            break;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn calls_in_flight_are_answered_after_a_shutdown() {
    let site = Site::start(HttpLimits::default()).await;
    let mut session = Session::open(&site, "2025-11-25").await;
    let mut idle = Session::connect(&site).await;
    session.post(&call(1, "slow")).await;
    site.server.started().await;
    site.shutdown.cancel();
    assert_eq!(idle.event().await, None);
    site.server.release(1);
    assert_eq!(session.message().await["id"], 1);
    assert_eq!(session.event().await, None);
    drop((session, idle));
    site.ends().await;
}

/// Answers larger than every buffer on the way, to a client that reads none of them.
#[tokio::test]
async fn a_client_that_does_not_read_blocks_nobody_else() {
    let site = Site::start(HttpLimits::default()).await;
    let mut stuck = Session::open(&site, "2025-11-25").await;
    let mut large = call(1, "echo");
    large["params"]["arguments"]["text"] = json!("x".repeat(MESSAGE_BYTES / 4));
    for id in 0..40 {
        large["id"] = json!(id);
        assert_eq!(stuck.post(&large).await.status(), 202);
    }
    let mut other = Session::open(&site, "2025-11-25").await;
    other.post(&call(1, "echo")).await;
    assert_eq!(other.message().await["id"], 1);
    drop(stuck);
    drop(other);
    site.shutdown.cancel();
    site.ends().await;
}

/// Without a socket, so that no kernel buffer is in the way and the clock may be paused.
#[tokio::test(start_paused = true)]
async fn posts_to_a_session_that_is_full_are_turned_away_until_its_stream_is_read() {
    let (shutdown, end, tasks) = (CancellationToken::new(), CancellationToken::new(), TaskTracker::new());
    let routes = routes(Dummy::new(), &gate(), &HttpConfig::default(), &shutdown, &end, &tasks);
    let send = |request: Request<Body>| routes.clone().oneshot(request);
    let open = Request::get("/sse").header("host", "localhost").body(Body::empty()).unwrap();
    let mut stream = send(open).await.unwrap().into_body();
    let first = stream.frame().await.unwrap().unwrap().into_data().unwrap();
    let target =
        std::str::from_utf8(&first).unwrap().lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    let post = |message: Value| {
        let request = Request::post(format!("/{target}")).header("host", "localhost");
        let request =
            request.header("content-type", "application/json").body(Body::from(message.to_string()));
        send(request.unwrap()).map(|response| response.unwrap().status().as_u16())
    };

    assert_eq!(post(initialize("2025-11-25")).await, 202);
    let everywhere = SSE_EVENTS_WAITING + CALLS_IN_FLIGHT + SSE_MESSAGES_WAITING;
    let mut accepted = 0;
    while post(call(accepted, "echo")).await == 202 {
        accepted += 1;
        assert!(accepted <= everywhere + 2, "a client that reads nothing is served without end");
    }
    assert!(accepted >= everywhere - 2, "turned away after {accepted}");
    // The answers to all that was accepted, and the one to initialize.
    for _ in 0..=accepted {
        stream.frame().await.unwrap().unwrap();
    }
    assert_eq!(post(call("more", "echo")).await, 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_clients_at_once() {
    let site = Arc::new(Site::start(HttpLimits::default()).await);
    let clients = (0..200).map(|number| {
        let site = Arc::clone(&site);
        tokio::spawn(async move {
            let mut session = Session::open(&site, "2024-11-05").await;
            session.post(&call(number, "echo")).await;
            let answer = session.message().await;
            assert_eq!(answer["id"], number);
        })
    });
    join_all(clients).await.into_iter().for_each(Result::unwrap);
}
