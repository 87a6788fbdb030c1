//! Sessions and streams belong to whoever opened them, and nobody takes all of them.

use std::sync::Arc;
use std::time::Duration;

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{Method, StatusCode, header},
    middleware::{self, Next},
    response::Response,
};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use super::{call, dummy::Dummy, gate, initialize, initialized, modern};
use crate::domain::{Principal, Scopes};
use crate::transports::{HttpConfig, HttpLimits, http::routes};

/// The routes of one server, behind a gate that believes what a header says.
#[derive(Clone)]
pub(crate) struct Replica {
    routes: Router,
    pub(crate) server: Dummy,
    pub(crate) end: CancellationToken,
}

async fn believe(mut request: Request, next: Next) -> Response {
    let name = request.headers()["x-principal"].to_str().unwrap().to_owned();
    request.extensions_mut().insert(Arc::new(Principal::authenticated(name, Scopes::of_agents())));
    next.run(request).await
}

/// What one may ask of a session.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) who: &'a str,
    pub(crate) session: Option<&'a str>,
}

impl Replica {
    pub(crate) fn new(config: &HttpConfig) -> Self {
        let (server, end) = (Dummy::new(), CancellationToken::new());
        let shutdown = CancellationToken::new();
        let routes = routes(server.clone(), &gate(), config, &shutdown, &end, &TaskTracker::new());
        Self { routes: routes.layer(middleware::from_fn(believe)), server, end }
    }

    fn with(limits: HttpLimits) -> Self {
        Self::new(&HttpConfig { limits, ..HttpConfig::default() })
    }

    pub(crate) async fn send(
        &self,
        ask: Ask<'_>,
        (method, path): (Method, &str),
        more: &[(&str, &str)],
        body: &Value,
    ) -> Response {
        let mut request = axum::http::Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::ACCEPT, "application/json, text/event-stream")
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-principal", ask.who);
        for (name, value) in ask.session.map(|id| ("mcp-session-id", id)).iter().chain(more) {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        self.routes.clone().oneshot(request.body(body).unwrap()).await.unwrap()
    }

    pub(crate) async fn post(&self, ask: Ask<'_>, body: &Value) -> Response {
        self.send(ask, (Method::POST, "/mcp"), &[], body).await
    }

    /// Opens a session and returns its id.
    pub(crate) async fn open(&self, who: &str, revision: &str) -> String {
        let opened = self.post(Ask { who, session: None }, &initialize(revision)).await;
        assert_eq!(opened.status(), 200);
        let session = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        let ready = self.post(Ask { who, session: Some(&session) }, &initialized()).await;
        assert_eq!(ready.status(), 202);
        session
    }
}

/// A whole answer: its status and its text.
pub(crate) async fn whole(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

fn says_when(response: &Response) -> (u16, bool) {
    (response.status().as_u16(), response.headers().contains_key(header::RETRY_AFTER))
}

const NOBODYS: &str = "00000000-0000-4000-8000-000000000000";

#[tokio::test]
async fn anothers_session_is_answered_like_one_that_does_not_exist() {
    let replica = Replica::with(HttpLimits::default());
    let session = replica.open("alice", "2025-11-25").await;
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let batch = json!([ping]);
    for (method, more, body) in [
        (Method::POST, None, &ping),
        (Method::POST, None, &initialized()),
        (Method::POST, None, &initialize("2025-11-25")),
        (Method::POST, None, &batch),
        (Method::POST, None, &json!("no message")),
        (Method::POST, Some(("accept", "text/html")), &ping),
        (Method::POST, Some(("mcp-protocol-version", "2026-07-28")), &ping),
        (Method::POST, Some(("mcp-protocol-version", "2026-07-28")), &initialize("2026-07-28")),
        (Method::GET, None, &Value::Null),
        (Method::GET, Some(("last-event-id", "0")), &Value::Null),
        (Method::DELETE, None, &Value::Null),
        (Method::DELETE, Some(("mcp-protocol-version", "2026-07-28")), &Value::Null),
    ] {
        let more: Vec<_> = more.into_iter().collect();
        let ask = |session| {
            let ask = Ask { who: "mallory", session: Some(session) };
            replica.send(ask, (method.clone(), "/mcp"), &more, body)
        };
        let (foreign, unknown) = (whole(ask(&session).await).await, whole(ask(NOBODYS).await).await);
        assert_eq!(foreign, unknown, "{method} {more:?} {body}");
        assert_ne!(foreign.0 / 100, 2, "{method} {more:?} {body}");
        if more.is_empty() {
            assert_eq!(foreign.0, 404, "{method} {body}");
        }
    }
    let own = Ask { who: "alice", session: Some(&session) };
    assert!(whole(replica.post(own, &call(1, "echo")).await).await.1.contains("by_http"));
}

#[tokio::test]
async fn anothers_event_stream_takes_no_message() {
    let replica = Replica::with(HttpLimits::default());
    let ask = |who| Ask { who, session: None };
    let opened = replica.send(ask("alice"), (Method::GET, "/sse"), &[], &Value::Null).await;
    let mut stream = opened.into_body();
    let first = stream.frame().await.unwrap().unwrap().into_data().unwrap();
    let first = String::from_utf8(first.to_vec()).unwrap();
    let (_, endpoint) = first.split_once("data: ").unwrap();
    let endpoint = format!("/{}", endpoint.trim());
    let unknown = format!("/messages?session_id={NOBODYS}");
    for body in [initialize("2024-11-05"), json!("no message")] {
        let send = |path: String| {
            let replica = &replica;
            let body = &body;
            async move { whole(replica.send(ask("mallory"), (Method::POST, &path), &[], body).await).await }
        };
        let foreign = send(endpoint.clone()).await;
        assert_eq!(foreign.0, 404);
        assert_eq!(foreign, send(unknown.clone()).await);
    }
    let own = replica.send(ask("alice"), (Method::POST, &endpoint), &[], &initialize("2024-11-05")).await;
    assert_eq!(own.status(), 202);
}

#[tokio::test]
async fn one_principal_cannot_take_all_sessions() {
    let limits = HttpLimits { sessions: 2, sessions_per_principal: 1, ..HttpLimits::default() };
    let replica = Replica::with(limits);
    let hello = initialize("2025-11-25");
    let open = |who| replica.post(Ask { who, session: None }, &hello);
    let session = replica.open("alice", "2025-11-25").await;
    assert_eq!(says_when(&open("alice").await), (429, true));
    assert_eq!(open("bob").await.status(), 200);
    assert_eq!(says_when(&open("carol").await), (503, true));
    let own = Ask { who: "alice", session: Some(&session) };
    let deleted = replica.send(own, (Method::DELETE, "/mcp"), &[], &Value::Null).await;
    assert_eq!(deleted.status(), StatusCode::ACCEPTED);
    assert_eq!(open("carol").await.status(), 200);
}

#[tokio::test]
async fn one_principal_cannot_take_all_streams() {
    let limits = HttpLimits { streams: 4, streams_per_principal: 3, ..HttpLimits::default() };
    let replica = Replica::with(limits);
    let session = replica.open("alice", "2025-11-25").await;
    let own = Ask { who: "alice", session: Some(&session) };
    let get = |ask, path| replica.send(ask, (Method::GET, path), &[], &Value::Null);
    let of_session = get(own, "/mcp").await;
    let legacy = get(own, "/sse").await;
    let headers = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "subscriptions/listen")];
    let listen = modern(1, "subscriptions/listen");
    let alice = Ask { who: "alice", session: None };
    let subscription = replica.send(alice, (Method::POST, "/mcp"), &headers, &listen).await;
    for stream in [&of_session, &legacy, &subscription] {
        assert_eq!(stream.status(), 200);
    }
    assert_eq!(says_when(&get(own, "/mcp").await), (429, true));
    assert_eq!(says_when(&get(own, "/sse").await), (429, true));
    assert_eq!(says_when(&replica.send(alice, (Method::POST, "/mcp"), &headers, &listen).await), (429, true));
    let _bobs = get(Ask { who: "bob", session: None }, "/sse").await;
    assert_eq!(says_when(&get(Ask { who: "carol", session: None }, "/sse").await), (503, true));
    drop(of_session);
    assert_eq!(get(Ask { who: "carol", session: None }, "/sse").await.status(), 200);
}

/// Paused time runs on as soon as everybody waits.
#[tokio::test(start_paused = true)]
async fn abandoned_sessions_make_room_and_a_call_in_flight_keeps_its_own() {
    let limits = HttpLimits { sessions: 2, session_idle: Duration::from_mins(1), ..HttpLimits::default() };
    let replica = Replica::with(limits);
    let session = replica.open("alice", "2025-11-25").await;
    let own = Ask { who: "alice", session: Some(&session) };
    let slow = replica.post(own, &call(1, "slow")).await;
    replica.server.started().await;
    // Opened and left, before its hands were shaken.
    let left = replica.post(Ask { who: "bob", session: None }, &initialize("2025-11-25")).await;
    let left = left.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    tokio::time::sleep(Duration::from_mins(3)).await;
    let gone = replica.post(Ask { who: "bob", session: Some(&left) }, &call(1, "echo")).await;
    assert_eq!(gone.status(), 404);
    replica.open("carol", "2025-11-25").await;
    replica.server.release(1);
    assert!(whole(slow).await.1.contains("by_http"), "the call is answered");
    assert_eq!(replica.post(own, &call(2, "echo")).await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_older_than_it_may_be() {
    let limits = HttpLimits {
        sessions: 1,
        streams: 2,
        session_life: Duration::from_mins(10),
        ..HttpLimits::default()
    };
    let replica = Replica::with(limits);
    let session = replica.open("alice", "2025-11-25").await;
    let own = Ask { who: "alice", session: Some(&session) };
    let streams = [
        replica.send(own, (Method::GET, "/mcp"), &[], &Value::Null).await,
        replica.send(own, (Method::GET, "/sse"), &[], &Value::Null).await,
    ];
    for _ in 0..9 {
        tokio::time::sleep(Duration::from_mins(1)).await;
        assert_eq!(replica.post(own, &call(1, "echo")).await.status(), 200);
    }
    tokio::time::sleep(Duration::from_mins(2)).await;
    for stream in streams {
        assert_eq!(stream.status(), 200);
        assert_eq!(whole(stream).await.1, "", "it is at its end");
    }
    assert_eq!(replica.post(own, &call(1, "echo")).await.status(), 404);
    replica.open("alice", "2025-11-25").await;
}
