//! What values are called: a digest, since the parts may be somebody's data.

use aws_lc_rs::digest::{Context as Digest, SHA256};

/// The name of a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    kind: &'static str,
    digest: [u8; 32],
}

impl Name {
    /// The value of this kind that these parts name together.
    #[must_use]
    pub fn new(kind: &'static str, parts: &[&[u8]]) -> Self {
        let mut context = Digest::new(&SHA256);
        for part in parts {
            // Lengths keep two parts from reading as other two.
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part);
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.finish().as_ref());
        Self { kind, digest }
    }

    /// What kind of value it names.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The digest of its parts.
    #[must_use]
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}
