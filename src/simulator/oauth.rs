//! The token endpoint, as the official SDKs call it: client credentials, a form, HTTP Basic.
//!
//! Every application is known: any `app_id` with any secret gets a token.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

use super::fault::TokenLife;
use super::gate::credentials;
use super::refusal::Refusal;
use super::request::{Body, content_type_is};
use super::shared::Shared;
use super::tokens::TOKEN_LIFE;
use super::wire::AccessToken;

const FORM: &str = "application/x-www-form-urlencoded";

/// The scope of a token when the form names none: the default of the official SDKs.
const DEFAULT_SCOPE: &str = "PIS";

/// `POST /oauth/accesstoken`.
pub(super) async fn access_token(
    State(shared): State<Arc<Shared>>,
    ordered: Option<Extension<TokenLife>>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, Refusal> {
    if !content_type_is(&headers, FORM) {
        return Err(Refusal::UnsupportedMediaType(FORM));
    }
    let form = Form::parse(&body)?;
    if form.grant_type.as_deref() != Some("client_credentials") {
        return Err(Refusal::Malformed("grant_type must be client_credentials"));
    }
    let app_id = form.app_id.filter(|id| !id.is_empty()).ok_or(Refusal::Malformed("app_id is required"))?;
    if !speaks_for(&headers, &app_id) {
        return Err(Refusal::UnknownApplication);
    }
    let answer = AccessToken {
        access_token: match ordered {
            None => shared.tokens().issue(shared.clock.now()),
            Some(Extension(TokenLife(life))) => shared.tokens().issue_short_lived(shared.clock.now(), life),
        },
        token_type: "Bearer",
        expires_in: TOKEN_LIFE.as_secs(),
        scope: form.scope.filter(|scope| !scope.is_empty()).unwrap_or_else(|| DEFAULT_SCOPE.to_owned()),
    };
    // RFC 6749, section 5.1: no cache may keep a token.
    Ok(([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(answer)).into_response())
}

/// Whether the `Authorization` header names this application, with a secret.
fn speaks_for(headers: &HeaderMap, app_id: &str) -> bool {
    let decoded = credentials(headers, "Basic").and_then(|basic| STANDARD.decode(basic).ok());
    let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    text.as_deref()
        .and_then(|text| text.split_once(':'))
        .is_some_and(|(id, secret)| id == app_id && !secret.is_empty())
}

#[derive(Default)]
struct Form {
    grant_type: Option<String>,
    app_id: Option<String>,
    scope: Option<String>,
}

impl Form {
    /// Reads a form; fields that it does not know are ignored.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] when a field comes twice (RFC 6749, section 3.2).
    fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            let field = match &*name {
                "grant_type" => &mut form.grant_type,
                "app_id" => &mut form.app_id,
                "scope" => &mut form.scope,
                _ => continue,
            };
            if field.replace(value.into_owned()).is_some() {
                return Err(Refusal::Malformed("a field of the form is given twice"));
            }
        }
        Ok(form)
    }
}
