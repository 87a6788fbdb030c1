//! Waits for verdicts: one poller for each verification, however many wait for it, and none when nobody does.
//!
//! A poller looks after a second, then at growing intervals of up to ten. It holds nothing of the upstream while it
//! sleeps, survives whatever a look comes to, and ends with its last waiter. Knows nothing of calls and their time.

mod glances;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::sleep;
use tokio_util::task::TaskTracker;

use crate::tools::{ErrorKind, Sight, VerificationPath};
use glances::Glances;
pub(super) use glances::{Look, Looked};

/// The pause before the first look.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Everybody who waits.
pub(super) struct Waits(Arc<Inner>);

struct Inner {
    glances: Glances,
    pollers: Mutex<HashMap<VerificationPath, Poller>>,
    tasks: TaskTracker,
}

struct Poller {
    seen: Arc<watch::Sender<Seen>>,
    task: AbortHandle,
    waiters: usize,
}

/// What the looks of a wait have come to.
#[derive(Clone, Default)]
pub(super) struct Seen {
    /// How many have ended.
    pub(super) looks: u32,
    /// The verification as last seen; nothing where no look has succeeded yet.
    pub(super) sight: Option<Arc<Sight>>,
    last: Option<Arc<Looked>>,
}

impl Seen {
    /// Whether there is no more to wait for.
    pub(super) fn is_decided(&self) -> bool {
        self.sight.as_ref().is_some_and(|sight| sight.is_decided)
    }

    /// Why the last look failed, where it did.
    pub(super) fn failure(&self) -> Option<ErrorKind> {
        self.last.as_deref()?.as_ref().err().map(|error| error.kind)
    }

    /// What this look alone shows.
    pub(super) fn of(looked: &Arc<Looked>) -> Self {
        let mut seen = Self::default();
        seen.add(looked);
        seen
    }

    /// Takes in what a look showed, once however many shared it.
    fn add(&mut self, looked: &Arc<Looked>) -> bool {
        if self.last.as_ref().is_some_and(|last| Arc::ptr_eq(last, looked)) {
            return false;
        }
        self.looks += 1;
        if let Ok(sight) = looked.as_ref() {
            self.sight = Some(Arc::clone(sight));
        }
        self.last = Some(Arc::clone(looked));
        true
    }
}

impl Waits {
    pub(super) fn new(look: impl Look) -> Self {
        let inner =
            Inner { glances: Glances::new(look), pollers: Mutex::default(), tasks: TaskTracker::new() };
        Self(Arc::new(inner))
    }

    /// Begins to wait, with those who wait already.
    pub(super) fn join(&self, at: &VerificationPath) -> Waiter {
        let mut pollers = self.0.lock();
        let poller = pollers.entry(at.clone()).or_insert_with(|| {
            let seen = Arc::new(watch::Sender::new(Seen::default()));
            let polling = poll(self.0.glances.clone(), at.clone(), Arc::clone(&seen));
            Poller { seen, task: self.0.tasks.spawn(polling).abort_handle(), waiters: 0 }
        });
        poller.waiters += 1;
        let seen = Arc::clone(&poller.seen);
        Waiter { inner: Arc::clone(&self.0), at: at.clone(), news: seen.subscribe(), seen }
    }

    /// One look, shared with whoever else looks within the same second.
    pub(super) async fn glance(&self, at: &VerificationPath) -> Arc<Looked> {
        self.0.glances.look(at).await
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, HashMap<VerificationPath, Poller>> {
        self.pollers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn poll(glances: Glances, at: VerificationPath, seen: Arc<watch::Sender<Seen>>) {
    let mut pause = FIRST_PAUSE;
    let mut asked_for = Duration::ZERO;
    loop {
        sleep(pause.max(asked_for)).await;
        let looked = glances.look(&at).await;
        seen.send_if_modified(|seen| seen.add(&looked));
        if seen.borrow().is_decided() {
            return;
        }
        asked_for = glances::retry_after(&looked).unwrap_or_default();
        pause = pause.mul_f64(1.5).min(LONGEST_PAUSE);
    }
}

/// One who waits. Dropped, it leaves; the last one to leave ends the poller, in the middle of a look if need be.
pub(super) struct Waiter {
    inner: Arc<Inner>,
    at: VerificationPath,
    seen: Arc<watch::Sender<Seen>>,
    news: watch::Receiver<Seen>,
}

impl Waiter {
    /// The looks that end from now on.
    pub(super) fn news(&self) -> watch::Receiver<Seen> {
        self.news.clone()
    }

    /// What the looks have come to so far.
    pub(super) fn seen(&self) -> Seen {
        self.news.borrow().clone()
    }

    /// A look out of turn. Everybody who waits for the verification learns what it shows.
    pub(super) async fn look(&self) {
        let looked = self.inner.glances.look(&self.at).await;
        self.seen.send_if_modified(|seen| seen.add(&looked));
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut pollers = self.inner.lock();
        let Some(poller) = pollers.get_mut(&self.at) else { return };
        poller.waiters -= 1;
        if poller.waiters == 0 {
            poller.task.abort();
            pollers.remove(&self.at);
            self.inner.glances.forget(&self.at);
        }
    }
}

impl std::fmt::Debug for Waits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waits").field("pollers", &self.0.tasks.len()).finish_non_exhaustive()
    }
}
