//! The audit trail: a line for everything that was called, approved or refused, each chained to the one before.
//!
//! Knows nothing of tools, protocols or transports: what they tell it, it writes.

use serde::Serialize;

/// The trail cannot be written: what must be on record must not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the audit trail cannot be written")]
pub struct Unwritable;

/// Why an access was refused.
#[derive(Debug, Clone, Serialize)]
pub struct RefusedAccess {
    /// `no_token`, `wrong_token`, `insufficient_scope`, `foreign_session` and the like.
    pub reason: &'static str,
    /// Who it was, where that is known.
    pub principal: Option<String>,
    /// Which face: the path's template, such as `/mcp`.
    pub path: &'static str,
}

/// The trail of this process, or none. Cloning it clones a pointer.
#[derive(Debug, Clone, Default)]
pub struct Trail;

impl Trail {
    /// No trail: everything is let through unrecorded.
    #[must_use]
    pub fn off() -> Self {
        Self
    }

    /// The number of the last line and its hash, to be kept elsewhere; nothing where there is no trail.
    #[must_use]
    pub fn head(&self) -> Option<(u64, String)> {
        None
    }

    /// Records a refused access. Nothing waits for it, and a trail that cannot be written refuses it all the same.
    pub fn refused(&self, access: &RefusedAccess) {
        tracing::debug!(reason = access.reason, path = access.path, "refused access");
    }
}
