//! The client of one upstream: what it is made of, and where its requests go.
//!
//! Credentials go to the configured host alone: the client follows no redirect, and no path or file can name
//! another host.

use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::Semaphore;
use url::Url;

use super::breaker::Breaker;
use super::credentials::{Credentials, Tokens};
use super::http;
use super::pools::{Host, Pools};
use super::retry::RetryBudget;
use super::reuse::Reuse;
use super::signature::Signer;
use crate::domain::is_loopback;

/// Requests to the upstream at the same time; further ones wait.
const MAX_REQUESTS_IN_FLIGHT: usize = 256;

/// Where the upstream is, and what it is asked with.
#[derive(Debug)]
pub struct ClientConfig {
    /// Scheme, host and perhaps a path prefix; https, or http on loopback.
    pub base_url: Url,
    /// What it is asked with; goes to `base_url` (and an application's secret to its token URL) alone.
    pub credentials: Credentials,
    /// Signs every request, where there is one.
    pub signer: Option<Signer>,
    /// Longest time for one attempt, from the first byte out to the last byte in.
    pub timeout: Duration,
    /// Requests a second; `None`: as many as there are.
    pub requests_per_second: Option<NonZeroU32>,
    /// A PEM file with root certificates to trust beside those of the system.
    pub ca_file: Option<PathBuf>,
}

/// Why no client can be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A base URL that would send credentials in clear.
    #[error("the upstream's address must be https, or http on loopback")]
    Insecure,
    /// The root certificates cannot be read.
    #[error("the root certificates in {path}: {reason}")]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The HTTP stack refused to start.
    #[error("the HTTP client cannot start: {0}")]
    Http(#[from] reqwest::Error),
}

/// The pooled connections to one upstream.
pub struct Client {
    pub(super) pools: Pools,
    /// For the token endpoint, which may be reached by another way (a proxy) than the rest.
    pub(super) token_http: reqwest::Client,
    pub(super) base_url: Url,
    pub(super) timeout: Duration,
    pub(super) tokens: Tokens,
    pub(super) signer: Option<Signer>,
    pub(super) permits: Semaphore,
    pub(super) rate: Option<DefaultDirectRateLimiter>,
    pub(super) breaker: Breaker,
    pub(super) retries: RetryBudget,
}

impl Client {
    /// Checks the configuration and prepares the pool; connects to nothing yet.
    ///
    /// # Errors
    /// [`ClientError`] names what in the configuration is wrong.
    pub fn new(config: ClientConfig) -> Result<Self, ClientError> {
        let insecure = |url: &Url| url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(url));
        let token_url = match &config.credentials {
            Credentials::Application(application) => Some(&application.token_url),
            Credentials::Token(_) => None,
        };
        if insecure(&config.base_url) || token_url.is_some_and(insecure) {
            return Err(ClientError::Insecure);
        }
        let certificates = http::certificates(config.ca_file)?;
        let token_http = token_url
            .map(|url| http::stack(url, config.timeout, &certificates, &Reuse::default()))
            .transpose()?;
        let host = Host { url: config.base_url.clone(), timeout: config.timeout, certificates };
        let pools = Pools::new(host)?;
        Ok(Self {
            token_http: token_http.map_or_else(|| pools.http(), Ok)?,
            pools,
            base_url: config.base_url,
            timeout: config.timeout,
            tokens: Tokens::new(config.credentials),
            signer: config.signer,
            permits: Semaphore::new(MAX_REQUESTS_IN_FLIGHT),
            rate: config.requests_per_second.map(|rate| RateLimiter::direct(Quota::per_second(rate))),
            breaker: Breaker::default(),
            retries: RetryBudget::default(),
        })
    }

    /// Reads secrets that live in files again.
    pub fn reload_secrets(&self) {
        self.tokens.reload();
        if let Some(signer) = &self.signer {
            signer.reload();
        }
    }

    /// The address of a path of the upstream, with its query.
    pub(super) fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.base_url.clone();
        match url.path().trim_end_matches('/') {
            "" => url.set_path(path),
            prefix => {
                let path = format!("{prefix}{path}");
                url.set_path(&path);
            }
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base_url", &self.base_url.as_str()).finish_non_exhaustive()
    }
}
