//! One request to the upstream, from top to bottom: address → token → send → read (bounded) → decode.

use std::time::{Duration, SystemTime};

use bytes::BytesMut;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};
use uuid::Uuid;

use super::body::{self, BodyError};
use super::failure::{Failure, FailureKind, Reach, kind_of};
use crate::capability::Route;

/// Longest wait for a connection, within the timeout of the attempt.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an idle connection is kept for the next call.
const IDLE_CONNECTION: Duration = Duration::from_mins(1);

/// Where the upstream is, and what it is asked with.
#[derive(Debug)]
pub struct ClientConfig {
    /// Scheme, host and perhaps a path prefix; https, or http on loopback.
    pub base_url: Url,
    /// The bearer token; it goes to `base_url` alone.
    pub token: SecretString,
    /// Longest time for one attempt, from the first byte out to the last byte in.
    pub timeout: Duration,
}

/// Why no client can be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A base URL that would send credentials in clear.
    #[error("the upstream's address must be https, or http on loopback")]
    Insecure,
    /// A token with characters that no header can carry.
    #[error("the token holds characters that no HTTP header can carry")]
    Token,
    /// The HTTP stack refused to start.
    #[error("the HTTP client cannot start: {0}")]
    Http(#[from] reqwest::Error),
}

/// The pooled connection to one upstream.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    base_url: Url,
    authorization: HeaderValue,
}

impl Client {
    /// Checks the configuration and prepares the pool; connects to nothing yet.
    ///
    /// # Errors
    /// [`ClientError`] names what in the configuration is wrong.
    pub fn new(config: &ClientConfig) -> Result<Self, ClientError> {
        let loopback = is_loopback(&config.base_url);
        if config.base_url.scheme() != "https" && !loopback {
            return Err(ClientError::Insecure);
        }
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", config.token.expose_secret()))
            .map_err(|_| ClientError::Token)?;
        authorization.set_sensitive(true);
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("fintecture-mcp/", env!("CARGO_PKG_VERSION")))
            .default_headers(HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]))
            .https_only(!loopback)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIMEOUT.min(config.timeout))
            .timeout(config.timeout)
            .pool_idle_timeout(IDLE_CONNECTION)
            .tcp_nodelay(true);
        if loopback {
            http = http.no_proxy();
        }
        Ok(Self { http: http.build()?, base_url: config.base_url.clone(), authorization })
    }

    /// Starts a request on a route whose path has been filled in.
    pub(super) fn request(&self, route: &Route, path: &str, query: &[(&str, &str)]) -> RequestBuilder {
        let mut url = self.base_url.clone();
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{prefix}{path}"));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.http.request(route.method.clone(), url)
    }

    /// Sends one attempt and decodes its answer.
    ///
    /// # Errors
    /// A [`Failure`] that says how far the request came.
    pub(super) async fn send<T>(
        &self,
        request: RequestBuilder,
        decode: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<T, Failure> {
        let attempt = Attempt { request_id: Uuid::new_v4().to_string() };
        let response = request
            .header(AUTHORIZATION, self.authorization.clone())
            .header("X-Request-ID", &attempt.request_id)
            .send()
            .await
            .map_err(|error| attempt.not_answered(&error))?;
        let status = response.status();
        tracing::debug!(request_id = attempt.request_id, status = status.as_u16(), "the upstream answered");
        if !status.is_success() {
            return Err(attempt.refused(response).await);
        }
        let body = body::read(response).await.map_err(|error| attempt.unreadable(status.as_u16(), &error))?;
        decode(&body).ok_or_else(|| {
            attempt.unavailable(
                "the upstream's answer is not what this operation returns",
                Some(status.as_u16()),
            )
        })
    }
}

/// One request on its way; names it in every failure.
struct Attempt {
    request_id: String,
}

impl Attempt {
    fn unavailable(&self, reason: impl Into<String>, status: Option<u16>) -> Failure {
        Failure {
            kind: FailureKind::Unavailable,
            reach: Reach::Unknown,
            reason: reason.into(),
            status,
            detail: None,
            retry_after_seconds: None,
            request_id: self.request_id.clone(),
        }
    }

    fn not_answered(&self, error: &reqwest::Error) -> Failure {
        // Without a connection no byte of the request can have left; everything else may have arrived.
        if error.is_connect() || error.is_builder() {
            let reason = format!("no connection to the upstream: {}", body::cause(error));
            return Failure { reach: Reach::NotSent, ..self.unavailable(reason, None) };
        }
        if error.is_timeout() {
            return self.unavailable("the upstream did not answer in time", None);
        }
        self.unavailable(format!("the connection to the upstream broke: {}", body::cause(error)), None)
    }

    fn unreadable(&self, status: u16, error: &BodyError) -> Failure {
        let reason = match error {
            BodyError::TooLarge => "the upstream's answer is larger than 2 MiB",
            BodyError::TimedOut => "the upstream did not finish its answer in time",
            BodyError::Broken => "the upstream's answer broke off",
        };
        self.unavailable(reason, Some(status))
    }

    async fn refused(&self, response: Response) -> Failure {
        let status = response.status().as_u16();
        let kind = kind_of(status);
        let retry_after_seconds = retry_after(response.headers());
        // A refusal stays one, however its body ends: the status alone decides.
        let body = body::read(response).await.unwrap_or_else(|_| BytesMut::new());
        Failure {
            kind,
            reach: if kind == FailureKind::Unavailable { Reach::Unknown } else { Reach::Refused },
            reason: format!("the upstream answered with status {status}"),
            status: Some(status),
            detail: body::detail(&body),
            retry_after_seconds,
            request_id: self.request_id.clone(),
        }
    }
}

/// `Retry-After` in seconds, in either of its forms.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    value.parse().ok().or_else(|| {
        let until = httpdate::parse_http_date(value).ok()?;
        // A date that has passed asks for no wait at all.
        Some(until.duration_since(SystemTime::now()).map_or(0, |wait| wait.as_secs()))
    })
}

/// Whether an address stays on this machine.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(base_url: &str) -> Result<Client, ClientError> {
        Client::new(&ClientConfig {
            base_url: base_url.parse().unwrap(),
            token: "secret".into(),
            timeout: Duration::from_secs(1),
        })
    }

    #[test]
    fn credentials_go_over_https_or_stay_on_the_machine() {
        for good in
            ["https://api.fintecture.com", "http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"]
        {
            assert!(client(good).is_ok(), "{good}");
        }
        for bad in [
            "http://api.fintecture.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example",
            "ftp://127.0.0.1",
        ] {
            assert!(matches!(client(bad), Err(ClientError::Insecure)) || bad.starts_with("ftp"), "{bad}");
        }
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let of = |value: &str| {
            retry_after(&HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(value).unwrap())]))
        };
        assert_eq!(of("7"), Some(7));
        assert_eq!(of("Sun, 06 Nov 1994 08:49:37 GMT"), Some(0));
        assert!(of("Tue, 31 Dec 2999 23:59:59 GMT").unwrap() > 1_000_000);
        assert_eq!(of("soon"), None);
    }

    #[test]
    fn debug_shows_no_token() {
        assert!(!format!("{:?}", client("http://127.0.0.1:1").unwrap()).contains("secret"));
    }
}
