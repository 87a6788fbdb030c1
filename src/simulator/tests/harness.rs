//! A simulator with a clock that tests can move, and a client that speaks to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;

use super::schema::assert_fits;
use crate::simulator::clock::Clock;
use crate::simulator::routes::router;
use crate::simulator::server::{Simulator, spawn};

/// A simulator under test. It ends when this is dropped.
pub(super) struct World {
    pub(super) simulator: Simulator,
    pub(super) client: reqwest::Client,
    milliseconds: Arc<AtomicI64>,
}

/// One answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: reqwest::header::HeaderMap,
    pub(super) body: Value,
}

impl Answer {
    pub(super) fn id(&self) -> String {
        self.body["id"].as_str().unwrap().to_owned()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl World {
    /// With no token, any opens it.
    pub(super) async fn start(token: Option<&str>) -> Self {
        let milliseconds = Arc::new(AtomicI64::new(1_800_000_000_000));
        let told = milliseconds.clone();
        let clock =
            Clock::from_fn(move || Timestamp::from_millisecond(told.load(Ordering::Relaxed)).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let simulator = spawn(listener, router(token.map(Into::into), clock)).unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { simulator, client, milliseconds }
    }

    pub(super) fn pass(&self, milliseconds: i64) {
        self.milliseconds.fetch_add(milliseconds, Ordering::Relaxed);
    }

    /// A request without credentials.
    pub(super) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.simulator.base_url()))
    }

    /// GET that must succeed, and whose answer must fit the named schema.
    pub(super) async fn get(&self, path: &str, schema: &str) -> Value {
        let answer = send(self.request(Method::GET, path).bearer_auth("t")).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        assert_fits(schema, &answer.body);
        answer.body
    }

    /// POST of a JSON body that must create something, whose answer must fit the named schema.
    pub(super) async fn create(&self, path: &str, body: &Value, schema: &str) -> Answer {
        let answer = send(self.request(Method::POST, path).bearer_auth("t").json(body)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{path}: {}", answer.body);
        assert_fits(schema, &answer.body);
        answer
    }

    /// POST of a text that says it is JSON.
    pub(super) async fn post_text(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.request(Method::POST, path).bearer_auth("t");
        send(request.header("content-type", "application/json").body(body)).await
    }
}

/// Sends a request. Every refusal must have the shape of an error.
pub(super) async fn send(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.bytes().await.unwrap();
    assert_eq!(headers.get("content-type").unwrap(), "application/json");
    let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
    let answer = Answer { status, headers, body };
    if !status.is_success() {
        assert_fits("Errors", &answer.body);
        assert_eq!(answer.body["errors"][0]["status"], status.as_str());
    }
    answer
}
