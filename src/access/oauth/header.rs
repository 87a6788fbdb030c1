//! A token's header, read before any key is looked for: what it says decides whether one is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64_URL;
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{MAX_TOKEN_BYTES, TokenRefused};

/// What matters of a header. Where it brings keys of its own (`jwk`, `jku`, `x5u`), nobody looks.
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
    /// Whether its type says that it is an access token (RFC 9068), which others than access tokens never say.
    pub(super) is_typed: bool,
}

#[derive(Deserialize)]
struct Written {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<IgnoredAny>,
}

impl Header {
    /// Reads it.
    ///
    /// # Errors
    /// [`TokenRefused::Invalid`] where this token cannot be one of ours, whoever signed it.
    pub(super) fn read(token: &str) -> Result<Self, TokenRefused> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenRefused::Invalid("the token is larger than 8 KiB"));
        }
        let mut parts = token.split('.');
        let (Some(header), Some(_), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(TokenRefused::Invalid(
                "the token is not a signed JWT: opaque tokens are not supported",
            ));
        };
        let written: Option<Written> =
            BASE64_URL.decode(header).ok().and_then(|json| serde_json::from_slice(&json).ok());
        let Some(written) = written else {
            return Err(TokenRefused::Invalid("the token is not a signed JWT: its header cannot be read"));
        };
        let Some(algorithm) = asymmetric(&written.alg) else {
            return Err(TokenRefused::Invalid("the token is not signed with an algorithm that is accepted"));
        };
        if written.crit.is_some() {
            return Err(TokenRefused::Invalid("the token demands an extension that is not supported"));
        }
        let typ = written.typ.map(|typ| typ.to_ascii_lowercase());
        let is_typed = match typ.as_deref() {
            Some("at+jwt" | "application/at+jwt") => true,
            Some("jwt") | None => false,
            Some(_) => {
                return Err(TokenRefused::Invalid("the token is of another type than an access token"));
            }
        };
        Ok(Self { algorithm, key_id: written.kid, is_typed })
    }
}

/// The algorithms whose keys one may publish. `none` needs no key, and with HS256 what verifies can also sign.
fn asymmetric(name: &str) -> Option<Algorithm> {
    Some(match name {
        "RS256" => Algorithm::RS256,
        "RS384" => Algorithm::RS384,
        "RS512" => Algorithm::RS512,
        "PS256" => Algorithm::PS256,
        "PS384" => Algorithm::PS384,
        "PS512" => Algorithm::PS512,
        "ES256" => Algorithm::ES256,
        "ES384" => Algorithm::ES384,
        "EdDSA" => Algorithm::EdDSA,
        _ => return None,
    })
}
