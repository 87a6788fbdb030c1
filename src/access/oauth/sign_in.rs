//! A person signs in at the issuer, to show that they may approve: the authorization code flow with PKCE.
//!
//! Who begins keeps `state` and the PKCE verifier in the browser's own session, and sees that what comes back has the
//! same `state`. The person is the principal that the access token names, so they are the same as with tokens of their
//! own; the token itself is dropped.

use std::sync::Arc;
use std::time::Instant;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD as BASE64_URL};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tracing::warn;
use url::{Url, form_urlencoded};

use super::http::{self, FetchError};
use super::metadata::Metadata;
use super::{OAuthConfig, OAuthError, TokenRefused, Verifier};
use crate::domain::{Principal, Scope};
use crate::secret::Secret;

/// Randomness of a state and of a PKCE verifier, in bytes.
const RANDOM_BYTES: usize = 32;
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// Signs people in at the issuer.
#[derive(Debug)]
pub struct SignIn {
    verifier: Verifier,
    audience: String,
    client_id: String,
    client_secret: Option<Secret>,
}

/// A sign-in on its way.
#[derive(Debug)]
pub struct Begun {
    /// Where the browser goes.
    pub authorize_url: Url,
    /// What must come back unchanged.
    pub state: String,
    /// What [`SignIn::finish`] needs, and nobody else may see.
    pub pkce_verifier: SecretString,
}

/// Why nobody is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignInRefused {
    /// The issuer did not take the code, or gave nothing that names a person for this server.
    #[error("the sign-in failed: {0}")]
    Refused(&'static str),
    /// The issuer cannot be asked just now.
    #[error("the authorization server does not answer; try again later")]
    Unavailable,
}

#[derive(Deserialize)]
struct Answer {
    access_token: SecretString,
    token_type: String,
}

impl SignIn {
    /// Asks nobody yet.
    ///
    /// # Errors
    /// [`OAuthError`] where the configuration cannot be used, or names no client.
    pub fn new(config: &OAuthConfig) -> Result<Self, OAuthError> {
        Ok(Self {
            verifier: Verifier::new(config)?,
            audience: config.audience.clone(),
            client_id: config.client_id.clone().ok_or(OAuthError::ClientId)?,
            client_secret: config.client_secret.clone(),
        })
    }

    /// Begins one, for a browser that comes back to this address.
    ///
    /// # Errors
    /// [`SignInRefused`] where the issuer cannot be asked, or cannot do it.
    pub async fn begin(&self, redirect_uri: &Url) -> Result<Begun, SignInRefused> {
        let metadata = self.metadata().await?;
        if !metadata.has_s256 {
            return Err(SignInRefused::Refused("the authorization server does not offer PKCE with S256"));
        }
        let mut authorize_url = metadata
            .authorize
            .ok_or(SignInRefused::Refused("the authorization server names no authorization endpoint"))?;
        let (state, pkce_verifier) = (random()?, SecretString::from(random()?));
        let challenge = BASE64_URL.encode(digest(&SHA256, pkce_verifier.expose_secret().as_bytes()));
        authorize_url
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", redirect_uri.as_str())
            .append_pair("scope", Scope::ApprovalsWrite.as_str())
            .append_pair("resource", &self.audience)
            .append_pair("state", &state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(Begun { authorize_url, state, pkce_verifier })
    }

    /// Ends one with the code that the browser brought back, and with `iss` beside it.
    ///
    /// # Errors
    /// [`SignInRefused`] where it names nobody.
    pub async fn finish(
        &self,
        code: &str,
        pkce_verifier: &SecretString,
        redirect_uri: &Url,
        iss: Option<&str>,
    ) -> Result<Principal, SignInRefused> {
        let metadata = self.metadata().await?;
        // RFC 9207: a code of another issuer must not be shown to this one.
        let is_this_issuer = match iss {
            Some(iss) => iss == self.verifier.issuer.name(),
            None => !metadata.names_itself,
        };
        if !is_this_issuer {
            return Err(SignInRefused::Refused("the code is from another authorization server"));
        }
        let answer = self.exchange(&metadata, code, pkce_verifier, redirect_uri).await?;
        if !answer.token_type.eq_ignore_ascii_case("bearer") {
            return Err(SignInRefused::Refused("the authorization server gave a token of another type"));
        }
        let verified = self.verifier.verify(answer.access_token.expose_secret()).await;
        verified.map(Arc::unwrap_or_clone).map_err(|refused| match refused {
            TokenRefused::Invalid(reason) => {
                warn!("the authorization server signed somebody in, and {reason}");
                SignInRefused::Refused("the authorization server gave a token that is not for this server")
            }
            TokenRefused::Unavailable => SignInRefused::Unavailable,
        })
    }

    async fn metadata(&self) -> Result<Metadata, SignInRefused> {
        let known = self.verifier.issuer.known(Instant::now()).await;
        known.map(|known| known.metadata.clone()).map_err(|_| SignInRefused::Unavailable)
    }

    async fn exchange(
        &self,
        metadata: &Metadata,
        code: &str,
        pkce_verifier: &SecretString,
        redirect_uri: &Url,
    ) -> Result<Answer, SignInRefused> {
        let endpoint = metadata
            .token
            .clone()
            .ok_or(SignInRefused::Refused("the authorization server names no token endpoint"))?;
        let mut request = self.verifier.issuer.http().post(endpoint).header(CONTENT_TYPE, FORM);
        let secret = self.client_secret.as_ref().map(Secret::get);
        let body = {
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.append_pair("grant_type", "authorization_code")
                .append_pair("code", code)
                .append_pair("redirect_uri", redirect_uri.as_str())
                .append_pair("code_verifier", pkce_verifier.expose_secret())
                .append_pair("resource", &self.audience);
            match secret {
                Some(secret) if !metadata.wants_secret_in_body => {
                    request = request.header(AUTHORIZATION, basic(&self.client_id, &secret)?);
                }
                secret => {
                    form.append_pair("client_id", &self.client_id);
                    if let Some(secret) = secret {
                        form.append_pair("client_secret", secret.expose_secret());
                    }
                }
            }
            form.finish()
        };
        http::json(request.body(body)).await.map_err(|error| {
            warn!("the authorization server's token endpoint: {error}");
            match error {
                FetchError::Status(400..500) => {
                    SignInRefused::Refused("the authorization server did not take the code; sign in again")
                }
                FetchError::Status(_) | FetchError::Network(_) => SignInRefused::Unavailable,
                _ => SignInRefused::Refused("the authorization server gave no token that can be read"),
            }
        })
    }
}

/// RFC 6749, 2.3.1: both are form-encoded before they are joined.
fn basic(id: &str, secret: &SecretString) -> Result<HeaderValue, SignInRefused> {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let credentials = BASE64.encode(format!("{}:{}", encoded(id), encoded(secret.expose_secret())));
    let mut value = HeaderValue::from_str(&format!("Basic {credentials}"))
        .map_err(|_| SignInRefused::Refused("this server's client secret cannot be sent"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn random() -> Result<String, SignInRefused> {
    let mut bytes = [0; RANDOM_BYTES];
    // Without randomness there is no secret: nothing better than to say that it is not the time.
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| SignInRefused::Unavailable)?;
    Ok(BASE64_URL.encode(bytes))
}
