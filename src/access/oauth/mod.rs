//! Access tokens of an OAuth 2.1 authorization server (the issuer), as a resource server takes them: signed JWTs,
//! verified with keys that the issuer publishes.
//!
//! What is checked, in this order: size and form; the algorithm, which must be one that signs with a private key; the
//! signature, with a key of the issuer that is meant for this algorithm; `iss`, `aud`, `exp`, `nbf`, `iat`; that it is
//! an access token and no other; that it is bound to no key. Opaque tokens are refused: there is no introspection. What
//! was verified is remembered until it expires or the keys are read again.
//!
//! Knows no route and no header, and keeps no token but its digest.

mod claims;
mod header;
mod http;
mod issuer;
mod keys;
mod metadata;
mod principal;
mod sign_in;
#[cfg(test)]
mod tests;
mod verified;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use jsonwebtoken::{Validation, get_current_timestamp};

use super::token::Digest;
use crate::domain::Principal;
use crate::secret::Secret;
use header::Header;
use issuer::Issuer;
use keys::Fault;
pub use sign_in::{Begun, SignIn, SignInRefused};

/// Longest token that is looked at, in bytes.
const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// How far the issuer's clock and ours may be apart, in seconds.
const LEEWAY_SECONDS: u64 = 30;

/// Whose tokens are taken, and for what.
#[derive(Debug, Clone)]
pub struct OAuthConfig {
    /// The issuer's identifier, exactly as its metadata and its tokens spell it: with or without a slash at the end
    /// are two issuers.
    pub issuer: String,
    /// This server's resource identifier: what must stand in `aud`.
    pub audience: String,
    /// This server's own client id there, with which people sign in to approve.
    pub client_id: Option<String>,
    /// The secret beside it, where the issuer gave one.
    pub client_secret: Option<Secret>,
    /// PEM file with root certificates to trust beside those of the system.
    pub ca_file: Option<PathBuf>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OAuthError {
    /// The issuer is no URL that one may ask.
    #[error("the issuer must be an https URL (http on loopback only) without user, query and fragment")]
    Issuer,
    /// Nothing could ever be for it.
    #[error("the audience is empty")]
    Audience,
    /// Nobody can sign in without one.
    #[error("the client id is missing")]
    ClientId,
    /// The file of root certificates is of no use.
    #[error("{path}: {reason}")]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The HTTP client cannot be made.
    #[error("no HTTP client: {0}")]
    Http(reqwest::Error),
}

/// Why a token names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefused {
    /// It is no token for this server. Why, and nothing of the token.
    #[error("{0}")]
    Invalid(&'static str),
    /// The issuer's keys cannot be had just now: nobody knows.
    #[error("the authorization server's keys cannot be read just now; try again later")]
    Unavailable,
}

/// Says who a token names.
#[derive(Debug, Clone)]
pub struct Verifier {
    issuer: Arc<Issuer>,
    /// What the claims must be, whatever the algorithm.
    expected: Arc<Validation>,
}

impl Verifier {
    /// Asks nobody yet: the issuer may start after this server.
    ///
    /// # Errors
    /// [`OAuthError`] where the configuration cannot be used.
    pub fn new(config: &OAuthConfig) -> Result<Self, OAuthError> {
        if config.audience.trim().is_empty() {
            return Err(OAuthError::Audience);
        }
        let issuer = Arc::new(Issuer::new(config)?);
        Ok(Self { issuer, expected: Arc::new(claims::expected(config)) })
    }

    /// The principal that a token names.
    ///
    /// # Errors
    /// [`TokenRefused`] where it names nobody, or where nobody can say.
    pub async fn verify(&self, token: &str) -> Result<Arc<Principal>, TokenRefused> {
        self.verify_at(token, Instant::now()).await
    }

    /// The same at a moment that counts for the age of the keys.
    async fn verify_at(&self, token: &str, now: Instant) -> Result<Arc<Principal>, TokenRefused> {
        let header = Header::read(token)?;
        let mut known = self.issuer.known(now).await?;
        let (digest, seconds) = (Digest::of(token), get_current_timestamp());
        if let Some(principal) = known.verified.principal(&digest, seconds) {
            return Ok(principal);
        }
        let mut claims = known.keys.verify(token, &header, &self.expected);
        // The issuer may have a new key since.
        if let Err(Fault::NoKey) = claims
            && let Some(newer) = self.issuer.newer_than(&known, now).await?
        {
            claims = newer.keys.verify(token, &header, &self.expected);
            known = newer;
        }
        match claims {
            Ok(claims) => {
                let until = claims.good_until();
                let principal = Arc::new(claims.principal(&header)?);
                if let Some(until) = until {
                    known.verified.remember(digest, &principal, until, seconds);
                }
                Ok(principal)
            }
            Err(Fault::NoKey) => {
                Err(TokenRefused::Invalid("the token is signed with a key that the issuer does not have"))
            }
            Err(Fault::Refused(reason)) => Err(TokenRefused::Invalid(reason)),
        }
    }
}
