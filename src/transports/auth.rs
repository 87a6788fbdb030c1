//! The door behind the gate: whoever is not known is let in nowhere but to what is meant for everybody.
//!
//! Knows requests, bearer tokens (RFC 6750) and what a refused client is told (RFC 9728). Knows nothing of how a token
//! is checked, nor of what lies behind. A refused request's body is never read, and the token goes no further than
//! here: what lies behind sees a principal.

use std::net::IpAddr;
use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, Version, header, request::Parts},
    middleware::{self, Next},
    response::Response,
};
use url::form_urlencoded;

use super::{
    client,
    gate::{Gate, face},
    metadata::{self, Place},
    refusals::Refusals,
    reply,
};
use crate::{
    access::{Access, Refused, Told},
    audit::{RefusedAccess, Trail},
    domain::{Principal, Scopes},
    measures,
};

/// What a client is asked to hold where it holds nothing: every right over records. Rights for people are given out
/// on purpose.
fn asked_scopes() -> Scopes {
    Scopes::of_agents()
}

/// Longest token that is looked at, in bytes: none is as long.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Who is let in, and who is told when somebody is not.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    pub(crate) access: Access,
    pub(crate) trail: Trail,
    pub(crate) refusals: Refusals,
    pub(crate) place: Place,
}

impl Door {
    /// Puts the gate and then the door before these routes, and those of the metadata beside them.
    pub(crate) fn before(self, routes: Router, gate: Gate) -> Router {
        let door = Arc::new(self);
        let routes = routes.merge(metadata::routes(&door));
        // One layer for both: each takes its share of every request.
        routes.layer(middleware::from_fn_with_state(Arc::new((gate, door)), pass))
    }
}

/// What is open to everybody: health, the metadata, and the approval pages, which have a proof of their own. Whatever
/// else there is, or will be, is closed.
fn is_open_to_all(path: &str) -> bool {
    path == "/approvals"
        || ["/health/", "/.well-known/", "/approvals/"].iter().any(|start| path.starts_with(start))
}

/// What a request shows of whom it is from.
#[derive(Debug, PartialEq, Eq)]
enum Shown<'a> {
    Nothing,
    Token(&'a str),
    /// Not in the way it has to be.
    Badly(StatusCode, &'static str),
}

fn shown<'a>(uri: &Uri, headers: &'a HeaderMap) -> Shown<'a> {
    let query = uri.query().unwrap_or_default();
    if form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "access_token") {
        let reason = "a token must not stand in an address, which is logged in many places: this one is to be replaced. Send it as `Authorization: Bearer ...`";
        return Shown::Badly(StatusCode::BAD_REQUEST, reason);
    }
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Shown::Nothing };
    if values.next().is_some() {
        return Shown::Badly(StatusCode::BAD_REQUEST, "more than one Authorization header");
    }
    let text = value.to_str().unwrap_or_default();
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Shown::Badly(
            StatusCode::UNAUTHORIZED,
            "the Authorization header must be of the scheme Bearer",
        );
    }
    match token.trim_matches(' ') {
        "" => Shown::Badly(StatusCode::UNAUTHORIZED, "there is no token in the Authorization header"),
        token if token.len() > MAX_TOKEN_BYTES => {
            Shown::Badly(StatusCode::UNAUTHORIZED, "the token is longer than any that is good here")
        }
        token => Shown::Token(token),
    }
}

/// The middleware. The gate stands before everything but health, which a machine asks by whatever name it has for this
/// one.
async fn pass(State(entrance): State<Arc<(Gate, Arc<Door>)>>, request: Request, next: Next) -> Response {
    let (gate, door) = &*entrance;
    if !request.uri().path().starts_with("/health/")
        && let Some(kept_out) = gate.stop(&request)
    {
        return kept_out;
    }
    if is_open_to_all(request.uri().path()) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let principal = match door.enter(&parts).await {
        Ok(principal) => principal,
        Err(NotLetIn { response, wrong_token }) => {
            let (face, version) = (face(parts.uri.path()), parts.version);
            let client = parts.extensions.get::<IpAddr>().copied();
            // An answer that waits holds nothing of its request.
            drop((parts, body));
            let Some(reason) = wrong_token else { return *response };
            return match door.access.slow_down(client).await {
                // So many of an address are told as are answered at once: the log cannot be flooded.
                Told::AtOnce => {
                    tracing::warn!(reason, path = face, "refused a wrong token");
                    *response
                }
                Told::Slowly => *response,
                Told::TurnedAway => turn_away(version),
            };
        }
    };
    parts.extensions.insert(Arc::clone(&principal));
    // The token is not passed on, whatever lies behind.
    parts.headers.remove(header::AUTHORIZATION);
    let response = next.run(Request::from_parts(parts, body)).await;
    door.refusals.pace(&principal, response.status()).await;
    response
}

/// Who is not let in.
struct NotLetIn {
    response: Box<Response>,
    /// Why the token is wrong, where one was shown that is: then the answer may have to wait.
    wrong_token: Option<&'static str>,
}

impl From<Response> for NotLetIn {
    fn from(response: Response) -> Self {
        Self { response: Box::new(response), wrong_token: None }
    }
}

/// Too many answers to wrong tokens wait: this one does not, and whoever goes on has to connect anew.
fn turn_away(version: Version) -> Response {
    let mut response =
        reply::too_many("too many wrong tokens came from this address: wait, and send the right one");
    // HTTP/2 knows no such header.
    if version < Version::HTTP_2 {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

impl Door {
    async fn enter(&self, request: &Parts) -> Result<Arc<Principal>, NotLetIn> {
        if self.access.is_open() {
            return Ok(client::local());
        }
        let refuse = |reason: &'static str, principal: Option<&Principal>| {
            measures::refused_access(reason);
            let principal = principal.map(|principal| principal.name.clone());
            self.trail.refused(&RefusedAccess { reason, principal, path: face(request.uri.path()) });
        };
        let token = match shown(&request.uri, &request.headers) {
            Shown::Token(token) => token,
            Shown::Nothing => {
                refuse("no_token", None);
                let said = format!("this server lets nobody in without a token: {}", self.how_to_get_one());
                return Err(self.answer(request, StatusCode::UNAUTHORIZED, None, &said).into());
            }
            Shown::Badly(status, said) => {
                refuse("malformed", None);
                let error = (status == StatusCode::BAD_REQUEST).then_some(("invalid_request", said));
                return Err(self.answer(request, status, error, said).into());
            }
        };
        match self.access.authenticate(token).await {
            Ok(principal) if principal.scopes.is_empty() => {
                refuse("insufficient_scope", Some(&principal));
                let said = "this token holds no right on this server: ask whoever gives tokens out for one with the scopes that you need";
                let error = Some(("insufficient_scope", "the token holds no scope of this server"));
                Err(self.answer(request, StatusCode::FORBIDDEN, error, said).into())
            }
            Ok(principal) => Ok(principal),
            Err(Refused::Wrong { reason, .. }) => {
                refuse("wrong_token", None);
                let said = format!("{reason}: {}", self.how_to_get_one());
                let error = Some(("invalid_token", reason));
                let response = Box::new(self.answer(request, StatusCode::UNAUTHORIZED, error, &said));
                Err(NotLetIn { response, wrong_token: Some(reason) })
            }
            Err(Refused::Unavailable) => {
                refuse("unavailable", None);
                tracing::warn!("refused a token, since the authorization server's keys cannot be had");
                Err(reply::busy("tokens cannot be checked at the moment; try again").into())
            }
        }
    }

    fn how_to_get_one(&self) -> &'static str {
        if self.access.resource().is_some() {
            "get an access token from the authorization server that the document at resource_metadata names, and send it as `Authorization: Bearer ...`"
        } else {
            "send the one that this server's operator gave you as `Authorization: Bearer ...`"
        }
    }

    /// An answer that says what is wrong, to people in its body and to clients in its header.
    fn answer(
        &self,
        request: &Parts,
        status: StatusCode,
        error: Option<(&str, &str)>,
        said: &str,
    ) -> Response {
        let mut parts = match self.access.resource() {
            Some(resource) => {
                let metadata = metadata::address(&self.place, resource, &request.uri, &request.headers);
                vec![("resource_metadata", metadata), ("scope", asked_scopes().to_string())]
            }
            None => vec![("realm", "fintecture-mcp".to_owned())],
        };
        if let Some((error, description)) = error {
            parts.push(("error", error.to_owned()));
            parts.push(("error_description", description.to_owned()));
        }
        let quoted = |text: &str| text.replace(['"', '\\'], "'");
        let parts: Vec<String> =
            parts.iter().map(|(name, value)| format!("{name}=\"{}\"", quoted(value))).collect();
        let challenge = HeaderValue::try_from(format!("Bearer {}", parts.join(", ")))
            .unwrap_or(HeaderValue::from_static("Bearer"));
        let mut response = reply::error(status, said);
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'a>(uri: &str, headers: &'a HeaderMap) -> Shown<'a> {
        shown(&uri.parse().unwrap(), headers)
    }

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    fn status(shown: &Shown<'_>) -> Option<u16> {
        match shown {
            Shown::Badly(status, _) => Some(status.as_u16()),
            _ => None,
        }
    }

    #[test]
    fn a_token_comes_in_one_header_of_the_scheme_bearer() {
        assert_eq!(of("/mcp", &headers(&[])), Shown::Nothing);
        for good in ["Bearer abc", "bearer abc", "BEARER   abc "] {
            assert_eq!(of("/mcp", &headers(&[good])), Shown::Token("abc"), "{good}");
        }
        for bad in ["", "Bearer", "Bearer ", "abc", "Basic YTpi", "Bearerabc", "Bearer\u{e9} abc"] {
            assert_eq!(status(&of("/mcp", &headers(&[bad]))), Some(401), "{bad}");
        }
        assert_eq!(status(&of("/mcp", &headers(&["Bearer abc", "Bearer abc"]))), Some(400));
        let long = "a".repeat(MAX_TOKEN_BYTES);
        assert_eq!(of("/mcp", &headers(&[&format!("Bearer {long}")])), Shown::Token(&long));
        assert_eq!(status(&of("/mcp", &headers(&[&format!("Bearer {long}a")]))), Some(401));
    }

    #[test]
    fn a_token_in_the_address_is_refused_whatever_stands_in_the_header() {
        for uri in ["/sse?access_token=abc", "/sse?x=1&access%5Ftoken=abc", "/sse?access_token"] {
            assert_eq!(status(&of(uri, &headers(&["Bearer abc"]))), Some(400), "{uri}");
        }
        assert_eq!(of("/messages?session_id=abc", &headers(&["Bearer abc"])), Shown::Token("abc"));
    }

    #[test]
    fn what_is_not_meant_for_everybody_is_closed() {
        for open in ["/health/live", "/.well-known/oauth-protected-resource", "/approvals", "/approvals/x"] {
            assert!(is_open_to_all(open), "{open}");
        }
        for closed in
            ["/", "/mcp", "/sse", "/messages", "/metrics", "/health", "/approvalsx", "/x/health/live"]
        {
            assert!(!is_open_to_all(closed), "{closed}");
        }
    }
}
