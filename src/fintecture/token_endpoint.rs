//! One request to the token endpoint: `grant_type=client_credentials`, as Fintecture's SDKs ask.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use super::body;
use super::credentials::Application;
use super::failure::{Failure, FailureKind, Reach};
use super::retry::retry_after;
use crate::measures;

/// How long a token lives whose answer does not say, in seconds.
const DEFAULT_LIFE_SECONDS: u64 = 3600;
/// Longest life that is believed, in seconds: a day.
const MAX_LIFE_SECONDS: f64 = 86_400.0;

/// A token that was given out.
pub(super) struct Token {
    pub(super) access_token: SecretString,
    pub(super) life: Duration,
}

#[derive(Deserialize)]
struct Answer {
    access_token: SecretString,
    expires_in: Option<Value>,
}

/// Asks for a token.
///
/// # Errors
/// A [`Failure`] whose reason names the variable to look at. Nothing of the call itself has left.
pub(super) async fn fetch(
    http: &reqwest::Client,
    application: &Application,
    timeout: Duration,
) -> Result<Token, Failure> {
    let fetched = ask(http, application, timeout).await;
    measures::token_request(fetched.is_ok());
    fetched
}

async fn ask(http: &reqwest::Client, application: &Application, timeout: Duration) -> Result<Token, Failure> {
    let body: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("app_id", &application.id)
        .append_pair("scope", &application.scope)
        .finish();
    let response = http
        .post(application.token_url.clone())
        .basic_auth(&application.id, Some(application.secret.get().expose_secret()))
        .header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))
        .timeout(timeout)
        .body(body)
        .send()
        .await
        .map_err(|error| unreachable(&body::cause(&error)))?;
    let status = response.status().as_u16();
    let retry_after_seconds = retry_after(response.headers());
    let body = body::read(response).await.map_err(|_| unreachable("its answer broke off"))?;
    if !(200..300).contains(&status) {
        let secret = application.secret.get();
        let basic = BASE64.encode(format!("{}:{}", application.id, secret.expose_secret()));
        let detail = body::detail(&body, &[secret.expose_secret(), &basic]);
        return Err(Failure { status: Some(status), retry_after_seconds, detail, ..refused(status, &body) });
    }
    let answer: Answer = serde_json::from_slice(&body)
        .map_err(|_| unreachable("its answer holds no access_token: check FINTECTURE_TOKEN_URL"))?;
    if answer.access_token.expose_secret().is_empty() {
        return Err(unreachable("its access_token is empty"));
    }
    // Some gateways send the number as text.
    let life =
        answer.expires_in.and_then(|life| life.as_f64().or_else(|| life.as_str()?.trim().parse().ok()));
    let seconds = life.filter(|seconds| *seconds >= 1.0).map_or(DEFAULT_LIFE_SECONDS, whole_seconds);
    Ok(Token { access_token: answer.access_token, life: Duration::from_secs(seconds) })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 1, and cut at a day")]
fn whole_seconds(seconds: f64) -> u64 {
    seconds.min(MAX_LIFE_SECONDS) as u64
}

fn unreachable(why: &str) -> Failure {
    not_sent(FailureKind::Unavailable, format!("the token endpoint gave no token: {why}"))
}

fn refused(status: u16, body: &[u8]) -> Failure {
    let says = |word: &str| String::from_utf8_lossy(body).contains(word);
    let (kind, reason) = match status {
        _ if says("invalid_scope") => {
            (FailureKind::Unauthorized, "refused the scope: check FINTECTURE_SCOPE")
        }
        400 | 401 | 403 => (
            FailureKind::Unauthorized,
            "refused the application: check FINTECTURE_APP_ID and FINTECTURE_APP_SECRET",
        ),
        408 | 425 => (FailureKind::Unavailable, "did not answer in time"),
        429 => (FailureKind::RateLimited, "is asked too often"),
        404 | 405 => (FailureKind::Rejected, "is not there: check FINTECTURE_TOKEN_URL"),
        402..500 => (FailureKind::Rejected, "refused the request: check FINTECTURE_TOKEN_URL"),
        300..400 => {
            (FailureKind::Unavailable, "redirects, which is not followed: check FINTECTURE_TOKEN_URL")
        }
        _ => (FailureKind::Unavailable, "failed"),
    };
    not_sent(kind, format!("the token endpoint {reason} (status {status})"))
}

fn not_sent(kind: FailureKind, reason: String) -> Failure {
    Failure { reach: Reach::NotSent, ..Failure::new(kind, reason) }
}
