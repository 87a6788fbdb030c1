//! A write that is sent again within ten minutes is not sent again: it gets the first outcome.
//!
//! Agents repeat calls that took long or that they forgot, and the upstream has no idempotency key. Kept are
//! successes and unknown outcomes; what was certainly not applied is forgotten at once. Knows nothing of what
//! a write does.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::Reply;

/// How long an outcome is kept.
pub(super) const KEPT_FOR: Duration = Duration::from_mins(10);
/// Outcomes kept at once. Beyond, new writes are refused; none is dropped early.
pub(super) const MAX_RECORDS: usize = 100_000;

/// Names a write: a digest of who sends what.
pub(super) type Key = [u8; 32];

/// What became of a write, to those who wait for it.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    pub(super) reply: Reply,
    /// When it would be sent again; nothing where it would be at once.
    pub(super) kept_until: Option<Instant>,
}

/// The answer to a write.
#[derive(Debug)]
pub(super) enum Answer {
    /// It was sent for this caller.
    First(Reply),
    /// Another call had sent it, or was about to.
    Repeated(Ended),
    /// No room to remember it, so it was not sent.
    Full,
    /// The task that sent it is gone without a word.
    Lost,
}

/// The writes of the last ten minutes, and those on their way.
#[derive(Debug)]
pub(super) struct Repeats {
    records: Mutex<Records>,
    max_records: usize,
    writes: TaskTracker,
}

#[derive(Debug, Default)]
struct Records {
    by_key: HashMap<Key, watch::Receiver<Option<Ended>>>,
    /// In the order in which they end; writes on their way are not in it yet.
    expiry: VecDeque<(Instant, Key)>,
}

impl Repeats {
    pub(super) fn new(max_records: usize) -> Arc<Self> {
        Arc::new(Self { records: Mutex::default(), max_records, writes: TaskTracker::new() })
    }

    /// Carries out a write unless it is under way or was carried out lately. It runs to its end even when the
    /// caller goes away. `keep` says whether a reply is an outcome to remember.
    pub(super) async fn once(
        self: &Arc<Self>,
        key: Key,
        write: impl Future<Output = Reply> + Send + 'static,
        keep: fn(&Reply) -> bool,
    ) -> Answer {
        let (outcome, running) = match self.enter(key, keep) {
            Entry::Full => return Answer::Full,
            Entry::Known(outcome) => {
                return ended(outcome).await.map_or(Answer::Lost, Answer::Repeated);
            }
            Entry::New(outcome, running) => (outcome, running),
        };
        self.writes.spawn(async move { running.ended(write.await) });
        ended(outcome).await.map_or(Answer::Lost, |ended| Answer::First(ended.reply))
    }

    /// Waits until no write is on its way, those included whose callers have left.
    pub(super) async fn settled(&self) {
        self.writes.close();
        self.writes.wait().await;
    }

    fn enter(self: &Arc<Self>, key: Key, keep: fn(&Reply) -> bool) -> Entry {
        let mut records = self.lock();
        records.forget_expired();
        if let Some(outcome) = records.by_key.get(&key) {
            return Entry::Known(outcome.clone());
        }
        if records.by_key.len() >= self.max_records {
            return Entry::Full;
        }
        let (tell, outcome) = watch::channel(None);
        records.by_key.insert(key, outcome.clone());
        Entry::New(outcome, Running { repeats: Arc::clone(self), key, tell, keep })
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a write finds when it asks to be sent.
enum Entry {
    New(watch::Receiver<Option<Ended>>, Running),
    Known(watch::Receiver<Option<Ended>>),
    Full,
}

impl Records {
    fn forget_expired(&mut self) {
        let now = Instant::now();
        while let Some((_, key)) = self.expiry.pop_front_if(|(until, _)| *until <= now) {
            self.by_key.remove(&key);
        }
    }
}

async fn ended(mut outcome: watch::Receiver<Option<Ended>>) -> Option<Ended> {
    outcome.wait_for(Option::is_some).await.ok()?.clone()
}

/// A write on its way. Dropped without an outcome (a runtime that ends), it makes room again.
struct Running {
    repeats: Arc<Repeats>,
    key: Key,
    tell: watch::Sender<Option<Ended>>,
    keep: fn(&Reply) -> bool,
}

impl Running {
    fn ended(self, reply: Reply) {
        let kept_until = (self.keep)(&reply).then(|| Instant::now() + KEPT_FOR);
        {
            // Before anybody is told: who hears that nothing was applied may send it again at once.
            let mut records = self.repeats.lock();
            match kept_until {
                Some(until) => records.expiry.push_back((until, self.key)),
                None => drop(records.by_key.remove(&self.key)),
            }
        }
        self.tell.send_replace(Some(Ended { reply, kept_until }));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A write that ended has seen to its record, and the key may be another one's by now.
        let has_ended = self.tell.borrow().is_some();
        if !has_ended {
            self.repeats.lock().by_key.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde_json::json;

    use super::*;

    static KEEP: fn(&Reply) -> bool = |reply| !reply.is_error;

    fn write(sent: &Arc<AtomicUsize>, is_error: bool) -> impl Future<Output = Reply> + Send + 'static {
        let sent = Arc::clone(sent);
        async move {
            tokio::task::yield_now().await;
            Reply { body: json!({ "n": sent.fetch_add(1, Ordering::SeqCst) }), is_error }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_success_is_sent_once_in_ten_minutes() {
        let (repeats, sent) = (Repeats::new(10), Arc::new(AtomicUsize::new(0)));
        assert!(matches!(repeats.once([1; 32], write(&sent, false), KEEP).await, Answer::First(_)));
        let Answer::Repeated(ended) = repeats.once([1; 32], write(&sent, false), KEEP).await else {
            panic!()
        };
        assert_eq!(ended.reply.body["n"], 0);
        assert!(matches!(repeats.once([2; 32], write(&sent, false), KEEP).await, Answer::First(_)));
        tokio::time::advance(KEPT_FOR).await;
        assert!(matches!(repeats.once([1; 32], write(&sent, false), KEEP).await, Answer::First(_)));
        assert_eq!(sent.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn what_was_not_applied_is_forgotten_at_once() {
        let (repeats, sent) = (Repeats::new(1), Arc::new(AtomicUsize::new(0)));
        for _ in 0..3 {
            assert!(matches!(repeats.once([1; 32], write(&sent, true), KEEP).await, Answer::First(_)));
        }
        assert_eq!(sent.load(Ordering::SeqCst), 3);
        assert!(repeats.lock().by_key.is_empty());
    }

    /// Nobody who has heard that nothing was applied is answered from that record any more.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_was_not_applied_is_forgotten_before_it_is_told() {
        let (repeats, sent) = (Repeats::new(1), Arc::new(AtomicUsize::new(0)));
        for _ in 0..2000 {
            assert!(matches!(repeats.once([1; 32], write(&sent, true), KEEP).await, Answer::First(_)));
        }
        assert_eq!(sent.load(Ordering::SeqCst), 2000);
    }

    #[tokio::test]
    async fn duplicates_at_the_same_moment_are_one_write() {
        let (repeats, sent) = (Repeats::new(10), Arc::new(AtomicUsize::new(0)));
        let calls = (0..100).map(|_| repeats.once([1; 32], write(&sent, false), KEEP));
        let answers = futures_util::future::join_all(calls).await;
        assert_eq!(answers.iter().filter(|answer| matches!(answer, Answer::First(_))).count(), 1);
        assert_eq!(sent.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn full_records_refuse_new_writes_and_drop_none() {
        let (repeats, sent) = (Repeats::new(1), Arc::new(AtomicUsize::new(0)));
        assert!(matches!(repeats.once([1; 32], write(&sent, false), KEEP).await, Answer::First(_)));
        assert!(matches!(repeats.once([2; 32], write(&sent, false), KEEP).await, Answer::Full));
        assert!(matches!(repeats.once([1; 32], write(&sent, false), KEEP).await, Answer::Repeated(_)));
        tokio::time::advance(KEPT_FOR).await;
        assert!(matches!(repeats.once([2; 32], write(&sent, false), KEEP).await, Answer::First(_)));
    }

    #[tokio::test]
    async fn a_write_goes_on_when_its_caller_leaves() {
        let (repeats, sent) = (Repeats::new(10), Arc::new(AtomicUsize::new(0)));
        let mut call = Box::pin(repeats.once([1; 32], write(&sent, false), KEEP));
        assert!(futures_util::poll!(call.as_mut()).is_pending());
        drop(call);
        let Answer::Repeated(_) = repeats.once([1; 32], write(&sent, false), KEEP).await else { panic!() };
        assert_eq!(sent.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_write_that_vanishes_leaves_no_record() {
        let repeats = Repeats::new(10);
        let vanishing = async { panic!("gone") };
        assert!(matches!(repeats.once([1; 32], vanishing, KEEP).await, Answer::Lost));
        assert!(repeats.lock().by_key.is_empty());
    }
}
