//! Signatures over what really went out, verified as the receiver would.

use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use wiremock::Mock;
use wiremock::matchers::any;

use super::*;

fn key() -> (aws_lc_rs::rsa::KeyPair, String, String) {
    use aws_lc_rs::encoding::AsDer as _;
    let key = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let pkcs8: aws_lc_rs::encoding::Pkcs8V1Der<'_> = key.as_der().unwrap();
    let pem = |label: &str, der: &[u8]| {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64.encode(der))
    };
    let pkcs8_pem = pem("PRIVATE KEY", pkcs8.as_ref());
    let encrypted = pem("ENCRYPTED PRIVATE KEY", b"whatever");
    (key, pkcs8_pem, encrypted)
}

fn verify(key: &aws_lc_rs::rsa::KeyPair, request: &wiremock::Request) {
    let header = |name: &str| request.headers[name].to_str().unwrap().to_owned();
    let target = match request.url.query() {
        Some(query) => format!("{}?{query}", request.url.path()),
        None => request.url.path().to_owned(),
    };
    let mut signed = format!(
        "(request-target): {} {target}\ndate: {}",
        request.method.as_str().to_lowercase(),
        header("date")
    );
    let mut names = "(request-target) date".to_owned();
    if !request.body.is_empty() {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &request.body);
        assert_eq!(header("digest"), format!("SHA-256={}", BASE64.encode(digest.as_ref())));
        signed.push_str("\ndigest: ");
        signed.push_str(&header("digest"));
        names += " digest";
    }
    signed.push_str("\nx-request-id: ");
    signed.push_str(&header("x-request-id"));
    names += " x-request-id";
    let prefix = format!(r#"keyId="app",algorithm="rsa-sha256",headers="{names}",signature=""#);
    let signature = header("signature");
    let encoded = signature
        .strip_prefix(&prefix)
        .and_then(|rest| rest.strip_suffix('"'))
        .expect("the form of the header");
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref())
        .verify(signed.as_bytes(), &BASE64.decode(encoded).unwrap())
        .expect("a good signature");
}

#[tokio::test]
async fn what_goes_out_is_what_is_signed() {
    let (key, pem, _) = key();
    let signer = Signer::new(Secret::fixed(&pem), "app").unwrap();
    let world = World::new(MockServer::start().await, Credentials::Token(Secret::fixed("t")), Some(signer));
    Mock::given(any()).respond_with(found()).mount(&world.server).await;
    let filter = CustomerFilter {
        page: Some(2.try_into().unwrap()),
        page_size: Some(50.try_into().unwrap()),
        external_id: Some("crm 1042 & é".parse().unwrap()),
    };
    let _ = world.upstream().list_customers(&filter).await;
    world.get().await.unwrap();
    world.create().await.unwrap();
    let requests = world.server.received_requests().await.unwrap();
    assert!(
        requests
            .iter()
            .any(|request| request.url.query().is_some_and(|query| query.contains("page%5Bnumber%5D=2")))
    );
    assert!(requests.iter().any(|request| String::from_utf8_lossy(&request.body).contains("山田")));
    for request in &requests {
        verify(&key, request);
    }
}

#[test]
fn a_key_that_cannot_sign_says_why() {
    let (_, pem, encrypted) = key();
    assert!(Signer::new(Secret::fixed(&pem), "app").is_ok());
    assert!(matches!(Signer::new(Secret::fixed(&encrypted), "app"), Err(KeyError::Encrypted)));
    assert!(matches!(Signer::new(Secret::fixed("canary"), "app"), Err(KeyError::NotPem)));
    assert!(matches!(Signer::new(Secret::fixed(&pem), "a\"b"), Err(KeyError::KeyId)));
    let in_one_line = pem.trim().replace('\n', "\\n");
    assert!(Signer::new(Secret::fixed(&in_one_line), "app").is_ok());
    assert!(!format!("{:?}", Signer::new(Secret::fixed(&pem), "app").unwrap()).contains("BEGIN"));
}
