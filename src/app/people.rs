//! Who signs in to approve: the holder of a token of the file, or whoever the issuer sends back.

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::access::oauth::{self, SignIn};
use crate::access::{Access, Digest, Refused, Told};
use crate::calls::approvals::{self, SignInBy};
use crate::config::Approvers;
use crate::domain::{Principal, Scope};
use crate::pages::{Begun, Returned, SignInRefused, SignIns};

/// The people of one server.
#[derive(Debug)]
pub(super) struct People {
    access: Access,
    by: SignInBy,
    sign_in: Option<SignIn>,
}

impl People {
    /// Those with a token of the file.
    pub(super) fn with_tokens(access: Access) -> Self {
        Self { access, by: SignInBy::Token, sign_in: None }
    }

    /// Those whom the issuer knows; nobody, where the server is no client there.
    pub(super) fn at_issuer(access: Access, sign_in: Option<SignIn>) -> Self {
        let by = if sign_in.is_some() { SignInBy::Issuer } else { SignInBy::Nothing };
        Self { access, by, sign_in }
    }

    /// How they come to decide.
    pub(super) fn decide(&self, approvers: Approvers) -> approvals::People {
        let approvers = match approvers {
            Approvers::Any => approvals::Approvers::Any,
            Approvers::Other => approvals::Approvers::Other,
        };
        approvals::People { by: self.by, approvers }
    }
}

impl SignIns for People {
    fn by_token<'a>(
        &'a self,
        token: &'a str,
        client: Option<IpAddr>,
    ) -> BoxFuture<'a, Result<(Arc<Principal>, String), SignInRefused>> {
        async move {
            // Where the issuer knows people, no token is ever pasted.
            if self.by != SignInBy::Token {
                return Err(SignInRefused::Unknown);
            }
            let admitted = self.access.admit(token, client).await;
            admitted.map(|principal| (principal, Digest::of(token).to_string())).map_err(|refused| {
                match refused {
                    Refused::Wrong { told: Told::AtOnce, .. } => SignInRefused::Unknown,
                    Refused::Wrong { .. } => SignInRefused::Slowed { retry_after_seconds: 1 },
                    Refused::Unavailable => SignInRefused::Unavailable,
                }
            })
        }
        .boxed()
    }

    fn begin<'a>(&'a self, redirect_uri: &'a Url) -> BoxFuture<'a, Result<Begun, SignInRefused>> {
        async {
            let sign_in = self.sign_in.as_ref().ok_or(SignInRefused::Unavailable)?;
            let begun = sign_in.begin(redirect_uri).await.map_err(refused)?;
            let pkce_verifier = begun.pkce_verifier.expose_secret().to_owned();
            Ok(Begun { authorize_url: begun.authorize_url, state: begun.state, pkce_verifier })
        }
        .boxed()
    }

    fn finish<'a>(&'a self, returned: Returned<'a>) -> BoxFuture<'a, Result<Arc<Principal>, SignInRefused>> {
        async move {
            let sign_in = self.sign_in.as_ref().ok_or(SignInRefused::Unavailable)?;
            let verifier = SecretString::from(returned.pkce_verifier);
            let principal = sign_in.finish(returned.code, &verifier, returned.redirect_uri, returned.iss);
            principal.await.map(Arc::new).map_err(refused)
        }
        .boxed()
    }

    fn still_may_approve<'a>(&'a self, name: &'a str, shown: Option<&'a str>) -> BoxFuture<'a, bool> {
        let may = match self.by {
            // The very token: a name may have another one.
            SignInBy::Token => shown
                .and_then(|digest| self.access.of_digest(digest))
                .is_some_and(|holder| holder.name == name && holder.may(Scope::ApprovalsWrite)),
            // The issuer has said so a quarter of an hour ago at most.
            SignInBy::Issuer => true,
            SignInBy::Nothing => false,
        };
        std::future::ready(may).boxed()
    }
}

fn refused(refused: oauth::SignInRefused) -> SignInRefused {
    match refused {
        oauth::SignInRefused::Refused(reason) => {
            tracing::warn!(reason, "nobody was signed in");
            SignInRefused::Unknown
        }
        oauth::SignInRefused::Unavailable => SignInRefused::Unavailable,
    }
}
