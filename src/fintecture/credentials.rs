//! The bearer token of a request: a static one, or one that the token endpoint gives out for an application.
//!
//! A token is fetched on first use and kept until shortly before it expires; however many calls need one at the
//! same moment, one request fetches it, and all share what came of it.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::failure::{Failure, FailureKind, Reach};
use super::token_endpoint;
use crate::secret::Secret;

/// How long before its end a token is no longer used.
const EXPIRY_MARGIN: Duration = Duration::from_mins(1);

/// What the upstream is asked with.
#[derive(Debug)]
pub enum Credentials {
    /// A bearer token as it is.
    Token(Secret),
    /// An application, in whose name tokens are fetched.
    Application(Application),
}

/// An application registered at Fintecture.
#[derive(Debug)]
pub struct Application {
    /// `app_id`
    pub id: String,
    /// `app_secret`
    pub secret: Secret,
    /// Where tokens are given out; https, or http on loopback.
    pub token_url: Url,
    /// Such as `PIS`.
    pub scope: String,
}

/// A token in use.
#[derive(Debug)]
pub(super) struct Bearer {
    /// `Bearer ` and the token; marked as sensitive.
    pub(super) header: HeaderValue,
    /// When to fetch another one. `None`: it stays.
    until: Option<Instant>,
}

impl Bearer {
    /// The token alone.
    pub(super) fn token(&self) -> &str {
        self.header.to_str().ok().and_then(|header| header.strip_prefix("Bearer ")).unwrap_or_default()
    }
}

/// Hands out the token of the moment.
#[derive(Debug)]
pub(super) struct Tokens {
    credentials: Credentials,
    current: ArcSwapOption<Bearer>,
    /// Held while a token is fetched; what the last fetch failed with, for those who waited for it.
    fetching: Mutex<Option<(Instant, Failure)>>,
}

impl Tokens {
    pub(super) fn new(credentials: Credentials) -> Self {
        Self { credentials, current: ArcSwapOption::empty(), fetching: Mutex::new(None) }
    }

    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// A token to send now.
    ///
    /// # Errors
    /// A [`Failure`] with [`Reach::NotSent`]: the request itself has not left. After `timeout` at the latest.
    pub(super) async fn bearer(
        &self,
        http: &reqwest::Client,
        timeout: Duration,
    ) -> Result<Arc<Bearer>, Failure> {
        if let Some(bearer) = self.fresh() {
            return Ok(bearer);
        }
        let asked = Instant::now();
        let Ok(mut failed) = tokio::time::timeout(timeout, self.fetching.lock()).await else {
            return Err(late());
        };
        // Somebody else's fetch may have ended while this call waited: its outcome is this call's, too.
        if let Some(bearer) = self.fresh() {
            return Ok(bearer);
        }
        if let Some((at, failure)) = failed.as_ref()
            && *at >= asked
        {
            return Err(failure.clone());
        }
        let timeout = timeout.saturating_sub(asked.elapsed());
        match self.fetch(http, timeout).await {
            Ok(bearer) => {
                let bearer = Arc::new(bearer);
                self.current.store(Some(Arc::clone(&bearer)));
                *failed = None;
                Ok(bearer)
            }
            Err(failure) => {
                *failed = Some((Instant::now(), failure.clone()));
                Err(failure)
            }
        }
    }

    /// Told that the upstream refused a token. True where another one can be had: a call may then go out once more.
    pub(super) fn refused(&self, bearer: &Arc<Bearer>) -> bool {
        let still_used = self.current.load().as_ref().is_some_and(|current| Arc::ptr_eq(current, bearer));
        let secret = match &self.credentials {
            Credentials::Token(token) => token,
            Credentials::Application(application) => &application.secret,
        };
        let changed = has_changed(secret);
        if still_used {
            // Only this very token is thrown away: another call may have put a new one there meanwhile.
            self.current.compare_and_swap(&Some(Arc::clone(bearer)), None);
        }
        let another = self.current.load().as_ref().is_some_and(|current| !Arc::ptr_eq(current, bearer));
        another || changed || matches!(self.credentials, Credentials::Application(_))
    }

    /// Reads the files of secrets again; a changed one is used from the next request on.
    pub(super) fn reload(&self) {
        let (secret, what) = match &self.credentials {
            Credentials::Token(token) => (token, "token"),
            Credentials::Application(application) => (&application.secret, "application secret"),
        };
        match secret.reload(is_bearer) {
            Ok(true) => {
                self.current.store(None);
                tracing::info!("a new upstream {what} is used from now on");
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the file of the upstream {what} could not be read again"),
        }
    }

    fn fresh(&self) -> Option<Arc<Bearer>> {
        let bearer = self.current.load_full()?;
        bearer.until.is_none_or(|until| Instant::now() < until).then_some(bearer)
    }

    async fn fetch(&self, http: &reqwest::Client, timeout: Duration) -> Result<Bearer, Failure> {
        let application = match &self.credentials {
            Credentials::Token(token) => {
                return header(&token.get())
                    .map(|header| Bearer { header, until: None })
                    .ok_or_else(|| unusable("FINTECTURE_CUSTOMER_TOKEN"));
            }
            Credentials::Application(application) => application,
        };
        let token = match token_endpoint::fetch(http, application, timeout).await {
            // The file may hold another secret by now.
            Err(failure) if failure.kind == FailureKind::Unauthorized && has_changed(&application.secret) => {
                token_endpoint::fetch(http, application, timeout).await?
            }
            fetched => fetched?,
        };
        let life = token.life;
        // A token that lives shorter than the margin is still good for half its life.
        let until = Instant::now() + life.saturating_sub(EXPIRY_MARGIN).max(life / 2);
        header(&token.access_token)
            .map(|header| Bearer { header, until: Some(until) })
            .ok_or_else(|| unusable("the token endpoint's answer"))
    }
}

/// Whether a secret's file holds another one than before; from now on that is used.
fn has_changed(secret: &Secret) -> bool {
    secret.reload(is_bearer).unwrap_or_else(|error| {
        tracing::warn!(%error, "the file of an upstream secret could not be read again");
        false
    })
}

/// What a header can carry: a file that holds something else was broken off, or is not a secret at all.
fn is_bearer(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn header(token: &SecretString) -> Option<HeaderValue> {
    let mut header = HeaderValue::try_from(format!("Bearer {}", token.expose_secret())).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// Another call asks for a token, and it takes longer than this call can wait.
fn late() -> Failure {
    let reason = "the token endpoint gave no token in time";
    Failure { reach: Reach::NotSent, ..Failure::new(FailureKind::Unavailable, reason) }
}

fn unusable(source: &str) -> Failure {
    Failure {
        reach: Reach::NotSent,
        ..Failure::new(
            FailureKind::Unauthorized,
            format!("the token of {source} holds characters that no header can carry"),
        )
    }
}
