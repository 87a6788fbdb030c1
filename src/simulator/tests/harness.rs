//! A simulator with a clock that tests can move, and a client that speaks to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt;
use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::schema::assert_fits;
use crate::simulator::clock::Clock;
use crate::simulator::server::spawn;
use crate::simulator::{Faults, Simulator, SimulatorConfig};

/// A simulator under test. It ends when this is dropped.
pub(super) struct World {
    pub(super) simulator: Simulator,
    pub(super) client: reqwest::Client,
    milliseconds: watch::Sender<i64>,
    hasty: Arc<AtomicBool>,
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
        Self::with(SimulatorConfig { token: token.map(Into::into), ..Default::default() }).await
    }

    /// With these faults, and any token.
    pub(super) async fn failing(faults: &[&str], seed: u64) -> Self {
        let faults = Faults::parse(faults.iter().copied(), seed).unwrap();
        Self::with(SimulatorConfig { faults, ..Default::default() }).await
    }

    pub(super) async fn with(config: SimulatorConfig) -> Self {
        let milliseconds = watch::Sender::new(1_800_000_000_000);
        let hasty = Arc::new(AtomicBool::new(false));
        let (told, awaited, in_haste) = (milliseconds.clone(), milliseconds.clone(), hasty.clone());
        let tell = move || Timestamp::from_millisecond(*told.borrow()).unwrap();
        let wait = move |duration: std::time::Duration| {
            let wanted = i64::try_from(duration.as_millis()).unwrap();
            let mut seen = awaited.subscribe();
            let until = *seen.borrow() + wanted;
            if in_haste.load(Ordering::Relaxed) {
                awaited.send_modify(|now| *now += wanted);
            }
            async move { drop(seen.wait_for(|now| *now >= until).await.unwrap()) }.boxed()
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let simulator = spawn(listener, config, Clock::new(tell, wait)).unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { simulator, client, milliseconds, hasty }
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(*self.milliseconds.borrow()).unwrap()
    }

    pub(super) fn pass(&self, milliseconds: i64) {
        self.milliseconds.send_modify(|now| *now += milliseconds);
    }

    /// From now on time passes by itself, as much as is waited for.
    pub(super) fn hurry(&self) {
        self.hasty.store(true, Ordering::Relaxed);
    }

    /// Waits until the simulator has failed so often.
    pub(super) async fn failed(&self, times: u64) {
        while self.simulator.faults_done().iter().map(|(_, count)| count).sum::<u64>() < times {
            tokio::task::yield_now().await;
        }
    }

    /// The ids of all that was created.
    pub(super) fn created(&self) -> Vec<String> {
        self.simulator.effects().into_iter().map(|effect| effect.id).collect()
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

/// Sends a request. Every refusal must have the shape of an error; only an ordered one may be a 500.
pub(super) async fn send(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.bytes().await.unwrap();
    assert_eq!(headers.get("content-type").unwrap(), "application/json");
    let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
    let answer = Answer { status, headers, body };
    if !status.is_success() {
        if answer.body["errors"][0]["code"] != "ordered_fault" {
            assert_fits("Errors", &answer.body);
        }
        assert_eq!(answer.body["errors"][0]["status"], status.as_str());
    }
    answer
}
