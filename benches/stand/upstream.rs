//! The tiny upstream: one customer, whose id is the one asked for, after the delay that it was started with.

use std::convert::Infallible;
use std::time::Duration;

use anyhow::Context;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::process::{self, Part};

/// Where the customers are.
pub const CUSTOMERS: &str = "/v1/customers/";

/// A running upstream.
pub struct Upstream {
    /// Its process.
    pub part: Part,
}

impl Upstream {
    /// Starts one that holds every answer back for so many milliseconds.
    pub fn start(delay: u64) -> anyhow::Result<Self> {
        Ok(Self { part: Part::start_self("the upstream", &["upstream", &delay.to_string()])? })
    }

    /// Its address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.part.address)
    }
}

/// The answer about this customer: 0.3 kB, as the real upstream sends it.
pub fn customer(id: &str) -> String {
    format!(
        r#"{{"id":"{id}","first_name":"Ada","last_name":"Byron","email":"ada.byron@example.com","phone":"+33612345678","company_name":"Analytical Engines SAS","external_id":"crm-1042","status":"active","created_at":"2026-11-02T09:14:31Z","updated_at":"2026-11-20T16:40:12Z","metadata":{{"segment":"retail","score":7}}}}"#
    )
}

/// Is the upstream until it is ended.
pub fn play(delay: &str) -> anyhow::Result<()> {
    let delay = Duration::from_millis(delay.parse().context("the delay is in milliseconds")?);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(super::threads()).enable_all().build()?;
    runtime.block_on(serve(delay))
}

async fn serve(delay: Duration) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    process::announce(listener.local_addr()?)?;
    loop {
        let (stream, _) = listener.accept().await.context("the upstream takes no more connections")?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request| answer(request, delay));
            let http = hyper::server::conn::http1::Builder::new();
            // A connection that breaks is the caller's to tell: its call fails.
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(request: Request<Incoming>, delay: Duration) -> Result<Response<Full<Bytes>>, Infallible> {
    let Some(id) = request.uri().path().strip_prefix(CUSTOMERS) else {
        return Ok(json(StatusCode::NOT_FOUND, "{}".to_owned()));
    };
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    Ok(json(StatusCode::OK, customer(id)))
}

fn json(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
