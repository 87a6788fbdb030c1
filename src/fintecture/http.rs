//! The HTTP stack under the client: what is trusted, how long connecting may take, and no redirects.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use tower::filter::AsyncFilterLayer;
use url::Url;

use super::client::ClientError;
use super::reuse::Reuse;
use crate::domain::is_loopback;
use crate::roots;

/// Longest wait for a connection, within the timeout of the attempt.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an HTTP/2 connection under use may be silent before it is asked whether it lives, and how long it has to
/// answer. Without this, calls would go down a dead connection until TCP gives it up, many minutes later.
const HTTP2_ALIVE: Duration = Duration::from_secs(3);
/// Share of an attempt's time that connecting may take: it must end first, so that one sees that nothing was sent.
const CONNECT_SHARE: f64 = 0.8;
/// How long an idle connection is kept for the next call.
pub(super) const IDLE_CONNECTION: Duration = Duration::from_mins(1);

/// The HTTP stack towards one host.
pub(super) fn stack(
    url: &Url,
    timeout: Duration,
    certificates: &[reqwest::Certificate],
    reuse: &Reuse,
) -> Result<reqwest::Client, reqwest::Error> {
    let mut http = reqwest::Client::builder()
        .user_agent(concat!("fintecture-mcp/", env!("CARGO_PKG_VERSION")))
        .default_headers(HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT.min(timeout.mul_f64(CONNECT_SHARE)))
        .pool_idle_timeout(IDLE_CONNECTION)
        .http2_keep_alive_interval(HTTP2_ALIVE)
        .http2_keep_alive_timeout(HTTP2_ALIVE)
        .tcp_nodelay(true)
        .connector_layer(AsyncFilterLayer::new(reuse.clone()));
    if is_loopback(url) {
        http = http.no_proxy();
    }
    if url.scheme() == "http" {
        // Nothing is trusted where nothing is checked: the system's certificates take longer to read than all else.
        return http.tls_certs_only([]).build();
    }
    for certificate in certificates {
        http = http.add_root_certificate(certificate.clone());
    }
    http.build()
}

/// The root certificates in a PEM file.
pub(super) fn certificates(file: Option<PathBuf>) -> Result<Vec<reqwest::Certificate>, ClientError> {
    let Some(path) = file else { return Ok(Vec::new()) };
    let read = || {
        let pem = roots::read(&path)?;
        let found =
            reqwest::Certificate::from_pem_bundle(&pem).map_err(|_| "no PEM certificates".to_owned())?;
        if found.is_empty() { Err("no PEM certificates".to_owned()) } else { Ok(found) }
    };
    read().map_err(|reason| ClientError::Certificates { path: path.clone(), reason })
}
