//! Values that leave the server and come back unread and unchanged, from clients or from a store: AES-256-GCM under a
//! key that every process with the same configuration has.
//!
//! A sealed value says for itself what it is for, so that any process can take it up again, after a restart too,
//! and nothing has to be kept. The key is derived (HKDF-SHA256) from a secret of the configuration: when that
//! secret is rotated, values sealed before are refused, which ends handles, and the client starts over. Sealed is
//! not used up: whoever needs a value to count once sees to that. Knows nothing of what it seals.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Keeps this key apart from whatever else is derived from the same secret.
const SALT: &[u8] = b"fintecture-mcp sealed values";
/// A key of AES-256, in bytes.
const KEY_LEN: usize = 32;

/// No key could be made; the machine's source of random numbers fails, or the cipher does.
#[derive(Debug, thiserror::Error)]
#[error("no key to seal values with could be made")]
pub struct SealerError;

/// Seals and opens values.
pub struct Sealer(RandomizedNonceKey);

impl Sealer {
    /// One whose values every process with this secret can open.
    ///
    /// # Errors
    /// [`SealerError`] where the cipher refuses the key.
    pub fn from_secret(secret: &[u8]) -> Result<Self, SealerError> {
        let mut key = [0; KEY_LEN];
        Salt::new(HKDF_SHA256, SALT)
            .extract(secret)
            .expand(&[b"AES-256-GCM"], &AES_256_GCM)
            .and_then(|bytes| bytes.fill(&mut key))
            .map_err(|_| SealerError)?;
        Self::with_key(&key)
    }

    /// One whose values end with this process: for where there is no secret, and nothing outlives the process.
    ///
    /// # Errors
    /// [`SealerError`] where there are no random numbers.
    pub fn random() -> Result<Self, SealerError> {
        let mut key = [0; KEY_LEN];
        // The system's, and not the cipher library's, which gathers entropy for some 25 ms when it is first asked: every
        // start would wait for that.
        getrandom::fill(&mut key).map_err(|_| SealerError)?;
        Self::with_key(&key)
    }

    fn with_key(key: &[u8; KEY_LEN]) -> Result<Self, SealerError> {
        RandomizedNonceKey::new(&AES_256_GCM, key).map(Self).map_err(|_| SealerError)
    }

    /// Seals a value for one purpose and whoever or whatever it is bound to; both must be told again to open it.
    ///
    /// # Errors
    /// [`SealerError`] where there are no random numbers.
    pub fn seal(&self, purpose: &str, bound_to: &[&str], payload: &[u8]) -> Result<String, SealerError> {
        self.seal_bytes(&associated(purpose, bound_to), payload).map(|sealed| URL_SAFE_NO_PAD.encode(sealed))
    }

    /// What was sealed; nothing where it was another's, for another purpose, or by nobody with this key.
    #[must_use]
    pub fn open(&self, purpose: &str, bound_to: &[&str], sealed: &str) -> Option<Vec<u8>> {
        self.open_bytes(&associated(purpose, bound_to), &URL_SAFE_NO_PAD.decode(sealed).ok()?)
    }

    /// The same in bytes, for what no text has to carry. `bond` is what must be told again to open it.
    ///
    /// # Errors
    /// [`SealerError`] where there are no random numbers.
    pub(crate) fn seal_bytes(&self, bond: &[u8], payload: &[u8]) -> Result<Vec<u8>, SealerError> {
        let mut sealed = payload.to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(bond), &mut sealed).map_err(|_| SealerError)?;
        Ok([nonce.as_ref().as_slice(), &sealed].concat())
    }

    /// What was sealed in bytes; nothing as in [`Self::open`].
    #[must_use]
    pub fn open_bytes(&self, bond: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        self.0.open_in_place(nonce, Aad::from(bond), &mut sealed).ok().map(|payload| payload.to_vec())
    }
}

/// Purpose and bonds as bytes; lengths keep two parts from reading as other two.
fn associated(purpose: &str, bound_to: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in std::iter::once(&purpose).chain(bound_to) {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_the_secret_opens_it_and_nobody_else() {
        let sealed = Sealer::from_secret(b"one").unwrap().seal("task", &["local"], b"payload").unwrap();
        let again = Sealer::from_secret(b"one").unwrap();
        assert_eq!(again.open("task", &["local"], &sealed).unwrap(), b"payload");
        for other in [Sealer::from_secret(b"two").unwrap(), Sealer::random().unwrap()] {
            assert_eq!(other.open("task", &["local"], &sealed), None);
        }
    }

    #[test]
    fn purpose_and_bonds_must_be_those_of_the_sealing() {
        let ours = Sealer::random().unwrap();
        let sealed = ours.seal("task", &["ab", "c"], b"payload").unwrap();
        assert!(ours.open("task", &["ab", "c"], &sealed).is_some());
        let others: [(&str, &[&str]); 6] = [
            ("form", &["ab", "c"]),
            ("task", &["a", "bc"]),
            ("task", &["ab"]),
            ("task", &["ab", "c", ""]),
            ("taskab", &["c"]),
            ("", &["task", "ab", "c"]),
        ];
        for (purpose, bound_to) in others {
            assert_eq!(ours.open(purpose, bound_to, &sealed), None, "{purpose} {bound_to:?}");
        }
    }

    #[test]
    fn a_changed_cut_or_made_up_text_opens_nothing() {
        let ours = Sealer::random().unwrap();
        let sealed = ours.seal("task", &[], b"payload").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(ours.open("task", &[], &changed), None, "{at}");
            assert_eq!(ours.open("task", &[], &sealed[..at]), None, "{at}");
        }
        for made_up in ["", "A", "é", &"A".repeat(100), &format!("{sealed}="), &format!("{sealed}AAAA")] {
            assert_eq!(ours.open("task", &[], made_up), None);
        }
    }

    #[test]
    fn the_same_value_is_never_sealed_the_same_way_and_cannot_be_read() {
        let ours = Sealer::random().unwrap();
        let seal = || ours.seal("task", &[], b"customer cus_1").unwrap();
        assert_ne!(seal(), seal());
        let bytes = URL_SAFE_NO_PAD.decode(seal()).unwrap();
        assert!(!bytes.windows(5).any(|window| window == b"cus_1"));
        assert_eq!(format!("{ours:?}"), "Sealer(..)");
    }
}
