//! A token: 256 random bits, so that a fast hash of it is as hard to turn back as the token is to guess. What people
//! choose themselves would need a slow one; none of these is chosen.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::SecretString;
use subtle::ConstantTimeEq as _;

/// What a token begins with, so that a person or a scanner of secrets can tell what it is.
const START: &str = "fmcp_";
/// Random bytes in a token.
const TOKEN_BYTES: usize = 32;
/// What a digest begins with in the file.
const ALGORITHM: &str = "sha256:";
/// Bytes of a digest.
const DIGEST_BYTES: usize = 32;

/// A token that was just made. It is kept nowhere.
#[derive(Debug)]
pub struct NewToken {
    /// What the caller shows.
    pub token: SecretString,
    /// What the file holds.
    pub digest: Digest,
}

impl NewToken {
    /// Makes one; nothing where the system gives no randomness.
    #[must_use]
    pub fn random() -> Option<Self> {
        let mut bytes = [0; TOKEN_BYTES];
        aws_lc_rs::rand::fill(&mut bytes).ok()?;
        let token = format!("{START}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes));
        Some(Self { digest: Digest::of(&token), token: token.into() })
    }
}

/// The SHA-256 of a token, by which it is known again.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Digest([u8; DIGEST_BYTES]);

impl Digest {
    /// Of this token.
    #[must_use]
    pub fn of(token: &str) -> Self {
        let mut bytes = [0; DIGEST_BYTES];
        bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        Self(bytes)
    }

    /// As it stands in a file: `sha256:` with 64 hexadecimal digits, or with base64url.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix(ALGORITHM)?;
        let bytes = if text.len() == 2 * DIGEST_BYTES { hex(text) } else { base64url(text) };
        bytes?.try_into().ok().map(Self)
    }

    /// Whether this is the same, in a time that does not tell how far it is.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks_exact(2);
    pairs.map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.last()?)?)).collect()
}

fn base64url(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ALGORITHM}{}", BASE64_URL_SAFE_NO_PAD.encode(self.0))
    }
}

/// A digest cannot be turned back, but no log needs it.
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(..)")
    }
}
