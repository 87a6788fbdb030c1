//! Signs requests as Fintecture's SDKs do: draft-cavage HTTP signatures with rsa-sha256.
//!
//! Signed are the request target as it goes over the wire, the date, the digest of the exact body and the request
//! id, so an attempt that is sent again must be signed again.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::header::{DATE, HeaderMap, HeaderName, HeaderValue};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use secrecy::ExposeSecret;

use crate::secret::Secret;

/// Smallest RSA key that is accepted, in bytes of its modulus.
const MIN_MODULUS_BYTES: usize = 256;

/// Why a text is no key to sign with. Never quotes the text.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key is protected by a passphrase.
    #[error(
        "is encrypted: remove the passphrase (openssl pkey -in KEY -out PLAIN_KEY) and protect the file instead"
    )]
    Encrypted,
    /// No PEM of a private key.
    #[error("is not the PEM of a private key (PKCS#8 or PKCS#1)")]
    NotPem,
    /// A key of another kind than RSA, or a broken one.
    #[error("is not an RSA key of at least 2048 bits")]
    NotRsa,
    /// A key id that no header can carry.
    #[error("belongs to an application id with characters that no signature header can carry")]
    KeyId,
}

/// A private key with the application id that names it.
pub struct Signer {
    pem: Secret,
    key: ArcSwap<KeyPair>,
    /// How often another key has been put in its place.
    changes: AtomicU64,
    key_id: String,
    random: SystemRandom,
}

/// What of a request is signed.
#[derive(Debug)]
pub struct Signed<'a> {
    /// Such as `GET`.
    pub method: &'a str,
    /// Path and query exactly as they go over the wire.
    pub target: &'a str,
    /// The exact bytes of the body, where there is one.
    pub body: Option<&'a [u8]>,
    /// `X-Request-ID` of this attempt.
    pub request_id: &'a str,
    /// Now.
    pub date: SystemTime,
}

impl Signer {
    /// Reads a private key in PEM, PKCS#8 or PKCS#1.
    ///
    /// # Errors
    /// [`KeyError`] says what is wrong with it.
    pub fn new(pem: Secret, key_id: &str) -> Result<Self, KeyError> {
        let key = read(pem.get().expose_secret())?;
        if key_id.is_empty() || !key_id.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\') {
            return Err(KeyError::KeyId);
        }
        Ok(Self {
            pem,
            key: ArcSwap::from_pointee(key),
            changes: AtomicU64::new(0),
            key_id: key_id.to_owned(),
            random: SystemRandom::new(),
        })
    }

    /// How often another key has been put in its place: a request that was refused under an older one may be signed
    /// once more.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Reads a key that lives in a file again. One that cannot sign leaves the one before in use.
    pub(super) fn reload(&self) {
        let changed = self.pem.reload(|_| true).map_err(|error| error.to_string()).and_then(|changed| {
            if !changed {
                return Ok(false);
            }
            let key = read(self.pem.get().expose_secret()).map_err(|error| error.to_string())?;
            self.key.store(key.into());
            self.changes.fetch_add(1, Ordering::Release);
            Ok(true)
        });
        match changed {
            Ok(true) => tracing::info!("a new private key is used from now on"),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the file of the private key could not be read again"),
        }
    }

    /// The headers that prove a request: `Date`, `Digest` (with a body) and `Signature`. `None` where the
    /// machine has no randomness to sign with.
    #[must_use]
    pub fn sign(&self, request: &Signed<'_>) -> Option<HeaderMap> {
        let date = httpdate::fmt_http_date(request.date);
        let body_digest =
            request.body.map(|body| format!("SHA-256={}", BASE64.encode(digest(&SHA256, body).as_ref())));
        let mut signed = format!(
            "(request-target): {} {}\ndate: {date}",
            request.method.to_ascii_lowercase(),
            request.target
        );
        let mut names = "(request-target) date".to_owned();
        if let Some(body_digest) = &body_digest {
            write!(signed, "\ndigest: {body_digest}").ok()?;
            names.push_str(" digest");
        }
        write!(signed, "\nx-request-id: {}", request.request_id).ok()?;
        names.push_str(" x-request-id");

        let key = self.key.load();
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &self.random, signed.as_bytes(), &mut signature).ok()?;
        let signature = format!(
            r#"keyId="{}",algorithm="rsa-sha256",headers="{names}",signature="{}""#,
            self.key_id,
            BASE64.encode(&signature)
        );
        let mut headers = HeaderMap::with_capacity(3);
        headers.insert(DATE, HeaderValue::try_from(date).ok()?);
        if let Some(body_digest) = body_digest {
            headers.insert(HeaderName::from_static("digest"), HeaderValue::try_from(body_digest).ok()?);
        }
        headers.insert(HeaderName::from_static("signature"), HeaderValue::try_from(signature).ok()?);
        Some(headers)
    }
}

fn read(pem: &str) -> Result<KeyPair, KeyError> {
    if pem.contains("BEGIN ENCRYPTED PRIVATE KEY") || pem.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(KeyError::Encrypted);
    }
    // Variables often hold PEM with its line breaks spelled out; no PEM has a backslash of its own.
    let pem = pem.replace("\\n", "\n");
    let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| KeyError::NotPem)?;
    let key = match &der {
        PrivateKeyDer::Pkcs8(der) => KeyPair::from_pkcs8(der.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(der) => KeyPair::from_der(der.secret_pkcs1_der()),
        _ => return Err(KeyError::NotRsa),
    };
    let key = key.map_err(|_| KeyError::NotRsa)?;
    if key.public_modulus_len() < MIN_MODULUS_BYTES { Err(KeyError::NotRsa) } else { Ok(key) }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}
