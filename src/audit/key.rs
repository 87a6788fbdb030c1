//! The key of the trail, and what is derived from it: one key for the chain, one for digests of arguments.

use aws_lc_rs::hmac;
use secrecy::ExposeSecret;

use crate::secret::Secret;

/// Shortest key, in characters: 32 random bytes in base64 without padding.
const MIN_CHARS: usize = 43;

/// The key that hashes are made with.
#[derive(Clone)]
pub struct AuditKey(hmac::Key);

/// A text that is too short for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must hold at least 32 random bytes as text: make one with openssl rand -base64 32")]
pub struct WeakKey;

impl AuditKey {
    /// The key that this secret holds.
    ///
    /// # Errors
    /// [`WeakKey`] where it is shorter than 32 bytes in base64 are.
    pub fn new(secret: &Secret) -> Result<Self, WeakKey> {
        let text = secret.get();
        let text = text.expose_secret();
        if text.len() < MIN_CHARS {
            return Err(WeakKey);
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes())))
    }

    pub(super) fn chain(&self) -> hmac::Key {
        self.derive(b"fintecture-mcp audit chain 1")
    }

    pub(super) fn digests(&self) -> hmac::Key {
        self.derive(b"fintecture-mcp audit arguments 1")
    }

    /// Uses are kept apart, so that a digest can never pass for a hash of the chain.
    fn derive(&self, purpose: &[u8]) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&self.0, purpose).as_ref())
    }
}

impl std::fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AuditKey(..)")
    }
}
