//! The bare passthrough, which every figure is a share of: the least that a server can do for such a call with the same
//! crates. It reads the arguments, asks the upstream once over a pooled connection, and sends the upstream's bytes in a
//! JSON-RPC envelope. It checks, limits, counts and logs nothing.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::ListenerExt;
use serde::Deserialize;
use serde_json::Number;

use super::process::{self, Part};
use super::upstream::CUSTOMERS;

#[derive(Deserialize)]
struct Call<'a> {
    id: Number,
    #[serde(borrow)]
    params: Params<'a>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow)]
    arguments: Arguments<'a>,
}

#[derive(Deserialize)]
struct Arguments<'a> {
    customer_id: &'a str,
}

#[derive(Clone)]
struct Behind {
    client: reqwest::Client,
    customers: String,
}

/// Starts one before this upstream.
pub fn start(name: &str, upstream: &str) -> anyhow::Result<Part> {
    Part::start_self(name, &["passthrough", upstream])
}

/// Is the passthrough until it is ended.
pub fn play(upstream: &str) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .tcp_nodelay(true)
        .pool_max_idle_per_host(usize::MAX)
        .build()?;
    let behind = Behind { client, customers: format!("{upstream}{CUSTOMERS}") };
    let routes = Router::new().route("/mcp", post(call)).with_state(behind);
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        process::announce(listener.local_addr()?)?;
        let listener = listener.tap_io(|stream| {
            // Without it, small answers wait for an acknowledgement; the call would fail loudly enough if this did.
            let _ = stream.set_nodelay(true);
        });
        Ok(axum::serve(listener, routes).await?)
    })
}

async fn call(State(behind): State<Behind>, body: Bytes) -> Response {
    let Ok(call) = serde_json::from_slice::<Call>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match fetch(&behind, call.params.arguments.customer_id).await {
        Ok(customer) => {
            let id = call.id.to_string();
            let mut answer = Vec::with_capacity(customer.len() + id.len() + 40);
            answer.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
            answer.extend_from_slice(id.as_bytes());
            answer.extend_from_slice(br#","result":"#);
            answer.extend_from_slice(&customer);
            answer.push(b'}');
            ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], answer).into_response()
        }
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

async fn fetch(behind: &Behind, id: &str) -> reqwest::Result<Bytes> {
    let url = format!("{}{id}", behind.customers);
    behind.client.get(url).send().await?.error_for_status()?.bytes().await
}
