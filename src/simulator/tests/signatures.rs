//! Signed requests, good and bad.

use std::fmt::Write;
use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Method, StatusCode};
use uuid::Uuid;

use super::harness::{Answer, World, send};
use crate::simulator::{InvalidSetting, PublicKey, SimulatorConfig};

const BODY: &str = r#"{"first_name":"Éloïse","last_name":"O'Neil","email":"e@example.com"}"#;
const LIST: &str = "/v1/customers?page%5Bnumber%5D=1&page%5Bsize%5D=2&external_id=%C3%A9";
const WITH_BODY: &str = "(request-target) date digest x-request-id";
const WITHOUT_BODY: &str = "(request-target) date x-request-id";

/// Keys of this run alone; making one takes long.
static KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());
static STRANGERS_KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());

/// A merchant with a key, and a simulator that knows it.
struct Merchant {
    world: World,
    key: &'static KeyPair,
}

/// A request with what is signed and what is sent, so that a test can make them differ.
#[derive(Clone)]
struct Signed {
    method: Method,
    target: String,
    body: &'static str,
    /// What is sent, in the order in which it is sent.
    headers: Vec<(&'static str, String)>,
    signature: String,
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

impl Merchant {
    async fn new() -> Self {
        let key = &*KEY;
        let public_key =
            PublicKey::from_pem(pem("PUBLIC KEY", key.public_key().as_der().unwrap().as_ref()).as_bytes());
        let config = SimulatorConfig { public_key: Some(public_key.unwrap()), ..Default::default() };
        Self { world: World::with(config).await, key }
    }

    fn sign(&self, text: &str) -> String {
        let mut signature = vec![0; self.key.public_modulus_len()];
        let random = aws_lc_rs::rand::SystemRandom::new();
        self.key.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature).unwrap();
        STANDARD.encode(signature)
    }

    fn date(&self, seconds: i64) -> String {
        let then = self.world.now() + jiff::SignedDuration::from_secs(seconds);
        httpdate::fmt_http_date(then.into())
    }

    /// A request that is right in every way.
    fn right(&self, method: Method, target: &str, body: &'static str) -> Signed {
        self.signed(method, target, body, &self.date(0), &Uuid::new_v4().to_string())
    }

    fn signed(&self, method: Method, target: &str, body: &'static str, date: &str, id: &str) -> Signed {
        let mut headers = vec![("date", date.to_owned())];
        if !body.is_empty() {
            let digest = STANDARD.encode(digest(&SHA256, body.as_bytes()));
            headers.push(("digest", format!("SHA-256={digest}")));
        }
        headers.push(("x-request-id", id.to_owned()));
        let mut text = format!("(request-target): {} {target}", method.as_str().to_lowercase());
        for (name, value) in &headers {
            write!(text, "\n{name}: {value}").unwrap();
        }
        let names = if body.is_empty() { WITHOUT_BODY } else { WITH_BODY };
        let signature = format!(
            r#"keyId="app-1",algorithm="rsa-sha256",headers="{names}",signature="{}""#,
            self.sign(&text)
        );
        Signed { method, target: target.to_owned(), body, headers, signature }
    }

    async fn send(&self, signed: &Signed) -> Answer {
        let mut request = self.world.request(signed.method.clone(), &signed.target).bearer_auth("t");
        for (name, value) in &signed.headers {
            request = request.header(*name, value);
        }
        if !signed.signature.is_empty() {
            request = request.header("signature", &signed.signature);
        }
        if !signed.body.is_empty() {
            request = request.header("content-type", "application/json").body(signed.body);
        }
        send(request).await
    }

    /// Sends a request that must be refused, for a reason in which these words stand.
    async fn refused(&self, signed: &Signed, words: &str) {
        let answer = self.send(signed).await;
        let detail = answer.body["errors"][0]["detail"].as_str().unwrap_or_default();
        assert_eq!(
            (answer.status, answer.header("www-authenticate")),
            (StatusCode::UNAUTHORIZED, "Signature")
        );
        assert_eq!(answer.body["errors"][0]["code"], "invalid_signature");
        assert!(detail.contains(words), "{words}: {detail}");
    }

    fn get(&self) -> Signed {
        self.right(Method::GET, LIST, "")
    }

    fn post(&self) -> Signed {
        self.right(Method::POST, "/v1/customers", BODY)
    }
}

impl Signed {
    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self
    }

    fn with(self, name: &'static str, value: &str) -> Self {
        let mut changed = self.without(name);
        changed.headers.push((name, value.to_owned()));
        changed
    }

    fn replaced(mut self, from: &str, to: &str) -> Self {
        assert!(self.signature.contains(from));
        self.signature = self.signature.replace(from, to);
        self
    }
}

#[tokio::test]
async fn what_is_signed_well_is_carried_out() {
    let merchant = Merchant::new().await;
    assert_eq!(merchant.send(&merchant.get()).await.status, StatusCode::OK);
    let created = merchant.send(&merchant.post()).await;
    assert_eq!((created.status, &created.body["first_name"]), (StatusCode::CREATED, &"Éloïse".into()));
    for seconds in [-300, 300] {
        let id = Uuid::new_v4().to_string();
        let signed = merchant.signed(Method::GET, LIST, "", &merchant.date(seconds), &id);
        assert_eq!(merchant.send(&signed).await.status, StatusCode::OK, "{seconds}");
    }
    let token = merchant.world.request(Method::POST, "/oauth/accesstoken").basic_auth("a", Some("s"));
    let token = token.header("content-type", "application/x-www-form-urlencoded");
    let answer = send(token.body("grant_type=client_credentials&app_id=a")).await;
    assert_eq!(answer.status, StatusCode::OK, "the token endpoint asks for no signature");
}

#[tokio::test]
async fn what_lacks_something_is_refused() {
    let merchant = Merchant::new().await;
    merchant.refused(&Signed { signature: String::new(), ..merchant.get() }, "one Signature").await;
    merchant.refused(&merchant.get().without("date"), "one Date").await;
    merchant.refused(&merchant.get().without("x-request-id"), "one X-Request-ID").await;
    merchant.refused(&merchant.post().without("digest"), "one Digest").await;
    let mut twice = merchant.get();
    twice.headers.extend(twice.headers.clone());
    merchant.refused(&twice, "one Date").await;
    merchant.refused(&merchant.get().with("digest", "SHA-256=x"), "there is none").await;
    assert!(merchant.world.created().is_empty());
}

#[tokio::test]
async fn what_was_changed_on_the_way_is_refused() {
    let merchant = Merchant::new().await;
    let unfit = "does not fit the request";
    merchant
        .refused(&Signed { target: "/v1/customers?page%5Bnumber%5D=2".to_owned(), ..merchant.get() }, unfit)
        .await;
    // The same query to a server, but not as it was signed.
    merchant
        .refused(&Signed { target: LIST.replace("%5B", "[").replace("%5D", "]"), ..merchant.get() }, unfit)
        .await;
    merchant.refused(&Signed { method: Method::POST, ..merchant.get() }, unfit).await;
    merchant.refused(&merchant.get().with("date", &merchant.date(1)), unfit).await;
    merchant.refused(&merchant.get().with("x-request-id", &Uuid::new_v4().to_string()), unfit).await;
    let other = "{\"first_name\":\"Eve\"}";
    merchant.refused(&Signed { body: other, ..merchant.post() }, "Digest does not fit").await;
    let fitting = format!("SHA-256={}", STANDARD.encode(digest(&SHA256, other.as_bytes())));
    merchant.refused(&Signed { body: other, ..merchant.post() }.with("digest", &fitting), unfit).await;
    merchant.refused(&merchant.post().with("digest", "SHA-512=x"), "Digest does not fit").await;
    let stranger = Merchant { key: &STRANGERS_KEY, ..merchant };
    stranger.refused(&stranger.post(), unfit).await;
    assert!(stranger.world.created().is_empty());
}

#[tokio::test]
async fn another_scheme_is_refused() {
    let merchant = Merchant::new().await;
    merchant.refused(&merchant.get().replaced("app-1", ""), "keyId").await;
    merchant.refused(&merchant.get().replaced("rsa-sha256", "hs2019"), "algorithm").await;
    merchant.refused(&merchant.get().replaced(WITHOUT_BODY, "date"), "without a body").await;
    merchant.refused(&merchant.get().replaced(WITHOUT_BODY, WITH_BODY), "without a body").await;
    merchant.refused(&merchant.post().replaced(WITH_BODY, WITHOUT_BODY), "with a body").await;
    merchant.refused(&merchant.post().replaced("date digest", "digest date"), "with a body").await;
    merchant.refused(&Signed { signature: "keyId=a".to_owned(), ..merchant.get() }, "not a list").await;
}

#[tokio::test]
async fn a_date_must_be_of_now_and_an_id_new() {
    let merchant = Merchant::new().await;
    let id = || Uuid::new_v4().to_string();
    for seconds in [-301, 301] {
        let signed = merchant.signed(Method::GET, LIST, "", &merchant.date(seconds), &id());
        merchant.refused(&signed, "5 minutes").await;
    }
    for date in
        ["now", "2027-01-15T08:00:00Z", "Friday, 15-Jan-27 08:00:00 GMT", "Fri, 15 Jan 2027 08:00:00 +0000"]
    {
        merchant.refused(&merchant.signed(Method::GET, LIST, "", date, &id()), "the Date is not").await;
    }
    let version_1 = "c232ab00-9414-11ec-b3c8-9f6bdeced846";
    for id in ["1", version_1, &Uuid::new_v4().simple().to_string(), &Uuid::nil().to_string()] {
        merchant.refused(&merchant.signed(Method::GET, LIST, "", &merchant.date(0), id), "version 4").await;
    }

    let signed = merchant.get();
    merchant.refused(&signed.clone().replaced("keyId=\"app-1\"", "keyId=\"\""), "keyId").await;
    assert_eq!(merchant.send(&signed).await.status, StatusCode::OK, "a refused request uses up no id");
    merchant.refused(&signed, "used before").await;
    let id = signed.headers[1].1.clone();
    merchant.world.pass(599_000);
    let again = |merchant: &Merchant| merchant.signed(Method::GET, LIST, "", &merchant.date(0), &id);
    merchant.refused(&again(&merchant), "used before").await;
    merchant.world.pass(1_000);
    assert_eq!(merchant.send(&again(&merchant)).await.status, StatusCode::OK);
}

#[test]
fn only_an_rsa_public_key_of_enough_bits_will_do() {
    let good = pem("PUBLIC KEY", KEY.public_key().as_der().unwrap().as_ref());
    assert!(PublicKey::from_pem(good.as_bytes()).is_ok());
    for bad in [
        String::new(),
        good.replace("PUBLIC KEY", "RSA PUBLIC KEY"),
        pem("PUBLIC KEY", b"nonsense"),
        include_str!("../../../tests/fixtures/rsa-1024.pub.pem").to_owned(),
        include_str!("../../../tests/fixtures/p256.pub.pem").to_owned(),
    ] {
        assert_eq!(PublicKey::from_pem(bad.as_bytes()).unwrap_err(), InvalidSetting::PublicKey, "{bad}");
    }
}
