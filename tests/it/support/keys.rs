//! Key pairs that live as long as a run of the tests.

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What stands before the key of PKCS#1 in a PKCS#8 of RSA with two bytes of length: version and algorithm.
const PKCS8_HEAD: usize = 26;

/// A merchant's RSA key, in every form that is asked for.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) pkcs8: String,
    pub(crate) pkcs1: String,
    pub(crate) public: String,
}

/// The merchant's.
pub(crate) static KEYS: LazyLock<Keys> = LazyLock::new(Keys::new);
/// Those of somebody else.
pub(crate) static OTHER_KEYS: LazyLock<Keys> = LazyLock::new(Keys::new);

/// A PEM block, in lines as other tools write them.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let lines: Vec<&str> =
        base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

impl Keys {
    /// Making a pair takes long.
    fn new() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        Self {
            pkcs1: pem("RSA PRIVATE KEY", &pkcs8.as_ref()[PKCS8_HEAD..]),
            pkcs8: pem("PRIVATE KEY", pkcs8.as_ref()),
            public: pem("PUBLIC KEY", public.as_ref()),
        }
    }
}
