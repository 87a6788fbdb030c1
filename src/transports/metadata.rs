//! What a client is told before it holds a token: which authorization server gives tokens out, and what for (RFC 9728).
//!
//! There is such a document with an authorization server alone. It stands at three addresses, since clients ask for
//! the one that goes with the address they were given.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::Request,
    http::{HeaderMap, HeaderValue, Uri, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use url::Url;

use super::auth::Door;
use crate::{
    access::Resource,
    domain::{Scope, Scopes},
};

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
/// The addresses of the server that a client may have been given.
const FACES: [&str; 2] = ["/mcp", "/sse"];
/// What the document calls this server.
const NAME: &str = "fintecture-mcp: customers, bank accounts and identity verifications";

/// The routes of the document, where there is one.
pub(crate) fn routes(door: &Arc<Door>) -> Router {
    let mut routes = Router::new();
    let Some(resource) = door.access.resource() else { return routes };
    for face in ["", FACES[0], FACES[1]] {
        let (door, resource) = (Arc::clone(door), resource.clone());
        let handler = move |request: Request| async move {
            respond(document(&door.place, &resource, face, request.uri(), request.headers()))
        };
        routes = routes.route(&format!("{WELL_KNOWN}{face}"), get(handler));
    }
    routes
}

fn respond(document: Value) -> Response {
    ([(header::CACHE_CONTROL, HeaderValue::from_static("max-age=300"))], Json(document)).into_response()
}

fn document(place: &Place, resource: &Resource, face: &str, uri: &Uri, headers: &HeaderMap) -> Value {
    // Clients ask for tokens for what stands here. An audience that is no address is only known to their server.
    let is_address = Url::parse(&resource.audience).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    let identifier =
        if is_address { resource.audience.clone() } else { format!("{}{face}", place.base(uri, headers)) };
    json!({
        "resource": identifier,
        "authorization_servers": [resource.issuer],
        "scopes_supported": Scopes::ALL.iter().map(Scope::as_str).collect::<Vec<_>>(),
        "bearer_methods_supported": ["header"],
        "resource_name": NAME,
    })
}

/// The address of the document that goes with the audience: `/mcp` has its own, and so on.
pub(crate) fn address(place: &Place, resource: &Resource, uri: &Uri, headers: &HeaderMap) -> String {
    let face = FACES.into_iter().find(|face| resource.audience.ends_with(face)).unwrap_or_default();
    format!("{}{WELL_KNOWN}{face}", place.base(uri, headers))
}

/// Where clients find this server.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// As its operator says.
    pub(crate) public_url: Option<Url>,
    /// Whether it speaks TLS itself.
    pub(crate) has_tls: bool,
}

impl Place {
    /// Its address, without a slash at the end: as its operator says, or as the client calls it, which the gate has
    /// found to be one of its names.
    fn base(&self, uri: &Uri, headers: &HeaderMap) -> String {
        if let Some(url) = &self.public_url {
            return url.as_str().trim_end_matches('/').to_owned();
        }
        let authority = uri.authority().map(|authority| authority.as_str().to_owned());
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let scheme = if self.has_tls { "https" } else { "http" };
        format!("{scheme}://{}", host.map(str::to_owned).or(authority).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(audience: &str, public_url: Option<&str>) -> (String, String) {
        let resource = Resource { issuer: "https://id.example".to_owned(), audience: audience.to_owned() };
        let place = Place { public_url: public_url.map(|url| url.parse().unwrap()), has_tls: false };
        let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("127.0.0.1:8080"))]);
        let uri = Uri::from_static("/mcp");
        let document = document(&place, &resource, "/mcp", &uri, &headers);
        assert_eq!(document["authorization_servers"], json!(["https://id.example"]));
        let address = address(&place, &resource, &uri, &headers);
        (document["resource"].as_str().unwrap().to_owned(), address)
    }

    #[test]
    fn clients_are_told_what_tokens_must_be_for_and_where_it_is_written() {
        for (audience, public_url, resource, address) in [
            (
                "https://mcp.example.com/mcp",
                Some("https://mcp.example.com/"),
                "https://mcp.example.com/mcp",
                "https://mcp.example.com/.well-known/oauth-protected-resource/mcp",
            ),
            (
                "https://mcp.example.com",
                Some("https://mcp.example.com"),
                "https://mcp.example.com",
                "https://mcp.example.com/.well-known/oauth-protected-resource",
            ),
            (
                "http://127.0.0.1:8080/sse",
                None,
                "http://127.0.0.1:8080/sse",
                "http://127.0.0.1:8080/.well-known/oauth-protected-resource/sse",
            ),
            (
                "urn:fintecture-mcp",
                Some("https://example.com/kyc/"),
                "https://example.com/kyc/mcp",
                "https://example.com/kyc/.well-known/oauth-protected-resource",
            ),
        ] {
            assert_eq!(told(audience, public_url), (resource.to_owned(), address.to_owned()), "{audience}");
        }
    }

    #[test]
    fn with_tls_the_document_is_found_by_tls() {
        let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("localhost:8443"))]);
        let place = Place { public_url: None, has_tls: true };
        assert_eq!(place.base(&Uri::from_static("/mcp"), &headers), "https://localhost:8443");
    }
}
