//! What all requests share. No lock is held across an await: each is taken for one look or one change.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::clock::Clock;
use super::config::SimulatorConfig;
use super::fault::Chance;
use super::record::Record;
use super::seeds;
use super::signature::Verifier;
use super::store::Store;
use super::tokens::Tokens;

/// The state of one simulator.
pub(super) struct Shared {
    pub(super) clock: Clock,
    pub(super) record: Record,
    pub(super) chance: Chance,
    pub(super) verifier: Option<Verifier>,
    /// Writes that take effect after their connection died.
    pub(super) late: TaskTracker,
    /// Cancelled when the simulator is to end.
    pub(super) stop: CancellationToken,
    store: Mutex<Store>,
    tokens: Mutex<Tokens>,
}

impl Shared {
    pub(super) fn new(config: SimulatorConfig, clock: Clock, stop: CancellationToken) -> Self {
        let late = TaskTracker::new();
        // Closed, it still takes tasks, and says when there are none.
        late.close();
        Self {
            clock,
            record: Record::default(),
            chance: Chance::new(config.faults),
            verifier: config.public_key.map(Verifier::new),
            late,
            stop,
            store: Mutex::new(Store::new(seeds::customers())),
            tokens: Mutex::new(Tokens::new(config.token)),
        }
    }

    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows nothing: it holds tokens and customers.
impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}
