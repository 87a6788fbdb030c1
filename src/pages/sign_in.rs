//! What pages need of whoever knows people: who holds this token, and the way over the issuer.
//!
//! Knows no token format and no protocol; the part that does is handed to the pages.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use url::Url;

use crate::domain::Principal;

/// Says who signs in.
pub trait SignIns: fmt::Debug + Send + Sync {
    /// Who holds this token, that a client at this address typed: wrong ones are slowed by it. With the digest by
    /// which the token is known again.
    fn by_token<'a>(
        &'a self,
        token: &'a str,
        client: Option<IpAddr>,
    ) -> BoxFuture<'a, Result<(Arc<Principal>, String), SignInRefused>>;
    /// Begins an authorization code flow that comes back to this address.
    fn begin<'a>(&'a self, redirect_uri: &'a Url) -> BoxFuture<'a, Result<Begun, SignInRefused>>;
    /// Ends it: who came back.
    fn finish<'a>(&'a self, returned: Returned<'a>) -> BoxFuture<'a, Result<Arc<Principal>, SignInRefused>>;
    /// Whether who signed in by this name, with the token of this digest, still may approve, as far as this process
    /// can tell.
    fn still_may_approve<'a>(&'a self, name: &'a str, shown: Option<&'a str>) -> BoxFuture<'a, bool>;
}

/// Why somebody has not signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignInRefused {
    /// Nobody has this token, or the issuer vouches for nobody.
    #[error("nobody is known by that")]
    Unknown,
    /// Too many were wrong lately.
    #[error("too many attempts were wrong lately")]
    Slowed {
        /// When the next one is looked at.
        retry_after_seconds: u64,
    },
    /// Whoever knows cannot be asked now.
    #[error("who that is cannot be found out now")]
    Unavailable,
}

/// A flow that has begun.
pub struct Begun {
    /// Where the browser goes.
    pub authorize_url: Url,
    /// What comes back with it.
    pub state: String,
    /// What only this browser and the server have.
    pub pkce_verifier: String,
}

/// What a browser came back with.
pub struct Returned<'a> {
    /// The code that the issuer gave.
    pub code: &'a str,
    /// From [`Begun`].
    pub pkce_verifier: &'a str,
    /// The address that it came back to.
    pub redirect_uri: &'a Url,
    /// Who the issuer says it is (RFC 9207).
    pub iss: Option<&'a str>,
}

// The verifier and the code sign a person in.
impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Begun(..)")
    }
}

impl fmt::Debug for Returned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Returned(..)")
    }
}
