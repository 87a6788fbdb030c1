//! An upstream that counts what it is asked and over how many connections, and can hold its answers until so many
//! requests stand beside each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::serve::ListenerExt;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A running one. Its records have the ids that are asked for, and its lists are empty; what is started is pending at
/// first and verified from the first look on.
#[derive(Debug)]
pub(crate) struct Counting {
    base_url: String,
    counts: Arc<Counts>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Counts {
    connections: AtomicUsize,
    /// Each request's method, path and query, in the order of their arrival.
    requests: watch::Sender<Vec<String>>,
    /// No answer leaves until there are so many requests.
    held_until: AtomicUsize,
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Counting {
    /// Starts it.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let counts: Arc<Counts> = Arc::default();
        let (counted, answering) = (Arc::clone(&counts), Arc::clone(&counts));
        let listener = listener.tap_io(move |connection| {
            connection.set_nodelay(true).unwrap();
            counted.connections.fetch_add(1, Ordering::SeqCst);
        });
        let routes = Router::new().fallback(answer).with_state(answering);
        let task = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { base_url, counts, task }
    }

    pub(crate) fn base_url(&self) -> String {
        self.base_url.clone()
    }

    /// Answers nothing until so many more requests stand beside each other.
    pub(crate) fn holds_until(&self, requests: usize) {
        let so_far = self.counts.requests.borrow().len();
        self.counts.held_until.store(so_far + requests, Ordering::SeqCst);
    }

    /// How many connections were opened to it so far.
    pub(crate) fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::SeqCst)
    }

    /// What it was asked so far, each as `GET /v1/customers?…`.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.counts.requests.borrow().clone()
    }
}

async fn answer(State(counts): State<Arc<Counts>>, request: Request) -> (StatusCode, Json<Value>) {
    let target = request.uri().path_and_query().unwrap();
    counts.requests.send_modify(|requests| requests.push(format!("{} {target}", request.method())));
    let enough = counts.held_until.load(Ordering::SeqCst);
    let mut arrived = counts.requests.subscribe();
    super::in_time(arrived.wait_for(|requests| requests.len() >= enough)).await.unwrap();
    let path = request.uri().path();
    if request.method() == Method::GET {
        return (StatusCode::OK, Json(read(path)));
    }
    let token = json!({"access_token": "token", "token_type": "Bearer", "expires_in": 3600});
    let made = json!({"id": "new", "status": "pending"});
    (StatusCode::CREATED, Json(if path.starts_with("/oauth/") { token } else { made }))
}

/// What stands at a path: a list where it ends in a plural, a record with the id at its end otherwise.
fn read(path: &str) -> Value {
    match path.rsplit('/').next().unwrap() {
        "customers" | "bank-accounts" | "verifications" => json!({"data": []}),
        id => json!({"id": id, "status": "verified"}),
    }
}
