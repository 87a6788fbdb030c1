//! Asking the issuer: JSON within bounds, over TLS, without following redirects.

use std::path::Path;
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use serde::de::DeserializeOwned;
use url::Url;

use super::OAuthError;
use crate::domain::is_loopback;
use crate::roots;

/// Longest wait for one answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Largest answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Why an answer is of no use.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("it cannot be reached: {0}")]
    Network(String),
    #[error("it answered with status {0}{redirects}", redirects = if (300..400).contains(.0) { ", and redirects are not followed" } else { "" })]
    Status(u16),
    #[error("its answer is larger than 64 KiB")]
    TooLarge,
    #[error("its answer is not the JSON that was expected")]
    NotJson,
}

/// An HTTP client towards the issuer. A loopback address is never reached through a proxy.
pub(super) fn client(issuer: &Url, ca_file: Option<&Path>) -> Result<reqwest::Client, OAuthError> {
    let mut http = reqwest::Client::builder()
        .user_agent(concat!("fintecture-mcp/", env!("CARGO_PKG_VERSION")))
        .default_headers(HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .timeout(TIMEOUT);
    if is_loopback(issuer) {
        http = http.no_proxy();
    }
    for certificate in certificates(ca_file)? {
        http = http.add_root_certificate(certificate);
    }
    http.build().map_err(OAuthError::Http)
}

fn certificates(file: Option<&Path>) -> Result<Vec<reqwest::Certificate>, OAuthError> {
    let Some(path) = file else { return Ok(Vec::new()) };
    let read = || {
        let pem = roots::read(path)?;
        reqwest::Certificate::from_pem_bundle(&pem).map_err(|_| "no PEM certificates".to_owned())
    };
    read().map_err(|reason| OAuthError::Certificates { path: path.to_owned(), reason })
}

/// Whether the issuer's metadata may send us there: over TLS or, from loopback, to loopback.
pub(super) fn is_safe(url: &Url, issuer: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url) && is_loopback(issuer))
}

/// Sends a request and reads its answer.
///
/// # Errors
/// [`FetchError`]; what it says holds nothing of the answer.
pub(super) async fn json<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> Result<T, FetchError> {
    let network = |error: reqwest::Error| FetchError::Network(cause(&error));
    let mut response = request.send().await.map_err(network)?;
    if response.status() != reqwest::StatusCode::OK {
        return Err(FetchError::Status(response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(network)? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(|_| FetchError::NotJson)
}

/// The innermost cause: reqwest's own words hold the URL and not the cause.
fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    if error.is_timeout() { "no answer within 5 seconds".to_owned() } else { innermost.to_string() }
}
