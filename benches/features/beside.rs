//! What features need beside the server: an issuer of tokens, an upstream behind TLS, a Redis server.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, ensure};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use axum::Router;
use axum::extract::Json;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::stand::process::Running;

/// For whom the issuer's tokens are.
pub(crate) const AUDIENCE: &str = "https://mcp.bench.example";
/// How long a Redis server may take to begin.
const PATIENCE: Duration = Duration::from_secs(10);

/// An RSA key of 2048 bits, as PEM of PKCS#8.
pub(crate) fn rsa_key() -> anyhow::Result<String> {
    let pair = KeyPair::generate(KeySize::Rsa2048)?;
    let der: Pkcs8V1Der<'_> = pair.as_der()?;
    Ok(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", BASE64.encode(der.as_ref())))
}

/// An authorization server, in this process. It ends with it.
pub(crate) struct Issuer {
    name: String,
    rsa: EncodingKey,
    p256: EncodingKey,
}

impl Issuer {
    /// Publishes a key of each kind.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let name = format!("http://{}", listener.local_addr()?);
        let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        let issuer = Self {
            name: name.clone(),
            rsa: EncodingKey::from_rsa_pem(rsa_key()?.as_bytes())?,
            p256: EncodingKey::from_ec_der(p256.to_pkcs8v1()?.as_ref()),
        };
        let keys = json!({"keys": [
            public(&issuer.rsa, Algorithm::RS256)?,
            public(&issuer.p256, Algorithm::ES256)?,
        ]});
        let metadata = json!({
            "issuer": name,
            "jwks_uri": format!("{name}/keys"),
            "authorization_endpoint": format!("{name}/authorize"),
            "token_endpoint": format!("{name}/token"),
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
        });
        let routes = Router::new()
            .route("/keys", get(async || Json(keys)))
            .route("/.well-known/oauth-authorization-server", get(async || Json(metadata)));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(issuer)
    }

    /// Its identifier.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A token of an agent, good for a day.
    pub(crate) fn token(&self, algorithm: Algorithm) -> anyhow::Result<String> {
        let key = if algorithm == Algorithm::RS256 { &self.rsa } else { &self.p256 };
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let mut header = Header::new(algorithm);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(key_id(algorithm));
        let claims = json!({"iss": self.name, "aud": AUDIENCE, "sub": "agent", "client_id": "agent",
            "iat": now, "nbf": now, "exp": now + 86_400, "scope": "customers:read", "jti": "1"});
        Ok(encode(&header, &claims, key)?)
    }
}

fn key_id(algorithm: Algorithm) -> String {
    format!("{algorithm:?}")
}

fn public(key: &EncodingKey, algorithm: Algorithm) -> anyhow::Result<Value> {
    let mut public = serde_json::to_value(Jwk::from_encoding_key(key, algorithm)?)?;
    let members = public.as_object_mut().context("a key is an object")?;
    members.insert("kid".to_owned(), key_id(algorithm).into());
    members.insert("use".to_owned(), "sig".into());
    Ok(public)
}

/// Serves these routes behind TLS, in this process. Returns where, and the root certificate to trust as PEM.
pub(crate) async fn tls(routes: Router) -> anyhow::Result<(SocketAddr, String)> {
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()));
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let (acceptor, service) = (acceptor.clone(), TowerToHyperService::new(routes.clone()));
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    // A connection that breaks is the caller's to tell: its call fails.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                }
            });
        }
    });
    Ok((address, certified.cert.pem()))
}

/// A Redis server.
pub(crate) struct Redis {
    _process: Running,
    pub(crate) url: String,
}

impl Redis {
    /// Starts one that keeps nothing on disk.
    ///
    /// # Errors
    /// Where there is none on this machine, or its port was taken meanwhile.
    pub(crate) fn start(folder: &Path) -> anyhow::Result<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new("redis-server");
        command
            .args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
                "--dir",
            ])
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let mut process = Running::start("redis-server", command)?;
        let begin = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            process.check()?;
            ensure!(begin.elapsed() < PATIENCE, "redis-server does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(Self { _process: process, url: format!("redis://127.0.0.1:{port}") })
    }
}
