//! Who is calling: turns a bearer token into a principal.
//!
//! Knows tokens, the file that lists them and the authorization server that issues them. Knows nothing of HTTP
//! headers, routes or tools: whoever serves requests takes the token out and asks here.
//!
//! | module | does |
//! |---|---|
//! | `token` | makes a token, and the digest by which it is known again |
//! | `file` | the tokens of `--auth-tokens`, a principal a line |
//! | `guesses` | makes wrong tokens wait |
//! | [`oauth`] | access tokens of an authorization server |

mod file;
mod guesses;
pub mod oauth;
mod token;

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use secrecy::ExposeSecret as _;

pub use file::{BadTokens, TokenFile, is_name, line};
pub use token::{Digest, NewToken};

use crate::domain::{Principal, Scopes};
use crate::measures;
use crate::secret::Secret;
use guesses::Guesses;
pub use guesses::Told;

/// What everybody is called who shows the one token of a server.
const ONE_TOKEN: &str = "token";

/// How callers are known. Clones share everything.
#[derive(Debug, Clone, Default)]
pub struct Access(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    way: Way,
    guesses: Guesses,
}

/// What a token is held against.
#[derive(Debug, Default)]
enum Way {
    #[default]
    Open,
    Token(Secret, Arc<Principal>),
    Tokens(TokenFile),
    OAuth {
        verifier: Box<oauth::Verifier>,
        resource: Resource,
        /// With which people are signed in. Shared with whoever does.
        client_secret: Option<Secret>,
    },
}

/// Which way of authentication is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessKind {
    /// None: everybody who can reach the server is `local`.
    Open,
    /// One token for everybody.
    Token,
    /// A file of tokens.
    Tokens,
    /// Access tokens of an authorization server.
    OAuth,
}

/// What clients are told of an OAuth resource: where tokens come from, and what they must be for.
#[derive(Debug, Clone)]
pub struct Resource {
    /// The authorization server, as its operator writes it.
    pub issuer: String,
    /// The audience of its tokens.
    pub audience: String,
}

/// Why nobody was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The token is nobody's.
    #[error("{reason}")]
    Wrong {
        /// Why, in words for the client; no part of the token.
        reason: &'static str,
        /// How its answer was held back, where there were many wrong ones before it.
        told: Told,
    },
    /// The authorization server's keys cannot be had, so no token can be checked.
    #[error("tokens cannot be checked now")]
    Unavailable,
}

impl Access {
    fn of(way: Way) -> Self {
        Self(Arc::new(Inner { way, guesses: Guesses::default() }))
    }

    /// Nobody is authenticated.
    #[must_use]
    pub fn open() -> Self {
        Self::default()
    }

    /// One token for everybody, who may do what agents may.
    #[must_use]
    pub fn token(token: Secret) -> Self {
        let principal = Arc::new(Principal::authenticated(ONE_TOKEN, Scopes::of_agents()));
        Self::of(Way::Token(token, principal))
    }

    /// The tokens of a file.
    ///
    /// # Errors
    /// [`BadTokens`] where the file is not right; everything that is wrong with it.
    pub fn tokens(path: &Path) -> Result<Self, BadTokens> {
        Ok(Self::of(Way::Tokens(TokenFile::read(path)?)))
    }

    /// Access tokens of an authorization server. The secret is this server's own there, to be read again with the
    /// others.
    #[must_use]
    pub fn oauth(verifier: oauth::Verifier, resource: Resource, client_secret: Option<Secret>) -> Self {
        Self::of(Way::OAuth { verifier: Box::new(verifier), resource, client_secret })
    }

    /// Whether nobody is authenticated.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.kind() == AccessKind::Open
    }

    /// Which way of authentication is set.
    #[must_use]
    pub fn kind(&self) -> AccessKind {
        match self.0.way {
            Way::Open => AccessKind::Open,
            Way::Token(..) => AccessKind::Token,
            Way::Tokens(_) => AccessKind::Tokens,
            Way::OAuth { .. } => AccessKind::OAuth,
        }
    }

    /// What clients are told of this resource; with an authorization server alone.
    #[must_use]
    pub fn resource(&self) -> Option<&Resource> {
        match &self.0.way {
            Way::OAuth { resource, .. } => Some(resource),
            _ => None,
        }
    }

    /// Whose token this is, said at once. Where strangers can ask, [`admit`](Self::admit) is the one to use.
    ///
    /// # Errors
    /// [`Refused`] where it is nobody's, or cannot be checked.
    pub async fn authenticate(&self, token: &str) -> Result<Arc<Principal>, Refused> {
        match &self.0.way {
            Way::Open => Ok(Arc::new(Principal::local())),
            Way::Token(secret, principal) => {
                let known = Digest::of(secret.get().expose_secret());
                known.is(&Digest::of(token)).then(|| Arc::clone(principal)).ok_or(Refused::unknown())
            }
            Way::Tokens(file) => file.whose(token).ok_or(Refused::unknown()),
            Way::OAuth { verifier, .. } => match verifier.verify(token).await {
                Ok(principal) => Ok(principal),
                Err(oauth::TokenRefused::Invalid(reason)) => {
                    Err(Refused::Wrong { reason, told: Told::AtOnce })
                }
                Err(oauth::TokenRefused::Unavailable) => Err(Refused::Unavailable),
            },
        }
    }

    /// The same for a client at this address: after many wrong tokens from there, the answer to one more waits its
    /// turn. A right one never waits, since it is looked at first.
    ///
    /// # Errors
    /// As [`authenticate`](Self::authenticate).
    pub async fn admit(&self, token: &str, client: Option<IpAddr>) -> Result<Arc<Principal>, Refused> {
        match self.authenticate(token).await {
            Err(Refused::Wrong { reason, .. }) => {
                Err(Refused::Wrong { reason, told: self.slow_down(client).await })
            }
            answer => answer,
        }
    }

    /// What [`admit`](Self::admit) does after a wrong token, for whoever has something to let go of before.
    pub async fn slow_down(&self, client: Option<IpAddr>) -> Told {
        self.0.guesses.wait(client).await
    }

    /// Whose token this is by its digest, where the file still has it.
    #[must_use]
    pub fn of_digest(&self, digest: &str) -> Option<Arc<Principal>> {
        match &self.0.way {
            Way::Tokens(file) => file.of_digest(&Digest::parse(digest)?),
            _ => None,
        }
    }

    /// Reads the files of tokens and secrets again. What is wrong changes nothing, and is logged.
    pub fn reload(&self) {
        match &self.0.way {
            Way::Open | Way::OAuth { client_secret: None, .. } => {}
            Way::OAuth { client_secret: Some(secret), .. } => match secret.reload(|_| true) {
                Ok(true) => tracing::info!("the OAuth client secret was read again and is another one now"),
                Ok(false) => {}
                Err(error) => {
                    measures::reload_failed("oauth_client_secret");
                    tracing::error!(%error, "the OAuth client secret stays as it was: its file gives none");
                }
            },
            Way::Token(secret, _) => match secret.reload(is_bearer) {
                Ok(true) => tracing::info!("the inbound token was read again and is another one now"),
                Ok(false) => {}
                Err(error) => {
                    measures::reload_failed("mcp_token");
                    tracing::error!(%error, "the inbound token stays as it was: its file gives none");
                }
            },
            Way::Tokens(file) => match file.reload() {
                Ok(count) => tracing::info!(tokens = count, "the file of tokens was read again"),
                Err(error) => {
                    measures::reload_failed("auth_tokens");
                    for line in error.lines() {
                        tracing::error!("the file of tokens was not taken, those before stay: {line}");
                    }
                }
            },
        }
    }
}

impl Refused {
    fn unknown() -> Self {
        Self::Wrong { reason: "the token is not known here", told: Told::AtOnce }
    }
}

/// Whether a text can stand in a header as a bearer token.
#[must_use]
pub fn is_bearer(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}
