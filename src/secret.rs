//! Secrets that live in a variable or in a file, and may change in the file while the process runs.
//!
//! Knows nothing of what a secret is for. Its text is shown by no `Debug` and no error.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use secrecy::{ExposeSecret, SecretString};

/// Largest file that is read as a secret, in bytes: a private key has a few thousand.
const MAX_BYTES: u64 = 64 * 1024;

/// A secret text, without the line break that editors leave at the end of a file.
#[derive(Clone)]
pub struct Secret {
    file: Option<PathBuf>,
    current: Arc<ArcSwap<SecretString>>,
}

/// Why a file gives no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It is empty.
    #[error("is empty")]
    Empty,
    /// It is larger than any secret.
    #[error("is larger than 64 KiB")]
    TooLarge,
    /// It holds what this secret cannot be.
    #[error("holds characters that this secret cannot have")]
    Unusable,
    /// It is not text.
    #[error("is not UTF-8 text")]
    NotText,
}

impl Secret {
    /// A secret that stays as it is.
    #[must_use]
    pub fn fixed(text: &str) -> Self {
        Self { file: None, current: Arc::new(ArcSwap::from_pointee(text.trim().into())) }
    }

    /// A secret in a file; read now, and again by [`reload`](Self::reload).
    ///
    /// # Errors
    /// [`SecretError`] where the file gives none.
    pub fn from_file(path: impl Into<PathBuf>) -> Result<Self, SecretError> {
        let path = path.into();
        let text = read(&path)?;
        Ok(Self { file: Some(path), current: Arc::new(ArcSwap::from_pointee(text)) })
    }

    /// The text as it is now.
    #[must_use]
    pub fn get(&self) -> Arc<SecretString> {
        self.current.load_full()
    }

    /// Reads a file again. True when the text is another one now; a secret from a variable never is. `is_usable`
    /// says what a text must look like to replace the one before.
    ///
    /// # Errors
    /// [`SecretError`] where the file gives no usable one any more: the text before stays in use.
    pub fn reload(&self, is_usable: impl Fn(&str) -> bool) -> Result<bool, SecretError> {
        let Some(path) = &self.file else { return Ok(false) };
        let text = read(path)?;
        if !is_usable(text.expose_secret()) {
            return Err(SecretError::Unusable);
        }
        let changed = text.expose_secret() != self.get().expose_secret();
        self.current.store(Arc::new(text));
        Ok(changed)
    }

    /// The file, where it is one that others than its owner may read.
    #[must_use]
    pub fn readable_by_others(&self) -> Option<&Path> {
        let path = self.file.as_deref()?;
        is_readable_by_others(path).then_some(path)
    }
}

fn read(path: &Path) -> Result<SecretString, SecretError> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file").into());
    }
    if metadata.len() > MAX_BYTES {
        return Err(SecretError::TooLarge);
    }
    let text = String::from_utf8(std::fs::read(path)?).map_err(|_| SecretError::NotText)?;
    if text.trim().is_empty() {
        return Err(SecretError::Empty);
    }
    Ok(SecretString::from(text.trim()))
}

/// Whether others than its owner may read or change this file.
#[cfg(unix)]
#[must_use]
pub fn is_readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

/// Whether others than its owner may read or change this file; not known here.
#[cfg(not(unix))]
#[must_use]
pub fn is_readable_by_others(_: &Path) -> bool {
    false
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("file", &self.file).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_read_again_when_it_changes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, "one\n").unwrap();
        let secret = Secret::from_file(&path).unwrap();
        assert_eq!(secret.get().expose_secret(), "one");
        assert!(!secret.reload(|_| true).unwrap());
        assert!(matches!(secret.reload(|_| false), Err(SecretError::Unusable)));
        std::fs::write(&path, "two").unwrap();
        assert!(secret.reload(|_| true).unwrap());
        assert_eq!(secret.get().expose_secret(), "two");
        std::fs::write(&path, " \n").unwrap();
        assert!(matches!(secret.reload(|_| true), Err(SecretError::Empty)));
        assert_eq!(secret.get().expose_secret(), "two");
        assert!(!format!("{secret:?}").contains("two"));
    }

    #[test]
    fn what_others_may_read_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, "t").unwrap();
        for (mode, noticed) in [(0o600, false), (0o640, true), (0o604, true)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(Secret::from_file(&path).unwrap().readable_by_others().is_some(), noticed);
        }
        assert!(
            Secret::from_file(dir.path()).is_err() && Secret::from_file(dir.path().join("none")).is_err()
        );
        assert!(Secret::fixed("t").readable_by_others().is_none());
    }
}
