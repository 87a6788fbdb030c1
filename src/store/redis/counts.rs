//! Counts that are asked for while the same one is being asked for: they go to the server together, with its next round
//! trip, and each is told its own number, as if they had gone one after the other.
//!
//! So what a busy client's calls cost to count falls with their number, and a lone one waits for nobody. Knows nothing of
//! how the server is asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::store::{Counted, StoreError};

/// Who is told the number.
type Waiting = oneshot::Sender<Result<Counted, StoreError>>;

/// Counts on their way, by key: those who wait for the next round trip.
#[derive(Clone, Default)]
pub(super) struct Counts(Arc<Mutex<HashMap<String, Vec<Waiting>>>>);

impl Counts {
    /// Counts one more under this key. `ask` counts so many at once, and says what the last of them is told.
    pub(super) async fn one_more<F>(
        &self,
        key: String,
        ask: impl Fn(u64) -> F + Send + Sync + 'static,
    ) -> Result<Counted, StoreError>
    where
        F: Future<Output = Result<Counted, StoreError>> + Send,
    {
        let (waiting, told) = oneshot::channel();
        if self.is_first(&key, waiting) {
            let counts = self.clone();
            // By itself: a caller that leaves must not take the others' answer along.
            tokio::spawn(async move {
                while let Some(group) = counts.next(&key) {
                    tell(group, &ask).await;
                }
            });
        }
        told.await.unwrap_or(Err(StoreError::Gone))
    }

    /// Whether nobody is about this key yet.
    fn is_first(&self, key: &str, waiting: Waiting) -> bool {
        let mut counts = self.lock();
        if let Some(others) = counts.get_mut(key) {
            others.push(waiting);
            return false;
        }
        counts.insert(key.to_owned(), vec![waiting]);
        true
    }

    /// Those who have come meanwhile. Where nobody has, nobody is about this key any more.
    fn next(&self, key: &str) -> Option<Vec<Waiting>> {
        let mut counts = self.lock();
        let group = std::mem::take(counts.get_mut(key)?);
        if group.is_empty() {
            counts.remove(key);
            return None;
        }
        Some(group)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<Waiting>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn tell<F>(mut group: Vec<Waiting>, ask: &impl Fn(u64) -> F)
where
    F: Future<Output = Result<Counted, StoreError>>,
{
    // Whoever has left by now is not counted, as if it had not come.
    group.retain(|waiting| !waiting.is_closed());
    if group.is_empty() {
        return;
    }
    let counted = group.len() as u64;
    let last = ask(counted).await;
    for (waiting, after) in group.into_iter().zip((0..counted).rev()) {
        // More than were counted are there, unless somebody else has written to the server.
        let own = |last: Counted| Counted { number: last.number.saturating_sub(after), ..last };
        let _ = waiting.send(last.map(own));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use futures_util::future::join_all;
    use tokio::sync::Semaphore;

    use super::*;

    /// A server that answers when it is let, and how often it was asked.
    #[derive(Default)]
    struct Server {
        count: AtomicU64,
        asked: AtomicU64,
    }

    fn asks(
        server: &Arc<Server>,
        gate: &Arc<Semaphore>,
    ) -> impl Fn(u64) -> futures_util::future::BoxFuture<'static, Result<Counted, StoreError>>
    + Send
    + Sync
    + 'static {
        let (server, gate) = (Arc::clone(server), Arc::clone(gate));
        move |more| {
            let (server, gate) = (Arc::clone(&server), Arc::clone(&gate));
            Box::pin(async move {
                server.asked.fetch_add(1, Ordering::SeqCst);
                gate.acquire().await.map_err(|_| StoreError::Gone)?.forget();
                Ok(told(server.count.fetch_add(more, Ordering::SeqCst) + more))
            })
        }
    }

    fn told(number: u64) -> Counted {
        Counted { number, left: Duration::from_secs(9) }
    }

    async fn until(is_so: impl Fn() -> bool) {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn those_who_come_together_are_counted_together_and_each_has_its_number() {
        let (counts, server, gate) = (Counts::default(), Arc::default(), Arc::new(Semaphore::new(2)));
        let each = (0..50).map(|_| counts.one_more("a".to_owned(), asks(&server, &gate)));
        let mut told: Vec<u64> = join_all(each).await.into_iter().map(|told| told.unwrap().number).collect();
        told.sort_unstable();
        assert_eq!(told, (1..=50).collect::<Vec<u64>>());
        assert!(server.asked.load(Ordering::SeqCst) <= 2);
        assert_eq!(counts.lock().len(), 0, "nothing is kept of them");
    }

    #[tokio::test]
    async fn a_caller_that_leaves_takes_nobody_along_and_is_not_counted_before_it_was_asked_for() {
        let (counts, server, gate) = (Counts::default(), Arc::default(), Arc::new(Semaphore::new(0)));
        let begin = || {
            let (counts, ask) = (counts.clone(), asks(&server, &gate));
            tokio::spawn(async move { counts.one_more("a".to_owned(), ask).await })
        };
        let first = begin();
        until(|| server.asked.load(Ordering::SeqCst) == 1).await;
        let (leaver, stayer) = (begin(), begin());
        until(|| counts.lock().get("a").is_some_and(|waiting| waiting.len() == 2)).await;
        first.abort();
        leaver.abort();
        let _ = (first.await, leaver.await);
        gate.add_permits(2);
        assert_eq!(stayer.await.unwrap(), Ok(told(2)));
    }

    #[tokio::test]
    async fn a_server_that_is_gone_is_told_to_all_and_asked_again_by_the_next() {
        let (counts, server, gate) = (Counts::default(), Arc::default(), Arc::new(Semaphore::new(0)));
        gate.close();
        let each = (0..5).map(|_| counts.one_more("a".to_owned(), asks(&server, &gate)));
        assert!(join_all(each).await.into_iter().all(|told| told == Err(StoreError::Gone)));
        let open = Arc::new(Semaphore::new(1));
        assert_eq!(counts.one_more("a".to_owned(), asks(&server, &open)).await, Ok(told(1)));
    }
}
