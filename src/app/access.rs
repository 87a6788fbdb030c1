//! Builds the access: who is let in over HTTP; and makes tokens.

use std::path::Path;

use secrecy::ExposeSecret as _;

use super::people::People;
use super::{Failed, print};
use crate::access::oauth::{OAuthConfig, SignIn, Verifier};
use crate::access::{Access, AccessKind, NewToken, Resource, is_name, line};
use crate::config::{AccessSettings, Inbound, OAuthSettings, Problems, variables};
use crate::domain::Scopes;
use crate::secret::is_readable_by_others;

/// Checks the tokens. Beside who is let in, who signs in to approve, where people are told apart.
///
/// # Errors
/// What is wrong, a line each.
pub(super) fn prepare(settings: AccessSettings) -> Result<(Access, Option<People>), String> {
    let token = variables::MCP_TOKEN.variable.name;
    if settings.is_unused {
        tracing::warn!("{token} is set and not used: over stdio nobody is asked for a token");
    }
    if settings.is_short {
        tracing::warn!(
            "{token} is short enough to be guessed: make a longer one, such as `openssl rand -hex 32` does"
        );
    }
    if settings.is_in_clear {
        tracing::warn!(
            "tokens and personal data cross the network in clear: set --tls-cert and --tls-key, or put a proxy with TLS before this server and name it with --public-url https://..."
        );
    }
    match settings.inbound {
        Inbound::Open => Ok((Access::open(), None)),
        Inbound::Token(token) => {
            token.readable_by_others().inspect(|path| warn_of_readers(path));
            Ok((Access::token(token), None))
        }
        Inbound::Tokens(path) => {
            let access = Access::tokens(&path).map_err(|problems| {
                let lines: Vec<String> = problems
                    .lines()
                    .map(|line| format!("--auth-tokens {}: {line}", path.display()))
                    .collect();
                lines.join("\n")
            })?;
            if is_readable_by_others(&path) {
                warn_of_readers(&path);
            }
            Ok((access.clone(), Some(People::with_tokens(access))))
        }
        Inbound::OAuth(settings) => oauth(settings),
    }
}

fn oauth(settings: OAuthSettings) -> Result<(Access, Option<People>), String> {
    let OAuthSettings { issuer, audience, client_id, client_secret, ca_file } = settings;
    client_secret
        .as_ref()
        .and_then(|secret| secret.readable_by_others())
        .inspect(|path| warn_of_readers(path));
    let resource = Resource { issuer: issuer.clone(), audience: audience.clone() };
    let config = OAuthConfig { issuer, audience, client_id, client_secret, ca_file };
    let told = |error| format!("--oauth-issuer: {error}");
    let sign_in = config.client_id.is_some().then(|| SignIn::new(&config)).transpose().map_err(told)?;
    let verifier = Verifier::new(&config).map_err(told)?;
    let access = Access::oauth(verifier, resource, config.client_secret);
    Ok((access.clone(), Some(People::at_issuer(access, sign_in))))
}

fn warn_of_readers(path: &Path) {
    tracing::warn!(path = %path.display(), "others than its owner may read this file of secrets: chmod 600 it");
}

/// Says who is let in.
pub(super) fn tell(access: &Access) {
    match access.kind() {
        AccessKind::Open => {
            tracing::info!("callers are not authenticated: whoever reaches this address is let in");
        }
        AccessKind::Token => tracing::info!("callers are authenticated by one token"),
        AccessKind::Tokens => tracing::info!("callers are authenticated by the file of tokens"),
        AccessKind::OAuth => {
            tracing::info!("callers are authenticated by access tokens of the authorization server");
        }
    }
}

/// Makes a token, and shows it.
///
/// # Errors
/// Exit 2 where the name or the scopes are wrong.
pub(super) fn new_token(name: &str, scopes: Option<&str>, mut problems: Problems) -> Result<(), Failed> {
    if !is_name(name) {
        problems.add("token new: NAME must have 1 to 64 letters, digits, dots, dashes or underscores, and not be `local`");
    }
    let scopes = match scopes.map(Scopes::read) {
        Some(Ok(scopes)) if !scopes.is_empty() => Some(scopes),
        Some(Err(error)) => {
            problems.add(format!("--scopes: {error}"));
            None
        }
        Some(Ok(_)) | None => {
            problems.add(format!("token new needs --scopes with one at least; those are {}", Scopes::ALL));
            None
        }
    };
    let scopes = problems.or(scopes)?;
    let new = NewToken::random().ok_or_else(|| anyhow::anyhow!("the system gives no randomness"))?;
    print("The token, shown this once. Its caller sends it as `Authorization: Bearer ...`:");
    print(&format!("  {}", new.token.expose_secret()));
    print("The line for the file of --auth-tokens, which holds no more than its hash:");
    print(&format!("  {}", line(name, scopes, &new.digest)));
    Ok(())
}
