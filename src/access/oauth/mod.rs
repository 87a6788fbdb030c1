//! Access tokens of an OAuth 2.1 authorization server.

use url::Url;

use crate::domain::Principal;
use crate::secret::Secret;

/// Which authorization server, and what its tokens must be for.
#[derive(Debug, Clone)]
pub struct OAuthConfig {
    /// The authorization server.
    pub issuer: Url,
    /// The audience that its tokens must name.
    pub audience: String,
    /// This server's own client id there, with which a person signs in.
    pub client_id: Option<String>,
    /// The secret that goes with it.
    pub client_secret: Option<Secret>,
}

/// The settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the authorization server cannot be used")]
pub struct OAuthError;

/// Why a token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenRefused {
    /// It is not good, for this reason.
    Invalid(&'static str),
    /// The keys to check it with cannot be had.
    Unavailable,
}

/// Checks access tokens.
#[derive(Debug)]
pub struct Verifier;

impl Verifier {
    /// For the tokens of one authorization server.
    ///
    /// # Errors
    /// [`OAuthError`] where the settings cannot be used.
    pub fn new(_config: OAuthConfig) -> Result<Self, OAuthError> {
        Ok(Self)
    }

    /// Whose token this is.
    ///
    /// # Errors
    /// [`TokenRefused`] where it is not good, or cannot be checked.
    #[expect(clippy::unused_async, reason = "keys are fetched")]
    pub async fn verify(&self, _token: &str) -> Result<Principal, TokenRefused> {
        Err(TokenRefused::Unavailable)
    }
}
