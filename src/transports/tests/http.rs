//! Streamable HTTP, the gate and the server's end, through a real socket.

use std::{
    io::{Read, Write},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt, future::join_all};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use super::{call, dummy::Dummy, gate, initialize, initialized, modern, sorted_ids};
use crate::transports::{
    HttpConfig, HttpLimits, TransportError, http::routes, limits::MESSAGE_BYTES, serve_http,
};

/// A server on a port of its own.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) client: Client,
    pub(crate) server: Dummy,
    pub(crate) shutdown: CancellationToken,
    task: JoinHandle<Result<(), TransportError>>,
}

impl Site {
    pub(crate) async fn start(limits: HttpLimits) -> Self {
        Self::with(HttpConfig { limits, ..HttpConfig::default() }).await
    }

    pub(crate) async fn with(config: HttpConfig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, server, shutdown) =
            (listener.local_addr().unwrap(), Dummy::new(), CancellationToken::new());
        let task = tokio::spawn(serve_http(listener, server.clone(), config, shutdown.clone()));
        let client = Client::builder().no_proxy().build().unwrap();
        Self { address, client, server, shutdown, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn post(&self, session: Option<&str>, body: String) -> RequestBuilder {
        let request = self
            .client
            .post(self.url("/mcp"))
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json")
            .body(body);
        match session {
            Some(session) => request.header("mcp-session-id", session),
            None => request,
        }
    }

    async fn send(&self, session: Option<&str>, message: &Value) -> Response {
        self.post(session, message.to_string()).send().await.unwrap()
    }

    /// Opens a session and returns its id.
    async fn open(&self, revision: &str) -> String {
        let response = self.send(None, &initialize(revision)).await;
        assert_eq!(response.status(), 200);
        let session = response.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        assert_eq!(messages(response).await[0]["result"]["protocolVersion"], revision);
        assert_eq!(self.send(Some(&session), &initialized()).await.status(), 202);
        session
    }

    pub(crate) async fn ends(self) {
        drop(self.client);
        self.task.await.unwrap().unwrap();
    }
}

/// The messages in the event stream of a response.
async fn messages(response: Response) -> Vec<Value> {
    let text = response.text().await.unwrap();
    let data = text.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
    data.filter(|data| !data.is_empty()).map(|data| serde_json::from_str(data).unwrap()).collect()
}

async fn error_code(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let body: Value = response.json().await.unwrap();
    (status, body["error"]["code"].clone())
}

#[tokio::test]
async fn every_revision_with_a_session() {
    let site = Site::start(HttpLimits::default()).await;
    for revision in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let session = site.open(revision).await;
        let answer = messages(site.send(Some(&session), &call(1, "echo")).await).await;
        assert_eq!(answer[0]["id"], 1);
        assert!(answer[0]["result"]["content"][0]["text"].as_str().unwrap().contains(r#""by_http":true"#));
    }
}

#[tokio::test]
async fn the_modern_revision_without_one() {
    let site = Site::start(HttpLimits::default()).await;
    for method in ["server/discover", "tools/list"] {
        let request = site.post(None, modern(1, method).to_string());
        let request = request.header("mcp-protocol-version", "2026-07-28").header("mcp-method", method);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["id"], 1, "{method}: {answer}");
        assert!(answer["result"].is_object(), "{method}: {answer}");
    }
}

#[tokio::test]
async fn bad_bodies_are_answered_in_json_rpc() {
    let site = Site::start(HttpLimits::default()).await;
    for (body, code) in
        [("{", -32700), ("", -32700), ("17", -32600), ("{}", -32600), ("[]", -32600), ("[1", -32700)]
    {
        let response = site.post(None, body.to_owned()).send().await.unwrap();
        assert_eq!(error_code(response).await, (StatusCode::BAD_REQUEST, json!(code)), "{body}");
    }
    let response = site.post(None, r#"{"id":5,"method":"ping"}"#.to_owned()).send().await.unwrap();
    let answer: Value = response.json().await.unwrap();
    assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32600), &json!(5)));
}

#[tokio::test]
async fn bodies_and_their_types_are_checked() {
    let site = Site::start(HttpLimits::default()).await;
    let large = site.post(None, "x".repeat(MESSAGE_BYTES + 1)).send().await.unwrap();
    assert_eq!(large.status(), 413);
    let text = site.post(None, "{}".to_owned()).header("content-type", "text/plain").send().await.unwrap();
    assert_eq!(
        text.status(),
        415,
        "two content types: whoever looked before us may have gone by the other one"
    );
    let text =
        site.client.post(site.url("/mcp")).header("content-type", "text/plain").body("{}").send().await;
    assert_eq!(text.unwrap().status(), 415);
    let unknown = site.send(Some("no-such-session"), &call(1, "echo")).await;
    assert_eq!(unknown.status(), 404);
}

#[tokio::test]
async fn a_batch_is_answered_in_one_stream() {
    let site = Site::start(HttpLimits::default()).await;
    let session = site.open("2025-03-26").await;
    let batch = json!([call(1, "echo"), initialized(), 17, call("two", "echo"), call(1, "echo")]);
    let response = site.send(Some(&session), &batch).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let answers = Value::Array(messages(response).await);
    assert_eq!(sorted_ids(&answers), ["\"two\"", "1", "null", "null"]);

    let silent = site.send(Some(&session), &json!([initialized(), initialized()])).await;
    assert_eq!(silent.status(), 202);
    let refused = site.send(Some(&session), &json!([1, initialize("2025-03-26")])).await;
    assert_eq!(refused.status(), 400);
    assert_eq!(sorted_ids(&refused.json().await.unwrap()), ["\"init\"", "null"]);
}

#[tokio::test]
async fn a_batch_is_refused_elsewhere() {
    let site = Site::start(HttpLimits::default()).await;
    let batch = json!([call(1, "echo")]);
    for revision in ["2024-11-05", "2025-06-18", "2025-11-25"] {
        let session = site.open(revision).await;
        let refused = error_code(site.send(Some(&session), &batch).await).await;
        assert_eq!(refused, (StatusCode::BAD_REQUEST, json!(-32600)), "{revision}");
    }
    let refused = error_code(site.send(None, &batch).await).await;
    assert_eq!(refused, (StatusCode::BAD_REQUEST, json!(-32600)));
    assert_eq!(site.send(Some("no-such-session"), &batch).await.status(), 404);
}

#[tokio::test]
async fn sessions_are_capped_and_a_closed_one_makes_room() {
    let site = Site::start(HttpLimits { sessions: 1, ..HttpLimits::default() }).await;
    let session = site.open("2025-11-25").await;
    let full = site.send(None, &initialize("2025-11-25")).await;
    assert_eq!(full.status(), 503);
    assert!(full.headers().contains_key("retry-after"));
    let closed =
        site.client.delete(site.url("/mcp")).header("mcp-session-id", &session).send().await.unwrap();
    assert!(closed.status().is_success());
    site.open("2025-11-25").await;
}

#[tokio::test]
async fn an_idle_session_ends_and_makes_room() {
    let limits = HttpLimits { sessions: 1, session_idle: Duration::from_millis(20), ..HttpLimits::default() };
    let site = Site::start(limits).await;
    assert_eq!(site.send(None, &initialize("2025-11-25")).await.status(), 200);
    while site.send(None, &initialize("2025-11-25")).await.status() != 200 {
        tokio::task::yield_now().await;
    }
}

/// The server answers what reqwest would not send: raw bytes, one request.
fn raw(address: SocketAddr, request: &str) -> String {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test]
async fn every_mcp_route_is_behind_the_gate() {
    let site = Site::start(HttpLimits::default()).await;
    let (address, port) = (site.address, site.address.port());
    for (method, path) in [
        ("POST", "/mcp"),
        ("GET", "/mcp"),
        ("DELETE", "/mcp"),
        ("GET", "/sse"),
        ("POST", "/messages"),
        ("PUT", "/sse"),
    ] {
        for (headers, status) in [
            (String::from("Host: evil.example\r\n"), 403),
            (format!("Host: evil.example:{port}\r\n"), 403),
            (format!("Host: localhost:{port}\r\nOrigin: http://evil.example\r\n"), 403),
            (format!("Host: localhost:{port}\r\nOrigin: null\r\n"), 403),
            (String::from("Host: localhost\r\nHost: localhost\r\n"), 400),
            (String::from("Host: a b\r\n"), 400),
            (String::new(), 400),
        ] {
            let request = format!(
                "{method} {path} HTTP/1.1\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n"
            );
            let answer = tokio::task::spawn_blocking(move || raw(address, &request)).await.unwrap();
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status}")),
                "{method} {path} {headers:?}: {answer}"
            );
        }
    }
    let health =
        site.client.get(site.url("/health/live")).header("host", "evil.example").send().await.unwrap();
    assert_eq!(health.status(), 200);
}

#[tokio::test]
async fn own_origins_and_http2_pass() {
    let site = Site::start(HttpLimits::default()).await;
    let port = site.address.port();
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        let request = site.post(None, initialize("2025-11-25").to_string());
        let request = request
            .header("host", format!("{host}:{port}"))
            .header("origin", format!("http://{host}:{port}"));
        assert_eq!(request.send().await.unwrap().status(), 200, "{host}");
    }
    let client = Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let site = Site { client, ..site };
    assert_eq!(site.send(None, &initialize("2025-11-25")).await.status(), 200);
    let foreign = site.post(None, initialize("2025-11-25").to_string()).header("host", "evil.example");
    assert_eq!(foreign.send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn health_and_unknown_routes() {
    let site = Site::start(HttpLimits::default()).await;
    for path in ["/health/live", "/health/ready"] {
        let answer = site.client.get(site.url(path)).send().await.unwrap();
        assert_eq!(answer.json::<Value>().await.unwrap(), json!({"status": "ok"}), "{path}");
    }
    let unknown = site.client.get(site.url("/nothing")).send().await.unwrap();
    assert_eq!(unknown.status(), 404);
    assert!(unknown.json::<Value>().await.unwrap()["error"].is_string());
}

#[tokio::test]
async fn readiness_ends_with_the_shutdown() {
    let (shutdown, end, calls) = (CancellationToken::new(), CancellationToken::new(), TaskTracker::new());
    let routes = routes(Dummy::new(), &gate(), &HttpConfig::default(), &shutdown, &end, &calls);
    shutdown.cancel();
    for (path, status) in [("/health/live", 200), ("/health/ready", 503), ("/sse", 503)] {
        let request =
            axum::http::Request::get(path).header("host", "localhost").body(axum::body::Body::empty());
        let answer = routes.clone().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
    }
}

#[tokio::test]
async fn calls_in_flight_are_answered_after_a_shutdown() {
    let site = Site::start(HttpLimits::default()).await;
    let session = site.open("2025-11-25").await;
    // Idle streams and idle connections must not hold up the end.
    let idle = site.client.get(site.url("/mcp")).header("accept", "text/event-stream");
    let idle = idle.header("mcp-session-id", &session).send().await.unwrap();
    assert_eq!(idle.status(), 200);
    let parked = std::net::TcpStream::connect(site.address).unwrap();
    let by_session = site.send(Some(&session), &call(1, "slow")).await;
    site.server.started().await;
    let stateless = {
        let mut request = modern(2, "tools/call");
        request["params"]["name"] = json!("slow");
        let request = site.post(None, request.to_string()).header("mcp-protocol-version", "2026-07-28");
        tokio::spawn(request.header("mcp-method", "tools/call").header("mcp-name", "slow").send())
    };
    site.server.started().await;
    site.shutdown.cancel();
    site.server.release(2);
    assert_eq!(messages(by_session).await[0]["id"], 1);
    assert_eq!(stateless.await.unwrap().unwrap().json::<Value>().await.unwrap()["id"], 2);
    idle.text().await.unwrap();
    site.ends().await;
    drop(parked);
}

/// Waiting for the subscription would take the whole grace period.
#[tokio::test]
async fn a_subscription_does_not_hold_up_the_end() {
    let site = Site::start(HttpLimits { grace: Duration::from_hours(1), ..HttpLimits::default() }).await;
    let request = site.post(None, modern(1, "subscriptions/listen").to_string());
    let request =
        request.header("mcp-protocol-version", "2026-07-28").header("mcp-method", "subscriptions/listen");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    site.shutdown.cancel();
    response.text().await.unwrap();
    site.ends().await;
}

#[tokio::test]
async fn a_call_that_never_ends_is_given_up_after_the_grace_period() {
    let site = Site::start(HttpLimits { grace: Duration::from_millis(50), ..HttpLimits::default() }).await;
    let session = site.open("2025-11-25").await;
    let answer = site.send(Some(&session), &call(1, "slow")).await;
    site.server.started().await;
    site.shutdown.cancel();
    site.server.cancelled().await;
    drop(answer);
    site.ends().await;
}

#[tokio::test]
async fn connections_beyond_the_cap_wait_for_their_turn() {
    let site = Site::start(HttpLimits { connections: 1, ..HttpLimits::default() }).await;
    let first = Client::builder().no_proxy().build().unwrap();
    let live = site.url("/health/live");
    assert_eq!(first.get(&live).send().await.unwrap().status(), 200);
    // The first client's connection is kept alive, and with it the only slot.
    let waiting = tokio::spawn(site.client.get(&live).send());
    drop(first);
    assert_eq!(waiting.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn a_panic_leaves_the_server_serving() {
    let site = Site::start(HttpLimits::default()).await;
    let session = site.open("2025-11-25").await;
    let broken = site.send(Some(&session), &call(1, "panic")).await;
    assert_eq!(messages(site.send(Some(&session), &call(2, "echo")).await).await[0]["id"], 2);
    drop(broken);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_clients_at_once() {
    let site = Arc::new(Site::start(HttpLimits::default()).await);
    let clients = (0..200).map(|number| {
        let site = Arc::clone(&site);
        tokio::spawn(async move {
            let session = site.open("2025-11-25").await;
            let answer = messages(site.send(Some(&session), &call(number, "echo")).await).await;
            assert_eq!(answer[0]["id"], number);
            assert!(
                answer[0]["result"]["content"][0]["text"].as_str().unwrap().contains(&number.to_string())
            );
        })
    });
    join_all(clients).await.into_iter().for_each(Result::unwrap);
}

/// A stream that is open for good: read until `count` messages are there.
pub(crate) async fn read_events(response: Response, count: usize) -> String {
    let (mut stream, mut text) = (response.bytes_stream(), String::new());
    while text.matches("data:").count() < count {
        text.push_str(std::str::from_utf8(&stream.next().await.unwrap().unwrap()).unwrap());
    }
    text
}

#[tokio::test]
async fn a_get_stream_opens() {
    let site = Site::start(HttpLimits::default()).await;
    let session = site.open("2025-11-25").await;
    let request = site.client.request(Method::GET, site.url("/mcp")).header("accept", "text/event-stream");
    let response = request.header("mcp-session-id", &session).send().await.unwrap();
    assert!(read_events(response, 1).await.contains("retry:"));
}
