//! A person signs in; the browser in between is played by the test.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64_URL;
use secrecy::ExposeSecret;
use serde_json::json;
use url::Url;

use super::issuer::{FakeIssuer, METADATA, Seen, TOKEN};
use super::{AUDIENCE, config, verifier};
use crate::access::oauth::{OAuthConfig, OAuthError, SignIn, SignInRefused};
use crate::domain::Principal;
use crate::secret::Secret;

fn callback() -> Url {
    "https://mcp.example.com/approvals/callback".parse().unwrap()
}

/// Signs in, with this token as the issuer's answer.
async fn signed_in(
    issuer: &FakeIssuer,
    config: &OAuthConfig,
    iss: Option<&str>,
) -> Result<Principal, SignInRefused> {
    let before = issuer.seen(TOKEN).len();
    let sign_in = SignIn::new(config).unwrap();
    let begun = sign_in.begin(&callback()).await.unwrap();
    let finished = sign_in.finish("the-code", &begun.pkce_verifier, &callback(), iss).await;
    let sent: HashMap<String, String> = begun.authorize_url.query_pairs().into_owned().collect();
    if let Some(Seen { form, .. }) = issuer.seen(TOKEN).get(before) {
        // The issuer checks this: whoever brings the code is who began.
        let challenge = BASE64_URL.encode(digest(&SHA256, form["code_verifier"].as_bytes()));
        assert_eq!(sent["code_challenge"], challenge);
        assert_eq!(form["redirect_uri"], sent["redirect_uri"]);
        assert_eq!(form["code"], "the-code");
        assert_eq!(form["resource"], AUDIENCE);
    }
    finished
}

fn gives(issuer: &FakeIssuer, token: &str) {
    issuer.answers(TOKEN, &json!({"access_token": token, "token_type": "Bearer", "expires_in": 60}));
}

#[tokio::test]
async fn a_browser_is_sent_with_a_challenge_that_is_new_each_time() {
    let issuer = FakeIssuer::start().await;
    let sign_in = SignIn::new(&config(&issuer)).unwrap();
    let (one, two) = (sign_in.begin(&callback()).await.unwrap(), sign_in.begin(&callback()).await.unwrap());
    assert!(one.authorize_url.as_str().starts_with(&issuer.url("/authorize?")));
    let sent: HashMap<String, String> = one.authorize_url.query_pairs().into_owned().collect();
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "approvals page"),
        ("redirect_uri", callback().as_str()),
        ("scope", "approvals:write"),
        ("resource", AUDIENCE),
        ("code_challenge_method", "S256"),
        ("state", &one.state),
    ] {
        assert_eq!(sent[name], value, "{name}");
    }
    assert_ne!(one.state, two.state);
    assert_ne!(one.pkce_verifier.expose_secret(), two.pkce_verifier.expose_secret());
    assert!(!format!("{one:?}").contains(one.pkce_verifier.expose_secret()));
    assert!(!one.authorize_url.as_str().contains(one.pkce_verifier.expose_secret()));
}

#[tokio::test]
async fn who_signs_in_is_who_their_own_tokens_name() {
    let issuer = FakeIssuer::start().await;
    let token = issuer.draft(AUDIENCE).token();
    gives(&issuer, &token);
    let person = signed_in(&issuer, &config(&issuer), None).await.unwrap();
    assert_eq!(Ok(Arc::new(person)), verifier(&issuer).verify(&token).await);
    let asked = issuer.seen(TOKEN).remove(0);
    assert_eq!((asked.form["client_id"].as_str(), asked.authorization), ("approvals page", None));
}

#[tokio::test]
async fn a_client_secret_goes_as_the_issuer_takes_it() {
    let issuer = FakeIssuer::start().await;
    gives(&issuer, &issuer.draft(AUDIENCE).token());
    let config = OAuthConfig { client_secret: Some(Secret::fixed("s:e+c ret")), ..config(&issuer) };
    signed_in(&issuer, &config, None).await.unwrap();
    let asked = issuer.seen(TOKEN).remove(0);
    // printf approvals+page:s%%3Ae%%2Bc+ret | base64
    assert_eq!(asked.authorization.as_deref(), Some("Basic YXBwcm92YWxzK3BhZ2U6cyUzQWUlMkJjK3JldA=="));
    assert!(!asked.form.contains_key("client_secret") && !asked.form.contains_key("client_id"));

    let mut metadata = issuer.metadata();
    metadata["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]);
    issuer.answers(METADATA, &metadata);
    signed_in(&issuer, &config, None).await.unwrap();
    let asked = issuer.seen(TOKEN).remove(1);
    assert_eq!((asked.form["client_secret"].as_str(), asked.authorization), ("s:e+c ret", None));
}

#[tokio::test]
async fn a_code_of_another_issuer_is_never_shown_to_this_one() {
    let issuer = FakeIssuer::start().await;
    gives(&issuer, &issuer.draft(AUDIENCE).token());
    let refused = Err(SignInRefused::Refused("the code is from another authorization server"));
    let other = Some("https://other.example.com");
    assert_eq!(signed_in(&issuer, &config(&issuer), other).await, refused);
    assert!(signed_in(&issuer, &config(&issuer), Some(&issuer.name())).await.is_ok());
    let mut metadata = issuer.metadata();
    metadata["authorization_response_iss_parameter_supported"] = json!(true);
    issuer.answers(METADATA, &metadata);
    assert_eq!(signed_in(&issuer, &config(&issuer), None).await, refused, "it says that it names itself");
    assert!(signed_in(&issuer, &config(&issuer), Some(&issuer.name())).await.is_ok());
    assert_eq!(issuer.seen(TOKEN).len(), 2);
}

#[tokio::test]
async fn whatever_else_the_issuer_gives_names_nobody() {
    let issuer = FakeIssuer::start().await;
    let config = config(&issuer);
    let of_us = "the authorization server gave a token that is not for this server";
    for draft in [
        issuer.draft("https://other.example.com"),
        issuer.draft(AUDIENCE).claim("exp", json!(1)),
        issuer.draft(AUDIENCE).header("typ", json!("JWT")).claim("nonce", json!("n")),
    ] {
        gives(&issuer, &draft.token());
        assert_eq!(signed_in(&issuer, &config, None).await, Err(SignInRefused::Refused(of_us)));
    }
    let token = issuer.draft(AUDIENCE).token();
    issuer.answers(TOKEN, &json!({"access_token": token, "token_type": "DPoP"}));
    let of_type = "the authorization server gave a token of another type";
    assert_eq!(signed_in(&issuer, &config, None).await, Err(SignInRefused::Refused(of_type)));
    issuer.answers_with(TOKEN, 400, r#"{"error":"invalid_grant"}"#);
    let of_code = "the authorization server did not take the code; sign in again";
    assert_eq!(signed_in(&issuer, &config, None).await, Err(SignInRefused::Refused(of_code)));
    issuer.answers(TOKEN, &json!({"id_token": token}));
    let of_none = "the authorization server gave no token that can be read";
    assert_eq!(signed_in(&issuer, &config, None).await, Err(SignInRefused::Refused(of_none)));
    issuer.answers_with(TOKEN, 500, "");
    assert_eq!(signed_in(&issuer, &config, None).await, Err(SignInRefused::Unavailable));
    gives(&issuer, &token);
    assert!(signed_in(&issuer, &config, None).await.is_ok());
}

#[tokio::test]
async fn an_issuer_that_cannot_do_it_is_not_tried() {
    let issuer = FakeIssuer::start().await;
    let mut metadata = issuer.metadata();
    metadata["code_challenge_methods_supported"] = json!(["plain"]);
    issuer.answers(METADATA, &metadata);
    let refused = SignIn::new(&config(&issuer)).unwrap().begin(&callback()).await.unwrap_err();
    assert!(refused.to_string().ends_with("does not offer PKCE with S256"), "{refused}");
    let mut metadata = issuer.metadata();
    metadata["authorization_endpoint"] = json!("http://other.example.com/authorize");
    issuer.answers(METADATA, &metadata);
    let refused = SignIn::new(&config(&issuer)).unwrap().begin(&callback()).await.unwrap_err();
    assert!(refused.to_string().ends_with("names no authorization endpoint"), "{refused}");
    issuer.is_down(true);
    let refused = SignIn::new(&config(&issuer)).unwrap().begin(&callback()).await.unwrap_err();
    assert_eq!(refused, SignInRefused::Unavailable);
    let nobody = SignIn::new(&OAuthConfig { client_id: None, ..config(&issuer) });
    assert!(matches!(nobody, Err(OAuthError::ClientId)));
}
