//! The upstream of these measurements: as many customers as it is told, and verifications that stay pending until it
//! is told otherwise. It knows nobody; what it says follows from what it is asked.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use axum::Router;
use axum::extract::{Json, Path, Query, State};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The upstream, in this process. It ends with it.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    pub(crate) world: Arc<World>,
}

/// What there is.
#[derive(Default)]
pub(crate) struct World {
    /// Customers that `list` finds.
    pub(crate) customers: AtomicU64,
    /// Whether verifications are decided.
    pub(crate) is_decided: AtomicBool,
    created: AtomicU64,
    /// Requests so far.
    pub(crate) requests: AtomicU64,
}

impl Upstream {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, world) = (listener.local_addr()?, Arc::<World>::default());
        let routes = routes(Arc::clone(&world));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { address, world })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Its routes.
pub(crate) fn routes(world: Arc<World>) -> Router {
    Router::new()
        .route("/v1/customers", get(list).post(create))
        .route("/v1/customers/{customer}", get(one))
        .route("/v1/customers/{customer}/verification/{verification}", get(verification))
        .route("/oauth/accesstoken", post(token))
        .with_state(world)
}

fn customer(id: &str) -> Value {
    json!({"id": id, "first_name": "Ada", "last_name": "Byron", "email": "ada.byron@example.com",
        "phone": "+33612345678", "company_name": "Byron SAS", "external_id": "crm-1001",
        "created_at": "2026-05-01T10:00:00Z", "address": {"line1": "1 rue de la Paix", "postal_code": "75002",
        "city": "Paris", "country": "FR"}})
}

async fn one(State(world): State<Arc<World>>, Path(id): Path<String>) -> Json<Value> {
    world.requests.fetch_add(1, Ordering::Relaxed);
    Json(customer(&id))
}

async fn list(State(world): State<Arc<World>>, Query(query): Query<HashMap<String, String>>) -> Json<Value> {
    world.requests.fetch_add(1, Ordering::Relaxed);
    let asked = |name: &str| query.get(name).and_then(|text| text.parse::<u64>().ok());
    let all = world.customers.load(Ordering::Relaxed);
    let (page, size) = (asked("page[number]").unwrap_or(1).max(1), asked("page[size]").unwrap_or(20));
    let first = ((page - 1) * size).min(all);
    let data: Vec<Value> =
        (first..(first + size).min(all)).map(|number| customer(&format!("cus_{number}"))).collect();
    Json(json!({"data": data, "meta": {"count": all}}))
}

async fn create(State(world): State<Arc<World>>, Json(mut new): Json<Value>) -> Json<Value> {
    world.requests.fetch_add(1, Ordering::Relaxed);
    if let Some(fields) = new.as_object_mut() {
        let id = format!("cus_{}", world.created.fetch_add(1, Ordering::Relaxed));
        fields.insert("id".to_owned(), id.into());
    }
    Json(new)
}

async fn verification(State(world): State<Arc<World>>, Path((_, id)): Path<(String, String)>) -> Json<Value> {
    world.requests.fetch_add(1, Ordering::Relaxed);
    let status = if world.is_decided.load(Ordering::Relaxed) { "verified" } else { "pending" };
    Json(json!({"id": id, "status": status, "provider_id": "slow"}))
}

async fn token() -> Json<Value> {
    Json(json!({"access_token": "given-out", "token_type": "Bearer", "expires_in": 3600}))
}
