//! Looks at verifications, each shared by all who want one at about the same time: whoever asks while a look is under
//! way gets that one, and whoever asks within a second of it gets what it showed.
//!
//! Knows nothing of who waits, and for how long.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use tokio::time::Instant;

use crate::tools::{Sight, ToolError, VerificationPath};

/// How long what a look showed stands for another one.
pub(super) const FRESH: Duration = Duration::from_secs(1);
/// Longest `Retry-After` that is kept to: nobody waits longer than that.
const MAX_RETRY_AFTER: Duration = Duration::from_mins(5);

/// What a look showed, or why it failed.
pub(in crate::calls) type Looked = Result<Arc<Sight>, ToolError>;

/// Looks at a verification once. Dropping the future ends the look.
pub(in crate::calls) trait Look: Send + Sync + 'static {
    fn look(&self, at: VerificationPath) -> BoxFuture<'static, Looked>;
}

impl<F: Fn(VerificationPath) -> BoxFuture<'static, Looked> + Send + Sync + 'static> Look for F {
    fn look(&self, at: VerificationPath) -> BoxFuture<'static, Looked> {
        self(at)
    }
}

/// The looks of this moment.
#[derive(Clone)]
pub(super) struct Glances(Arc<Inner>);

struct Inner {
    look: Box<dyn Look>,
    glances: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    by_path: HashMap<VerificationPath, Glance>,
    next_id: u64,
}

enum Glance {
    /// Whoever shares it keeps it alive; this does not.
    UnderWay(u64, WeakShared<OneLook>),
    /// It ended, and stands for any other one until then.
    Done(Instant, Arc<Looked>),
}

type OneLook = BoxFuture<'static, Arc<Looked>>;

impl Glances {
    pub(super) fn new(look: impl Look) -> Self {
        Self(Arc::new(Inner { look: Box::new(look), glances: Mutex::default() }))
    }

    /// What a look shows that is under way, ended within the last second, or begins now. A failure that asked for a
    /// pause stands for as long as that.
    pub(super) async fn look(&self, at: &VerificationPath) -> Arc<Looked> {
        match self.enter(at) {
            Ok(looked) => looked,
            Err(under_way) => under_way.await,
        }
    }

    /// Forgets what a look showed, unless it asked for a pause.
    pub(super) fn forget(&self, at: &VerificationPath) {
        let mut known = self.0.lock();
        if let Some(Glance::Done(_, looked)) = known.by_path.get(at)
            && retry_after(looked).is_none()
        {
            known.by_path.remove(at);
        }
    }

    fn enter(&self, at: &VerificationPath) -> Result<Arc<Looked>, Shared<OneLook>> {
        let now = Instant::now();
        let mut known = self.0.lock();
        known.by_path.retain(|_, glance| !matches!(glance, Glance::Done(until, _) if *until <= now));
        match known.by_path.get(at) {
            Some(Glance::Done(_, looked)) => return Ok(Arc::clone(looked)),
            Some(Glance::UnderWay(_, look)) => {
                if let Some(look) = look.upgrade() {
                    return Err(look);
                }
            }
            None => {}
        }
        let id = known.next_id;
        known.next_id += 1;
        let look = UnderWay { inner: Arc::clone(&self.0), at: at.clone(), id }.run().boxed().shared();
        if let Some(weak) = look.downgrade() {
            known.by_path.insert(at.clone(), Glance::UnderWay(id, weak));
        }
        Err(look)
    }

    /// How many are under way or remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().by_path.len()
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.glances.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A look under way. Dropped before its end, it leaves nothing behind.
struct UnderWay {
    inner: Arc<Inner>,
    at: VerificationPath,
    id: u64,
}

impl UnderWay {
    async fn run(self) -> Arc<Looked> {
        let look = AssertUnwindSafe(async { self.inner.look.look(self.at.clone()).await });
        let looked = look.catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!("a look at a verification panicked");
            Err(ToolError::panicked(false))
        });
        let looked = Arc::new(looked);
        let fresh_until = Instant::now() + retry_after(&looked).map_or(FRESH, |pause| pause.max(FRESH));
        let done = Glance::Done(fresh_until, Arc::clone(&looked));
        self.inner.lock().by_path.insert(self.at.clone(), done);
        looked
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut known = self.inner.lock();
        // By now the entry may be that of the next look.
        if matches!(known.by_path.get(&self.at), Some(Glance::UnderWay(id, _)) if *id == self.id) {
            known.by_path.remove(&self.at);
        }
    }
}

/// The pause that a failed look asks for.
pub(super) fn retry_after(looked: &Looked) -> Option<Duration> {
    let seconds = looked.as_ref().err()?.retry_after_seconds?;
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}
