//! Which tokens are taken: every refused one differs from a good one in one thing alone.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD as BASE64_URL};
use serde_json::{Value, json};

use super::issuer::{Draft, FakeIssuer, OTHER_RSA, RSA, Signer, now};
use super::{AUDIENCE, verifier};
use crate::access::oauth::TokenRefused;
use crate::domain::{Scope, Scopes};

const NO_KEY: &str = "the token is signed with a key that the issuer does not have";
const NOT_ITS_KEYS: &str = "the token has a signature that is not its key's";
const NOT_ITS_ALGORITHM: &str = "the token is not signed with the algorithm of its key";
const NO_ALGORITHM: &str = "the token is not signed with an algorithm that is accepted";
const UNREADABLE: &str = "the token has claims that cannot be read";

#[tokio::test]
async fn what_a_token_must_say() {
    let issuer = FakeIssuer::start().await;
    let verifier = verifier(&issuer);
    let good = || issuer.draft(AUDIENCE);
    let slash = format!("{}/", issuer.name());
    let (past, soon) = (now() - 31, now() + 600);

    let refused: Vec<(&str, Draft)> = vec![
        ("the token is for another audience", good().claim("aud", json!("https://other.example.com"))),
        ("the token is for another audience", good().claim("aud", json!(format!("{AUDIENCE}/")))),
        ("the token is for another audience", good().claim("aud", json!(["https://mcp.example.com", "web"]))),
        ("the token is for another audience", good().claim("aud", json!([]))),
        ("the token has no aud", good().claim("aud", Value::Null)),
        ("the token has no aud", good().claim("aud", json!([AUDIENCE, 5]))),
        ("the token is from another issuer", good().claim("iss", json!("https://other.example.com"))),
        ("the token is from another issuer", good().claim("iss", json!(slash))),
        (UNREADABLE, good().claim("iss", json!([issuer.name()]))),
        (UNREADABLE, good().claim("iss", Value::Null)),
        ("the token has expired", good().claim("exp", json!(past))),
        ("the token has no exp, or one that is no time", good().claim("exp", Value::Null)),
        ("the token has no exp, or one that is no time", good().claim("exp", json!("never"))),
        ("the token has no exp, or one that is no time", good().claim("exp", json!(-1))),
        ("the token is not valid yet", good().claim("nbf", json!(soon))),
        ("the token has an exp or nbf that is no time", good().claim("nbf", json!("now"))),
        ("the token was issued in the future", good().claim("iat", json!(soon))),
        ("the token is of another type than an access token", good().header("typ", json!("logout+jwt"))),
        ("the token is of another type than an access token", good().header("typ", json!("secevent+jwt"))),
        ("the token demands an extension that is not supported", good().header("crit", json!(["b64"]))),
        (
            "the token is bound to a key (DPoP or mTLS), which is not supported",
            good().claim("cnf", json!({"jkt": "x"})),
        ),
        (
            "the token names nobody: it has neither sub nor client_id",
            good().claim("sub", Value::Null).claim("client_id", Value::Null),
        ),
        (UNREADABLE, good().claim("sub", json!(5))),
        ("the token is larger than 8 KiB", good().claim("jti", json!("x".repeat(8 * 1024)))),
    ];
    for (reason, draft) in refused {
        let claims = &draft.claims;
        assert_eq!(
            verifier.verify(&draft.token()).await,
            Err(TokenRefused::Invalid(reason)),
            "{} {claims}",
            draft.header
        );
    }
    for draft in [
        good(),
        good().claim("aud", json!(["https://other.example.com", AUDIENCE])),
        // The clocks may be apart, a little.
        good().claim("exp", json!(now() - 1)),
        good().claim("nbf", json!(now() + 20)).claim("iat", json!(now() + 20)),
        good().claim("nbf", Value::Null).claim("iat", Value::Null),
        good().claim("exp", json!(f64::from(u32::MAX))),
        good().header("typ", json!("JWT")),
        good().header("typ", json!("application/at+jwt")),
        good().header("typ", Value::Null),
    ] {
        let name = verifier.verify(&draft.token()).await.unwrap().name.clone();
        assert!(name.starts_with("oauth:user#") && !name.contains("ada"), "{name}");
    }
}

#[tokio::test]
async fn an_id_token_is_no_access_token() {
    let issuer = FakeIssuer::start().await;
    let verifier = verifier(&issuer);
    let refused =
        Err(TokenRefused::Invalid("the token is an ID token, or another one that is no access token"));
    for (claim, value) in [
        ("nonce", json!("n")),
        ("at_hash", json!("h")),
        ("c_hash", json!("h")),
        ("events", json!({"http://schemas.openid.net/event/backchannel-logout": {}})),
    ] {
        let untyped = issuer.draft(AUDIENCE).header("typ", json!("JWT"));
        assert!(verifier.verify(&untyped.token()).await.is_ok());
        assert_eq!(verifier.verify(&untyped.claim(claim, value.clone()).token()).await, refused, "{claim}");
        // What says that it is an access token is one, whatever else the issuer put in.
        let typed = issuer.draft(AUDIENCE).claim(claim, value);
        assert!(verifier.verify(&typed.token()).await.is_ok(), "{claim}");
    }
}

#[tokio::test]
async fn who_may_have_signed_it() {
    let issuer = FakeIssuer::start().await;
    let (ec, unpublished) = (Signer::p256("ec"), Signer::p256("unpublished"));
    let mut encrypting = Signer::p256("enc").public();
    encrypting["use"] = json!("enc");
    let mut signing_alone = Signer::p256("ops").public();
    signing_alone["key_ops"] = json!(["sign"]);
    issuer.publishes(&[RSA.public(), ec.public(), encrypting.clone(), signing_alone]);
    let verifier = verifier(&issuer);
    let good = || issuer.draft(AUDIENCE);

    let under = |id: &str, signer: &Signer| {
        let signer = Signer { id: id.to_owned(), ..signer.clone() };
        good().signed_by(&signer)
    };
    let none = good().header("alg", json!("none"));
    let stripped = {
        let token = none.token();
        format!("{}.", token.rsplit_once('.').unwrap().0)
    };
    let altered = {
        let (mine, other) = (good().token(), good().claim("scope", json!("customers:write")).token());
        let part = |token: &str, at: usize| token.split('.').nth(at).unwrap().to_owned();
        format!("{}.{}.{}", part(&mine, 0), part(&other, 1), part(&mine, 2))
    };
    let mut own_key = good().signed_by(&OTHER_RSA).header("kid", Value::Null);
    own_key.header["jwk"] = OTHER_RSA.public();
    let mut pss = RSA.clone();
    pss.algorithm = jsonwebtoken::Algorithm::PS256;

    for (reason, token) in [
        (NO_ALGORITHM, none.token()),
        (NO_ALGORITHM, stripped),
        (NO_ALGORITHM, good().header("alg", json!("None")).token()),
        (NO_ALGORITHM, good().header("alg", json!("ES512")).token()),
        (NO_KEY, good().signed_by(&unpublished).token()),
        (NO_KEY, under("enc", &unpublished).token()),
        (NO_KEY, under("ops", &unpublished).token()),
        (NO_KEY, good().signed_by(&unpublished).header("kid", Value::Null).token()),
        (NO_KEY, own_key.token()),
        (NOT_ITS_KEYS, under("rsa", &OTHER_RSA).token()),
        (NOT_ITS_KEYS, under("ec", &unpublished).token()),
        (NOT_ITS_KEYS, altered),
        (NOT_ITS_ALGORITHM, under("ec", &RSA).token()),
        (NOT_ITS_ALGORITHM, under("rsa", &ec).token()),
        // The key was published for RS256 alone.
        (NOT_ITS_ALGORITHM, under("rsa", &pss).token()),
        (
            "the token is not a signed JWT: opaque tokens are not supported",
            "2YotnFZFEjr1zCsicMWpAA".to_owned(),
        ),
        ("the token is not a signed JWT: opaque tokens are not supported", String::new()),
        ("the token is not a signed JWT: opaque tokens are not supported", format!("{}.x.y", good().token())),
        ("the token is not a signed JWT: its header cannot be read", format!("x{}", good().token())),
        ("the token is not a signed JWT: its header cannot be read", "..".to_owned()),
        ("the token is not a signed JWT: its header cannot be read", good().header("kid", json!(7)).token()),
    ] {
        assert_eq!(verifier.verify(&token).await, Err(TokenRefused::Invalid(reason)), "{token}");
    }
    for draft in [good(), good().signed_by(&ec), good().header("kid", Value::Null)] {
        assert!(verifier.verify(&draft.token()).await.is_ok(), "{}", draft.header);
    }
}

/// What verifies must not be able to sign: with HS256 a public key would be a secret that everybody knows.
#[tokio::test]
async fn a_public_key_is_no_secret() {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let public: aws_lc_rs::encoding::PublicKeyX509Der<'_> = {
        use aws_lc_rs::signature::KeyPair as _;
        pair.public_key().as_der().unwrap()
    };
    let pem =
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64.encode(public.as_ref()));
    let issuer = FakeIssuer::start().await;
    let modulus = RSA.public()["n"].as_str().unwrap().to_owned();
    let verifier = verifier(&issuer);
    let raw = BASE64_URL.decode(&modulus).unwrap();
    for secret in [pem.as_bytes(), public.as_ref(), modulus.as_bytes(), &raw, b""] {
        let token = issuer.draft(AUDIENCE).signed_by(&Signer::secret("rsa", secret)).token();
        assert_eq!(verifier.verify(&token).await, Err(TokenRefused::Invalid(NO_ALGORITHM)));
    }
    // Not even where the issuer publishes a secret.
    let oct = json!({"kty": "oct", "kid": "oct", "k": BASE64_URL.encode("secret"), "alg": "HS256"});
    issuer.publishes(&[RSA.public(), oct]);
    let token = issuer.draft(AUDIENCE).signed_by(&Signer::secret("oct", b"secret"));
    assert_eq!(verifier.verify(&token.token()).await, Err(TokenRefused::Invalid(NO_ALGORITHM)));
    let rs256 = token.header("alg", json!("RS256"));
    assert_eq!(verifier.verify(&rs256.token()).await, Err(TokenRefused::Invalid(NO_KEY)));
    assert!(verifier.verify(&issuer.draft(AUDIENCE).token()).await.is_ok());
}

#[tokio::test]
async fn every_algorithm_with_a_private_key_is_taken_beside_keys_that_nobody_here_can_read() {
    let issuer = FakeIssuer::start().await;
    let mut signers = vec![Signer::p256("p256"), Signer::p384("p384"), Signer::ed25519("ed")];
    let mut rsa_for_all = RSA.public();
    rsa_for_all.as_object_mut().unwrap().shift_remove("alg");
    rsa_for_all["kid"] = json!("any");
    for name in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] {
        signers.push(Signer { id: "any".to_owned(), algorithm: name.parse().unwrap(), ..RSA.clone() });
    }
    let mut published = vec![
        json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "x", "kid": "p256"}),
        json!({"kty": "RSA", "n": 5}),
        json!("no key"),
        rsa_for_all,
    ];
    published.extend(signers.iter().take(3).map(Signer::public));
    issuer.publishes(&published);
    let verifier = verifier(&issuer);
    for signer in signers {
        let token = issuer.draft(AUDIENCE).signed_by(&signer).token();
        assert!(verifier.verify(&token).await.is_ok(), "{:?}", signer.algorithm);
    }
}

#[tokio::test]
async fn what_a_token_allows_and_whom_it_names() {
    let issuer = FakeIssuer::start().await;
    let verifier = verifier(&issuer);
    let two = Scopes::NONE.with(Scope::CustomersWrite).with(Scope::VerificationsRead);
    let words = "openid customers:write verifications:read customers:everything";
    let list: Vec<&str> = words.split(' ').collect();
    for (claim, value, scopes) in [
        ("scope", json!(words), two),
        ("scope", json!(list), two),
        ("scp", json!(words), two),
        ("scp", json!(list), two),
        ("scope", Value::Null, Scopes::NONE),
    ] {
        let draft = issuer.draft(AUDIENCE).claim("scope", Value::Null).claim(claim, value);
        let principal = verifier.verify(&draft.token()).await.unwrap();
        assert_eq!(principal.scopes, scopes, "{}", draft.claims);
        assert!(principal.is_authenticated);
    }
    let name = async |draft: Draft| verifier.verify(&draft.token()).await.unwrap().name.clone();
    let person = name(issuer.draft(AUDIENCE)).await;
    assert_eq!(
        person,
        name(issuer.draft(AUDIENCE).claim("jti", json!("2")).claim("client_id", json!("cli"))).await
    );
    let agent = issuer.draft(AUDIENCE).claim("sub", json!("agent")).claim("client_id", json!("agent"));
    assert_eq!(name(agent.clone()).await, "oauth:client:agent");
    let azp = agent.clone().claim("client_id", Value::Null).claim("azp", json!("agent"));
    assert_eq!(name(azp).await, "oauth:client:agent");
    assert!(name(agent.claim("client_id", json!("web"))).await.starts_with("oauth:user#"));
}
