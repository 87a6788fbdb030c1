//! Where the keys are looked for, and where not.

use serde_json::json;

use super::issuer::{FakeIssuer, KEYS, METADATA, OPENID, RSA};
use super::{AUDIENCE, config, verifier};
use crate::access::oauth::{OAuthConfig, OAuthError, TokenRefused, Verifier};

async fn outcome(issuer: &FakeIssuer) -> Result<(), TokenRefused> {
    verifier(issuer).verify(&issuer.draft(AUDIENCE).token()).await.map(drop)
}

#[tokio::test]
async fn metadata_that_cannot_be_trusted_brings_no_keys() {
    let issuer = FakeIssuer::start().await;
    assert_eq!(outcome(&issuer).await, Ok(()));
    for (member, value) in [
        ("issuer", json!("https://other.example.com")),
        ("issuer", json!(format!("{}/", issuer.name()))),
        ("jwks_uri", json!("http://keys.example.com/keys")),
        ("jwks_uri", json!("file:///etc/keys")),
        ("jwks_uri", json!(KEYS)),
    ] {
        let mut metadata = issuer.metadata();
        metadata[member] = value;
        issuer.answers(METADATA, &metadata);
        assert_eq!(outcome(&issuer).await, Err(TokenRefused::Unavailable), "{metadata}");
    }
    issuer.answers(METADATA, &issuer.metadata());
    assert_eq!(outcome(&issuer).await, Ok(()));
}

#[tokio::test]
async fn keys_that_are_elsewhere_too_many_or_none_are_not_read() {
    let issuer = FakeIssuer::start().await;
    let keys = json!({"keys": [RSA.public()]});
    issuer.answers("/elsewhere", &keys);
    issuer.redirects(KEYS, "/elsewhere");
    assert_eq!(outcome(&issuer).await, Err(TokenRefused::Unavailable));
    assert!(issuer.seen("/elsewhere").is_empty(), "followed a redirect");

    let huge = json!({"keys": [RSA.public()], "padding": "x".repeat(64 * 1024)});
    issuer.answers(KEYS, &huge);
    assert_eq!(outcome(&issuer).await, Err(TokenRefused::Unavailable));
    issuer.answers_with(KEYS, 200, "<html>keys</html>");
    assert_eq!(outcome(&issuer).await, Err(TokenRefused::Unavailable));
    issuer.answers_with(KEYS, 500, &keys.to_string());
    assert_eq!(outcome(&issuer).await, Err(TokenRefused::Unavailable));
    issuer.answers(KEYS, &keys);
    assert_eq!(outcome(&issuer).await, Ok(()));
}

#[tokio::test]
async fn an_issuer_with_openid_metadata_alone_is_found_at_its_path_too() {
    let issuer = FakeIssuer::start().await;
    issuer.answers_with(METADATA, 404, "");
    assert_eq!(outcome(&issuer).await, Err(TokenRefused::Unavailable));
    issuer.answers(OPENID, &issuer.metadata());
    assert_eq!(outcome(&issuer).await, Ok(()));

    let name = issuer.url("/realms/pay");
    let mut metadata = issuer.metadata();
    metadata["issuer"] = json!(name);
    issuer.answers(&format!("/realms/pay{OPENID}"), &metadata);
    let verifier = Verifier::new(&OAuthConfig { issuer: name.clone(), ..config(&issuer) }).unwrap();
    let token = issuer.draft(AUDIENCE).claim("iss", json!(name)).token();
    assert!(verifier.verify(&token).await.is_ok());
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_at_once() {
    let issuer = FakeIssuer::start().await;
    for url in [
        "http://auth.example.com",
        "https://user@auth.example.com",
        "https://auth.example.com?tenant=1",
        "https://auth.example.com/#here",
        "auth.example.com",
        "file:///issuer",
    ] {
        let refused = Verifier::new(&OAuthConfig { issuer: url.to_owned(), ..config(&issuer) });
        assert!(matches!(refused, Err(OAuthError::Issuer)), "{url}");
    }
    let refused = Verifier::new(&OAuthConfig { audience: " ".to_owned(), ..config(&issuer) });
    assert!(matches!(refused, Err(OAuthError::Audience)));
    let refused = Verifier::new(&OAuthConfig { ca_file: Some("none.pem".into()), ..config(&issuer) });
    assert!(refused.unwrap_err().to_string().starts_with("none.pem: "));
    let https = OAuthConfig { issuer: "https://auth.example.com/realms/pay".to_owned(), ..config(&issuer) };
    assert!(Verifier::new(&https).is_ok());
}
