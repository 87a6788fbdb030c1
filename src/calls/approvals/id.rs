//! Names that nobody can guess.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

/// Random bytes in an approval's id: 128 bits.
const ID_BYTES: usize = 16;
/// The same in base64url, in characters.
const ID_CHARS: usize = 22;
/// Random bytes in a key, a proof or a page's token: 256 bits.
const SECRET_BYTES: usize = 32;

/// Names an approval in its address. Knowing it grants nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ApprovalId(String);

impl ApprovalId {
    /// A new one; nothing where the system gives no randomness.
    pub(super) fn random() -> Option<Self> {
        random::<ID_BYTES>().map(Self)
    }

    /// Reads one from an address.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_one = text.len() == ID_CHARS
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        is_one.then(|| Self(text.to_owned()))
    }

    /// As it stands in an address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ApprovalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A secret text that was handed out. Only its digest is kept, so that no memory of ours grants anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Handed([u8; 32]);

impl Handed {
    /// A new secret text and what is kept of it.
    pub(super) fn new() -> Option<(String, Self)> {
        let text = random::<SECRET_BYTES>()?;
        let kept = Self(digest_of(&text));
        Some((text, kept))
    }

    /// Whether this is the text, in a time that tells nothing.
    pub(super) fn is(&self, text: &str) -> bool {
        self.0.ct_eq(&digest_of(text)).into()
    }
}

/// What a page that this secret opens must send with a press about this: whoever sees the page learns nothing of the
/// secret, and nobody else can make it.
pub(super) fn page_token(secret: &str, about: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest_of(&format!("page token\0{about}\0{secret}")))
}

/// The digest by which two texts are compared.
pub(super) fn digest_of(text: &str) -> [u8; 32] {
    digest(&SHA256, text.as_bytes()).as_ref().try_into().unwrap_or_default()
}

fn random<const BYTES: usize>() -> Option<String> {
    let mut bytes = [0; BYTES];
    if aws_lc_rs::rand::fill(&mut bytes).is_err() {
        tracing::error!("the system gives no random bytes");
        return None;
    }
    Some(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_what_it_reads_as() {
        let id = ApprovalId::random().unwrap();
        assert_eq!(ApprovalId::parse(id.as_str()), Some(id.clone()));
        assert_ne!(ApprovalId::random().unwrap(), id);
        for bad in ["", "..", "style.css", &id.as_str()[1..], &format!("{id}A"), "AAAAAAAAAAAAAAAAAAAA/A"] {
            assert_eq!(ApprovalId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_handed_secret_is_known_again_and_no_other() {
        let (text, kept) = Handed::new().unwrap();
        assert_eq!(text.len(), 43);
        assert!(kept.is(&text));
        assert!(!kept.is("") && !kept.is(&text[1..]) && !kept.is(&Handed::new().unwrap().0));
    }
}
