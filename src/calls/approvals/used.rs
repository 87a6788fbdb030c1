//! What this process has used up. The store says so, too; but whoever can write to it, or brings an old copy of it
//! back, could make it say otherwise.
//!
//! Knows nothing of other replicas.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::ApprovalId;

/// Approvals that were used up, each for as long as it would have held.
#[derive(Debug, Default)]
pub(super) struct Used(Mutex<BTreeMap<ApprovalId, Timestamp>>);

impl Used {
    /// One more; what would hold no more is forgotten.
    pub(super) fn add(&self, id: &ApprovalId, until: Timestamp, now: Timestamp) {
        let mut used = self.lock();
        used.retain(|_, until| *until > now);
        used.insert(id.clone(), until);
    }

    /// Whether this one was.
    pub(super) fn has(&self, id: &ApprovalId, now: Timestamp) -> bool {
        self.lock().get(id).is_some_and(|until| *until > now)
    }

    /// It is put back.
    pub(super) fn forget(&self, id: &ApprovalId) {
        self.lock().remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ApprovalId, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
