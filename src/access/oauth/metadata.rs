//! What the issuer says about itself: RFC 8414, or `OpenID` Connect Discovery where that is all it has.

use serde::Deserialize;
use url::Url;

use super::http::{self, FetchError};

/// Where the issuer's parts are.
#[derive(Debug, Clone)]
pub(super) struct Metadata {
    pub(super) keys: Url,
    pub(super) authorize: Option<Url>,
    pub(super) token: Option<Url>,
    /// Whether it takes the only way of PKCE that protects; an issuer that does not say is believed to.
    pub(super) has_s256: bool,
    /// Whether it takes a client's secret in the body alone.
    pub(super) wants_secret_in_body: bool,
    /// Whether it names itself in what it sends a browser back with (RFC 9207).
    pub(super) names_itself: bool,
}

/// Why there is none that can be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum MetadataError {
    #[error("its metadata cannot be read at {first} ({why}) nor at {second} ({because})")]
    None { first: Url, why: FetchError, second: Url, because: FetchError },
    #[error("its metadata cannot be read: {0}")]
    Fetch(FetchError),
    #[error("its metadata names another issuer; set --oauth-issuer to exactly what it says")]
    OtherIssuer,
    #[error("its metadata has no jwks_uri that can be used: it must be https, or loopback as the issuer is")]
    Keys,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: Option<String>,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    code_challenge_methods_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    authorization_response_iss_parameter_supported: Option<bool>,
}

/// Where an issuer's metadata may be: the well-known part stands before its path (RFC 8414) or after it (`OpenID`).
fn places(issuer: &Url) -> [Url; 2] {
    let path = issuer.path().trim_end_matches('/');
    let at = |path: &str| {
        let mut url = issuer.clone();
        url.set_path(path);
        url
    };
    [
        at(&format!("/.well-known/oauth-authorization-server{path}")),
        at(&format!("{path}/.well-known/openid-configuration")),
    ]
}

/// Reads it. `name` is the issuer as it spells itself.
pub(super) async fn discover(
    http: &reqwest::Client,
    name: &str,
    issuer: &Url,
) -> Result<Metadata, MetadataError> {
    let [first, second] = places(issuer);
    let document: Document = match http::json(http.get(first.clone())).await {
        Ok(document) => document,
        Err(why @ (FetchError::Status(_) | FetchError::NotJson)) => http::json(http.get(second.clone()))
            .await
            .map_err(|because| MetadataError::None { first, why, second, because })?,
        Err(error) => return Err(MetadataError::Fetch(error)),
    };
    if document.issuer != name {
        return Err(MetadataError::OtherIssuer);
    }
    let safe = |url: Option<String>| {
        url.and_then(|url| url.parse::<Url>().ok()).filter(|url| http::is_safe(url, issuer))
    };
    let takes = |list: &Option<Vec<String>>, word: &str| {
        list.as_ref().is_some_and(|list| list.iter().any(|each| each == word))
    };
    let methods = &document.token_endpoint_auth_methods_supported;
    Ok(Metadata {
        has_s256: document.code_challenge_methods_supported.is_none()
            || takes(&document.code_challenge_methods_supported, "S256"),
        wants_secret_in_body: takes(methods, "client_secret_post") && !takes(methods, "client_secret_basic"),
        names_itself: document.authorization_response_iss_parameter_supported.unwrap_or_default(),
        keys: safe(document.jwks_uri).ok_or(MetadataError::Keys)?,
        authorize: safe(document.authorization_endpoint),
        token: safe(document.token_endpoint),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_part_stands_before_an_issuers_path_or_after_it() {
        for (issuer, first, second) in [
            (
                "https://a.example",
                "/.well-known/oauth-authorization-server",
                "/.well-known/openid-configuration",
            ),
            (
                "https://a.example/",
                "/.well-known/oauth-authorization-server",
                "/.well-known/openid-configuration",
            ),
            (
                "https://a.example/realms/pay",
                "/.well-known/oauth-authorization-server/realms/pay",
                "/realms/pay/.well-known/openid-configuration",
            ),
        ] {
            let places = places(&issuer.parse().unwrap()).map(|place| place.path().to_owned());
            assert_eq!(places, [first, second], "{issuer}");
        }
    }
}
