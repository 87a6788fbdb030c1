//! What is known of the issuer, read again before it is old.
//!
//! | age | |
//! |---|---|
//! | up to 10 minutes | used as it is |
//! | up to an hour | read again first; where the issuer does not answer, still used |
//! | more | nobody can say whose a token is |
//!
//! A token with a key that is not there makes it be read again at once, but never twice within 5 seconds, so that
//! tokens with made-up keys cost the issuer nothing. What is read replaces what was there: a key that the issuer
//! withdrew is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tracing::{info, warn};
use url::Url;

use super::http::{self, FetchError};
use super::keys::{KeySet, Published};
use super::metadata::{self, Metadata, MetadataError};
use super::verified::Verified;
use super::{OAuthConfig, OAuthError, TokenRefused};
use crate::measures;

/// How old what is known may be before it is read again.
const FRESH: Duration = Duration::from_mins(10);
/// How old it may be at most, where the issuer does not answer.
const KEPT: Duration = Duration::from_hours(1);
/// How long after it was last asked the issuer is not asked again.
const BETWEEN_READS: Duration = Duration::from_secs(5);

/// The issuer at one moment.
pub(super) struct Known {
    pub(super) metadata: Metadata,
    pub(super) keys: KeySet,
    /// What was verified with these keys.
    pub(super) verified: Verified,
    read_at: Instant,
}

/// The issuer.
pub(super) struct Issuer {
    name: String,
    url: Url,
    http: reqwest::Client,
    known: ArcSwapOption<Known>,
    /// When it was last asked. Held while it is: one asks for all.
    asked_at: Arc<Mutex<Option<Instant>>>,
    /// Whether it gave nothing when it was last asked.
    is_failing: AtomicBool,
}

#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    #[error("its keys cannot be read: {0}")]
    Keys(#[from] FetchError),
}

impl Issuer {
    pub(super) fn new(config: &OAuthConfig) -> Result<Self, OAuthError> {
        let url: Url = config.issuer.parse().map_err(|_| OAuthError::Issuer)?;
        let is_bare = url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !is_bare || !http::is_safe(&url, &url) {
            return Err(OAuthError::Issuer);
        }
        Ok(Self {
            http: http::client(&url, config.ca_file.as_deref())?,
            name: config.issuer.clone(),
            url,
            known: ArcSwapOption::empty(),
            asked_at: Arc::default(),
            is_failing: AtomicBool::new(false),
        })
    }

    /// Its identifier, as it spells it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The way to ask it.
    pub(super) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// What is known of it now.
    ///
    /// # Errors
    /// [`TokenRefused::Unavailable`] where that is nothing, or too old.
    pub(super) async fn known(self: &Arc<Self>, now: Instant) -> Result<Arc<Known>, TokenRefused> {
        let known = self.known.load_full();
        let kept = |known: &Arc<Known>| now.saturating_duration_since(known.read_at) < KEPT;
        match known.as_ref().filter(|known| kept(known)) {
            Some(fresh) if now.saturating_duration_since(fresh.read_at) < FRESH => {
                return Ok(Arc::clone(fresh));
            }
            // An issuer that hangs must not make every call hang: nobody waits for what may well fail again.
            Some(old) if self.is_failing.load(Ordering::Relaxed) => {
                if let Ok(asked_at) = Arc::clone(&self.asked_at).try_lock_owned()
                    && is_due(*asked_at, now)
                {
                    tokio::spawn(Arc::clone(self).read(asked_at, now));
                }
                return Ok(Arc::clone(old));
            }
            _ => self.ask(known.as_ref(), now).await,
        }
        self.known.load_full().filter(kept).ok_or(TokenRefused::Unavailable)
    }

    /// What is known after another look, where that is not what was known before.
    ///
    /// # Errors
    /// [`TokenRefused::Unavailable`] where the issuer did not answer.
    pub(super) async fn newer_than(
        self: &Arc<Self>,
        before: &Arc<Known>,
        now: Instant,
    ) -> Result<Option<Arc<Known>>, TokenRefused> {
        self.ask(Some(before), now).await;
        match self.known.load_full().filter(|known| !Arc::ptr_eq(known, before)) {
            None if self.is_failing.load(Ordering::Relaxed) => Err(TokenRefused::Unavailable),
            newer => Ok(newer),
        }
    }

    /// Asks the issuer, unless somebody did meanwhile or a moment ago.
    async fn ask(self: &Arc<Self>, before: Option<&Arc<Known>>, now: Instant) {
        let asked_at = Arc::clone(&self.asked_at).lock_owned().await;
        let is_another = self
            .known
            .load_full()
            .is_some_and(|known| before.is_none_or(|before| !Arc::ptr_eq(&known, before)));
        if !is_another && is_due(*asked_at, now) {
            // A task of its own: one caller may leave, and the others still wait for the answer.
            let _ = tokio::spawn(Arc::clone(self).read(asked_at, now)).await;
        }
    }

    async fn read(self: Arc<Self>, mut asked_at: OwnedMutexGuard<Option<Instant>>, now: Instant) {
        *asked_at = Some(now);
        let read = self.fetch(now).await;
        measures::issuer_read(read.is_ok());
        self.is_failing.store(read.is_err(), Ordering::Relaxed);
        match read {
            Ok(known) => {
                info!(
                    issuer = self.name,
                    keys = known.keys.len(),
                    "read the keys of the authorization server"
                );
                self.known.store(Some(Arc::new(known)));
            }
            Err(error) => warn!(issuer = self.name, "the authorization server: {error}"),
        }
    }

    async fn fetch(&self, now: Instant) -> Result<Known, ReadError> {
        let metadata = metadata::discover(&self.http, &self.name, &self.url).await?;
        let published: Published = http::json(self.http.get(metadata.keys.clone())).await?;
        let (keys, verified) = (KeySet::new(published), Verified::default());
        Ok(Known { metadata, keys, verified, read_at: now })
    }
}

fn is_due(asked_at: Option<Instant>, now: Instant) -> bool {
    asked_at.is_none_or(|asked_at| now.saturating_duration_since(asked_at) >= BETWEEN_READS)
}

impl std::fmt::Debug for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issuer").field("name", &self.name).finish_non_exhaustive()
    }
}
