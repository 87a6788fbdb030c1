//! The tiny upstream: one customer, whose id is the one asked for, after the delay that was last set.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use super::process::{self, Part};

/// Where the customers are.
pub const CUSTOMERS: &str = "/v1/customers/";
/// What PUT to sets the delay, in milliseconds.
const DELAY: &str = "/delay/";

/// A running upstream.
pub struct Upstream {
    /// Its process.
    pub part: Part,
}

impl Upstream {
    /// Starts one.
    pub fn start() -> anyhow::Result<Self> {
        Ok(Self { part: Part::start_self("upstream", &["upstream"])? })
    }

    /// Its address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.part.address)
    }

    /// How long every answer is held back from now on, in milliseconds.
    pub async fn delay(&self, milliseconds: u64) -> anyhow::Result<()> {
        let url = format!("{}{DELAY}{milliseconds}", self.url());
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build()?;
        client.put(url).send().await?.error_for_status()?;
        Ok(())
    }
}

/// The answer about this customer: 0.3 kB, as the real upstream sends it.
pub fn customer(id: &str) -> String {
    format!(
        r#"{{"id":"{id}","first_name":"Ada","last_name":"Byron","email":"ada.byron@example.com","phone":"+33612345678","company_name":"Analytical Engines SAS","external_id":"crm-1042","status":"active","created_at":"2026-11-02T09:14:31Z","updated_at":"2026-11-20T16:40:12Z","metadata":{{"segment":"retail","score":7}}}}"#
    )
}

/// Is the upstream until it is ended.
pub fn play() -> anyhow::Result<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(super::threads()).enable_all().build()?;
    runtime.block_on(serve())
}

async fn serve() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    process::announce(listener.local_addr()?)?;
    let delay = Arc::new(AtomicU64::new(0));
    loop {
        let (stream, _) = listener.accept().await.context("the upstream takes no more connections")?;
        stream.set_nodelay(true)?;
        let delay = Arc::clone(&delay);
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request| answer(request, Arc::clone(&delay)));
            let mut http = hyper::server::conn::http1::Builder::new();
            // A connection that breaks is the caller's to tell: its call fails.
            let _ = http.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    delay: Arc<AtomicU64>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path();
    if let Some(id) = path.strip_prefix(CUSTOMERS) {
        let milliseconds = delay.load(Ordering::Relaxed);
        if milliseconds > 0 {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        }
        return Ok(json(StatusCode::OK, customer(id)));
    }
    if request.method() == Method::PUT
        && let Some(milliseconds) = path.strip_prefix(DELAY).and_then(|text| text.parse().ok())
    {
        delay.store(milliseconds, Ordering::Relaxed);
        return Ok(json(StatusCode::OK, "{}".to_owned()));
    }
    Ok(json(StatusCode::NOT_FOUND, "{}".to_owned()))
}

fn json(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
