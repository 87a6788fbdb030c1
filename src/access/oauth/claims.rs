//! What a token says once its signature is verified, and what it must say.

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, get_current_timestamp};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::header::Header;
use super::principal;
use super::{LEEWAY_SECONDS, OAuthConfig, TokenRefused};
use crate::domain::{Principal, Scopes};

/// The claims that matter. Members of other types than these make a token unreadable.
#[derive(Deserialize)]
pub(super) struct Claims {
    /// One text: a list of issuers is none of ours.
    iss: String,
    sub: Option<String>,
    client_id: Option<String>,
    azp: Option<String>,
    iat: Option<f64>,
    /// Verified by then; of whatever type it comes.
    exp: Option<Value>,
    scope: Option<Words>,
    scp: Option<Words>,
    nonce: Option<IgnoredAny>,
    at_hash: Option<IgnoredAny>,
    c_hash: Option<IgnoredAny>,
    events: Option<IgnoredAny>,
    cnf: Option<IgnoredAny>,
}

/// A list with spaces, or a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    Text(String),
    List(Vec<String>),
}

/// What the claims must be.
pub(super) fn expected(config: &OAuthConfig) -> Validation {
    let mut expected = Validation::new(Algorithm::RS256);
    expected.leeway = LEEWAY_SECONDS;
    expected.validate_nbf = true;
    expected.set_issuer(&[&config.issuer]);
    expected.set_audience(&[&config.audience]);
    expected.set_required_spec_claims(&["exp", "iss", "aud"]);
    expected
}

/// Verifies the signature with this key, then the claims. `None`: this key did not sign it.
pub(super) fn verified(
    token: &str,
    algorithm: Algorithm,
    key: &DecodingKey,
    expected: &Validation,
) -> Option<Result<Claims, &'static str>> {
    let expected = Validation { algorithms: vec![algorithm], ..expected.clone() };
    let error = match jsonwebtoken::decode::<Claims>(token, key, &expected) {
        Ok(token) => return Some(Ok(token.claims)),
        Err(error) => error.into_kind(),
    };
    Some(Err(match error {
        ErrorKind::ExpiredSignature => "the token has expired",
        ErrorKind::ImmatureSignature => "the token is not valid yet",
        ErrorKind::InvalidAudience => "the token is for another audience",
        ErrorKind::InvalidIssuer => "the token is from another issuer",
        ErrorKind::MissingRequiredClaim(claim) if claim == "exp" => {
            "the token has no exp, or one that is no time"
        }
        ErrorKind::MissingRequiredClaim(claim) if claim == "aud" => "the token has no aud",
        ErrorKind::MissingRequiredClaim(_) => "the token has no iss",
        ErrorKind::InvalidClaimFormat(_) => "the token has an exp or nbf that is no time",
        ErrorKind::Json(_) | ErrorKind::Utf8(_) => "the token has claims that cannot be read",
        // The signature, or a key that cannot be one for this algorithm.
        _ => return None,
    }))
}

impl Claims {
    /// The last second in which the token is certainly good, in seconds since 1970; nothing where that is not plain.
    pub(super) fn good_until(&self) -> Option<u64> {
        let expires = self.exp.as_ref()?.as_u64()?;
        // One less than is allowed: what is remembered never outlives what would be verified.
        expires.checked_add(LEEWAY_SECONDS - 1)
    }

    /// Whom it names.
    ///
    /// # Errors
    /// [`TokenRefused::Invalid`] where it is no access token that anybody may show.
    pub(super) fn principal(self, header: &Header) -> Result<Principal, TokenRefused> {
        let latest = get_current_timestamp().saturating_add(LEEWAY_SECONDS);
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit")]
        if self.iat.is_some_and(|issued| issued > latest as f64) {
            return Err(TokenRefused::Invalid("the token was issued in the future"));
        }
        // An ID token tells a client who signed in, and a logout token that somebody left. Their audience is that
        // client, so one that names us means that our two names were mixed up; still it gives nobody a right.
        let others = [&self.nonce, &self.at_hash, &self.c_hash, &self.events];
        if !header.is_typed && others.into_iter().any(Option::is_some) {
            return Err(TokenRefused::Invalid(
                "the token is an ID token, or another one that is no access token",
            ));
        }
        // The issuer bound it to a key, so that a thief cannot use it; taken without the proof, a thief could.
        if self.cnf.is_some() {
            return Err(TokenRefused::Invalid(
                "the token is bound to a key (DPoP or mTLS), which is not supported",
            ));
        }
        let client = self.client_id.as_deref().or(self.azp.as_deref());
        let name = principal::name(&self.iss, self.sub.as_deref(), client)
            .ok_or(TokenRefused::Invalid("the token names nobody: it has neither sub nor client_id"))?;
        let scopes = match self.scope.or(self.scp) {
            Some(Words::Text(list)) => Scopes::known_in(&list),
            Some(Words::List(list)) => Scopes::known_in(&list.join(" ")),
            None => Scopes::NONE,
        };
        Ok(Principal::authenticated(name, scopes))
    }
}
