//! The code that a person types where no browser of theirs can be opened: as it is, or its argon2id hash.
//!
//! Knows nothing of limits, which stand before it.

use argon2::password_hash::PasswordVerifier as _;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params};
use secrecy::ExposeSecret as _;
use subtle::ConstantTimeEq as _;

use super::id::digest_of;
use crate::secret::Secret;

/// Shortest code, in characters.
pub const MIN_CODE_CHARS: usize = 12;
/// What a hash begins with; a code never does.
const HASH_START: &str = "$argon2";
/// Most memory that checking a hash may take, in KiB.
const MAX_HASH_KIB: u32 = 256 * 1024;
/// Most rounds that checking a hash may take.
const MAX_HASH_ROUNDS: u32 = 64;

/// The approval code. Clones share what a reload finds.
#[derive(Debug, Clone)]
pub struct Code(Secret);

/// Why a text is no approval code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Too easy to guess.
    #[error("must have at least {MIN_CODE_CHARS} characters")]
    Short,
    /// It looks like a hash and is none that can be checked.
    #[error(
        "must be a code, or its argon2id hash in the form $argon2id$v=19$m=...,t=...,p=...$salt$hash (memory up to 256 MiB)"
    )]
    Hash,
}

impl Code {
    /// A code that a person can be asked for.
    ///
    /// # Errors
    /// [`CodeError`] where it is too short, or a hash that cannot be checked.
    pub fn new(secret: Secret) -> Result<Self, CodeError> {
        check(secret.get().expose_secret())?;
        Ok(Self(secret))
    }

    /// Reads its file again. An unusable one changes nothing.
    pub(super) fn reload(&self) {
        match self.0.reload(|text| check(text).is_ok()) {
            Ok(true) => tracing::info!("the approval code was read again and is another one now"),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the approval code stays as it was: its file gives none"),
        }
    }

    /// Whether this is the code. A hash takes a good part of a second: not for an asynchronous thread.
    pub(super) fn is(&self, typed: &str) -> bool {
        let code = self.0.get();
        let code = code.expose_secret();
        let typed = typed.trim();
        match hash(code) {
            Some(Ok(hash)) => Argon2::default().verify_password(typed.as_bytes(), &hash).is_ok(),
            Some(Err(_)) => false,
            None => digest_of(code).ct_eq(&digest_of(typed)).into(),
        }
    }
}

fn check(text: &str) -> Result<(), CodeError> {
    match hash(text) {
        Some(hash) => hash.map(|_| ()),
        None if text.chars().count() < MIN_CODE_CHARS => Err(CodeError::Short),
        None => Ok(()),
    }
}

/// The hash, where the text is meant as one.
fn hash(text: &str) -> Option<Result<PasswordHash, CodeError>> {
    text.starts_with(HASH_START).then(|| {
        let hash = PasswordHash::new(text).map_err(|_| CodeError::Hash)?;
        let params = Params::try_from(&hash).map_err(|_| CodeError::Hash)?;
        let is_whole = hash.algorithm.as_str() == "argon2id" && hash.salt.is_some() && hash.hash.is_some();
        let is_payable = params.m_cost() <= MAX_HASH_KIB && params.t_cost() <= MAX_HASH_ROUNDS;
        if is_whole && is_payable { Ok(hash) } else { Err(CodeError::Hash) }
    })
}

#[cfg(test)]
pub(super) fn hashed(code: &str) -> String {
    use argon2::password_hash::PasswordHasher as _;
    let params = Params::new(8, 1, 1, None).unwrap();
    let argon2 = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    argon2.hash_password(code.as_bytes()).unwrap().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Result<Code, CodeError> {
        Code::new(Secret::fixed(text))
    }

    #[test]
    fn a_code_is_long_enough_and_known_again() {
        assert_eq!(code("eleven char").unwrap_err(), CodeError::Short);
        let code = code("twelve chars").unwrap();
        assert!(code.is("twelve chars") && code.is(" twelve chars\n"));
        for wrong in ["", "twelve char", "twelve charss", "Twelve chars"] {
            assert!(!code.is(wrong), "{wrong}");
        }
        assert!(!format!("{code:?}").contains("twelve"));
    }

    #[test]
    fn a_hash_is_checked_against_what_is_typed_and_does_not_open_itself() {
        let text = hashed("correct horse battery");
        let code = code(&text).unwrap();
        assert!(code.is("correct horse battery"));
        assert!(!code.is("correct horse") && !code.is(&text));
    }

    #[test]
    fn a_malformed_hash_is_no_code() {
        let good = hashed("correct horse battery");
        let (start, _) = good.rsplit_once('$').unwrap();
        let salt = "c2FsdHNhbHRzYWx0";
        let hash = "aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g";
        for bad in [
            "$argon2id$",
            "$argon2id$not a hash at all",
            start,
            &good.replace("$argon2id$", "$argon2i$"),
            &good.replace("m=8", "m=many"),
            &format!("$argon2id$v=19$m=4194304,t=1,p=1${salt}${hash}"),
            &format!("$argon2id$v=19$m=1024,t=4000000,p=1${salt}${hash}"),
        ] {
            assert_eq!(code(bad).unwrap_err(), CodeError::Hash, "{bad}");
        }
    }

    #[test]
    fn a_file_read_again_brings_the_new_code_and_never_a_weaker_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("code");
        std::fs::write(&path, "the first code\n").unwrap();
        let code = Code::new(Secret::from_file(&path).unwrap()).unwrap();
        std::fs::write(&path, "short").unwrap();
        code.reload();
        assert!(code.is("the first code") && !code.is("short"));
        std::fs::write(&path, hashed("the second code")).unwrap();
        code.reload();
        assert!(code.is("the second code") && !code.is("the first code"));
    }
}
