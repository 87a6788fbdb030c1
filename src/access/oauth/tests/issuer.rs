//! A fake issuer on 127.0.0.1: it signs whatever it is told to, and publishes whatever it is told to.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64_URL;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

/// What stands before the key of PKCS#1 in a PKCS#8 of RSA with two bytes of length: version and algorithm.
const PKCS8_HEAD: usize = 26;

/// Where it says about itself what RFC 8414 wants.
pub(crate) const METADATA: &str = "/.well-known/oauth-authorization-server";
/// The same for `OpenID` Connect.
pub(crate) const OPENID: &str = "/.well-known/openid-configuration";
/// Where its keys are.
pub(crate) const KEYS: &str = "/keys";
/// Where it gives out tokens.
pub(crate) const TOKEN: &str = "/token";

/// Making an RSA key takes long: these two do for all.
pub(crate) static RSA: LazyLock<Signer> = LazyLock::new(|| Signer::rsa("rsa"));
pub(crate) static OTHER_RSA: LazyLock<Signer> = LazyLock::new(|| Signer::rsa("other-rsa"));

/// A key with which it signs.
#[derive(Clone)]
pub(crate) struct Signer {
    pub(crate) algorithm: Algorithm,
    pub(crate) id: String,
    pub(crate) key: EncodingKey,
}

impl Signer {
    fn rsa(id: &str) -> Self {
        let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let key = EncodingKey::from_rsa_der(&pkcs8.as_ref()[PKCS8_HEAD..]);
        Self { algorithm: Algorithm::RS256, id: id.to_owned(), key }
    }

    pub(crate) fn p256(id: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let key = EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref());
        Self { algorithm: Algorithm::ES256, id: id.to_owned(), key }
    }

    pub(crate) fn p384(id: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
        let key = EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref());
        Self { algorithm: Algorithm::ES384, id: id.to_owned(), key }
    }

    pub(crate) fn ed25519(id: &str) -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let key = EncodingKey::from_ed_der(pair.to_pkcs8v1().unwrap().as_ref());
        Self { algorithm: Algorithm::EdDSA, id: id.to_owned(), key }
    }

    /// A secret that signs, under the id of another key.
    pub(crate) fn secret(id: &str, secret: &[u8]) -> Self {
        Self { algorithm: Algorithm::HS256, id: id.to_owned(), key: EncodingKey::from_secret(secret) }
    }

    /// What it publishes of the key.
    pub(crate) fn public(&self) -> Value {
        let mut public =
            serde_json::to_value(Jwk::from_encoding_key(&self.key, self.algorithm).unwrap()).unwrap();
        public["kid"] = json!(self.id);
        public["use"] = json!("sig");
        public
    }

    /// A token with this header and these claims.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |part: &Value| BASE64_URL.encode(part.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.key, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

/// A token before it is signed.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    pub(crate) signer: Signer,
}

impl Draft {
    /// Signed by another key, which the header names.
    pub(crate) fn signed_by(mut self, signer: &Signer) -> Self {
        self.header["alg"] = serde_json::to_value(signer.algorithm).unwrap();
        self.header["kid"] = json!(signer.id);
        self.signer = signer.clone();
        self
    }

    /// The same with a claim of another value; null leaves it out.
    pub(crate) fn claim(mut self, name: &str, value: Value) -> Self {
        set(&mut self.claims, name, value);
        self
    }

    /// The same for its header.
    pub(crate) fn header(mut self, name: &str, value: Value) -> Self {
        set(&mut self.header, name, value);
        self
    }

    pub(crate) fn token(&self) -> String {
        self.signer.sign(&self.header, &self.claims)
    }
}

fn set(object: &mut Value, name: &str, value: Value) {
    if value.is_null() {
        object.as_object_mut().unwrap().shift_remove(name);
    } else {
        object[name] = value;
    }
}

/// What it answers at one path.
#[derive(Clone)]
struct Answer {
    status: u16,
    location: Option<String>,
    body: String,
}

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) form: HashMap<String, String>,
}

#[derive(Default)]
struct World {
    answers: HashMap<String, Answer>,
    is_down: bool,
    seen: Vec<Seen>,
}

/// The running issuer.
#[derive(Clone)]
pub(crate) struct FakeIssuer {
    address: String,
    world: Arc<Mutex<World>>,
}

impl FakeIssuer {
    /// One with a key, and metadata as RFC 8414 has it.
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let issuer = Self { address, world: Arc::default() };
        let routes = Router::new().fallback(answer).with_state(Arc::clone(&issuer.world));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        issuer.answers(METADATA, &issuer.metadata());
        issuer.publishes(&[RSA.public()]);
        issuer
    }

    /// Its identifier.
    pub(crate) fn name(&self) -> String {
        self.address.clone()
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// What it says about itself.
    pub(crate) fn metadata(&self) -> Value {
        json!({
            "issuer": self.name(),
            "jwks_uri": self.url(KEYS),
            "authorization_endpoint": self.url("/authorize"),
            "token_endpoint": self.url(TOKEN),
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "none"],
        })
    }

    /// Answers so from now on.
    pub(crate) fn answers(&self, path: &str, body: &Value) {
        self.answers_with(path, 200, &body.to_string());
    }

    /// The same, whatever it is.
    pub(crate) fn answers_with(&self, path: &str, status: u16, body: &str) {
        let answer = Answer { status, location: None, body: body.to_owned() };
        self.world.lock().unwrap().answers.insert(path.to_owned(), answer);
    }

    /// Sends on to another path from now on.
    pub(crate) fn redirects(&self, path: &str, to: &str) {
        let answer = Answer { status: 302, location: Some(to.to_owned()), body: String::new() };
        self.world.lock().unwrap().answers.insert(path.to_owned(), answer);
    }

    /// Publishes these keys and no others from now on.
    pub(crate) fn publishes(&self, keys: &[Value]) {
        self.answers(KEYS, &json!({ "keys": keys }));
    }

    /// Answers nothing but 503 for as long.
    pub(crate) fn is_down(&self, is_down: bool) {
        self.world.lock().unwrap().is_down = is_down;
    }

    /// The requests for a path so far.
    pub(crate) fn seen(&self, path: &str) -> Vec<Seen> {
        self.world.lock().unwrap().seen.iter().filter(|seen| seen.path == path).cloned().collect()
    }

    /// A token that is good in every way.
    pub(crate) fn draft(&self, audience: &str) -> Draft {
        let now = now();
        let claims = json!({
            "iss": self.name(),
            "aud": audience,
            "sub": "ada@example.com",
            "client_id": "web",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "scope": "customers:read approvals:write",
            "jti": "1",
        });
        Draft { header: json!({"typ": "at+jwt"}), claims, signer: RSA.clone() }.signed_by(&RSA)
    }
}

async fn answer(
    State(world): State<Arc<Mutex<World>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, HeaderMap, String) {
    let mut world = world.lock().unwrap();
    world.seen.push(Seen {
        path: uri.path().to_owned(),
        authorization: headers.get("authorization").map(|value| value.to_str().unwrap().to_owned()),
        form: url::form_urlencoded::parse(&body).into_owned().collect(),
    });
    let answer = world.answers.get(uri.path()).filter(|_| !world.is_down);
    let Some(answer) = answer else {
        let status = if world.is_down { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::NOT_FOUND };
        return (status, HeaderMap::new(), String::new());
    };
    let mut headers = HeaderMap::new();
    if let Some(location) = &answer.location {
        headers.insert("location", location.parse().unwrap());
    }
    (StatusCode::from_u16(answer.status).unwrap(), headers, answer.body.clone())
}
