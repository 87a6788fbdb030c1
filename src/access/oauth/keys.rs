//! The keys that an issuer publishes (a JWK set), and which of them may have signed a token.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::Value;

use super::claims::{self, Claims};
use super::header::Header;

/// Most keys that are kept of one set: a token that names none is tried with each.
const MAX_KEYS: usize = 32;

/// Why the keys at hand do not verify a token.
pub(super) enum Fault {
    /// The one that signed it may be among newer ones.
    NoKey,
    /// It is not one of ours, and why.
    Refused(&'static str),
}

/// A JWK set as it is published.
#[derive(Deserialize)]
pub(super) struct Published {
    keys: Vec<Value>,
}

/// The keys that can verify a token.
pub(super) struct KeySet(Vec<Key>);

struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    verifies: DecodingKey,
}

impl KeySet {
    /// Takes what can verify a signature out of a set; other keys may be in it, even ones that nobody here can read.
    pub(super) fn new(published: Published) -> Self {
        let keys = published.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        Self(keys.filter_map(|key| Key::new(&key)).take(MAX_KEYS).collect())
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Verifies a token with the key that it names or, where it names none, with each that it could be.
    pub(super) fn verify(
        &self,
        token: &str,
        header: &Header,
        expected: &Validation,
    ) -> Result<Claims, Fault> {
        let named = |key: &&Key| header.key_id.is_none() || key.id == header.key_id;
        let mut named = self.0.iter().filter(named).peekable();
        if named.peek().is_none() {
            return Err(Fault::NoKey);
        }
        let mut fitting = named.filter(|key| key.algorithms.contains(&header.algorithm)).peekable();
        if header.key_id.is_some() && fitting.peek().is_none() {
            return Err(Fault::Refused("the token is not signed with the algorithm of its key"));
        }
        let claims =
            fitting.find_map(|key| claims::verified(token, header.algorithm, &key.verifies, expected));
        match claims {
            Some(Ok(claims)) => Ok(claims),
            Some(Err(reason)) => Err(Fault::Refused(reason)),
            None if header.key_id.is_none() => Err(Fault::NoKey),
            None => Err(Fault::Refused("the token has a signature that is not its key's")),
        }
    }
}

impl Key {
    /// `None` where it is not for verifying signatures, or not one whose other half is private.
    fn new(jwk: &Jwk) -> Option<Self> {
        let common = &jwk.common;
        if common.public_key_use.as_ref().is_some_and(|to| *to != PublicKeyUse::Signature)
            || common.key_operations.as_ref().is_some_and(|to| !to.contains(&KeyOperations::Verify))
        {
            return None;
        }
        let mut algorithms = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => vec![
                Algorithm::RS256,
                Algorithm::RS384,
                Algorithm::RS512,
                Algorithm::PS256,
                Algorithm::PS384,
                Algorithm::PS512,
            ],
            AlgorithmParameters::EllipticCurve(key) => match key.curve {
                EllipticCurve::P256 => vec![Algorithm::ES256],
                EllipticCurve::P384 => vec![Algorithm::ES384],
                _ => return None,
            },
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                vec![Algorithm::EdDSA]
            }
            _ => return None,
        };
        if let Some(only) = common.key_algorithm {
            algorithms.retain(|algorithm| only == (*algorithm).into());
        }
        if algorithms.is_empty() {
            return None;
        }
        Some(Self { id: common.key_id.clone(), algorithms, verifies: DecodingKey::from_jwk(jwk).ok()? })
    }
}
