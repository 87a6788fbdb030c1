//! A write that is sent again within ten minutes is not sent again: it gets the first outcome.
//!
//! Agents repeat calls that took long or that they forgot, and the upstream has no idempotency key. Kept are
//! successes and unknown outcomes; what was certainly not applied is forgotten at once. Knows nothing of what
//! a write does.

use std::collections::{HashMap, VecDeque};
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// How long an outcome is kept.
pub(super) const KEPT_FOR: Duration = Duration::from_mins(10);
/// Outcomes kept at once. Beyond, new writes are refused; none is dropped early.
pub(super) const MAX_RECORDS: usize = 100_000;

/// Outcomes that end within so long of each other are forgotten together, where nothing is written.
const AT_ONCE: Duration = Duration::from_secs(1);

/// How long a call waits for another one of the same write: clients give up at 60 s, and a person may take longer.
pub(super) const JOINED_FOR: Duration = Duration::from_secs(45);

/// Names a write: a digest of who sends what.
pub type Key = [u8; 32];

/// Whom the outcome of a write answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answers {
    /// Everybody who sends the same within ten minutes.
    Repeats,
    /// Those who wait for it now; then it is forgotten.
    ThoseWaiting,
    /// The caller that sent it alone; the others begin afresh.
    FirstCaller,
}

/// The outcome of a write.
pub(super) trait Outcome: Clone + Debug + Send + Sync + 'static {
    /// Whom it answers.
    fn answers(&self) -> Answers;
    /// Itself as a text, to be kept in little room; nothing where it could not be had back from that.
    fn packed(&self) -> Option<Box<str>>;
    /// What was packed.
    fn unpacked(text: &str) -> Option<Self>;
}

/// What became of a write, to those who wait for it.
#[derive(Debug, Clone)]
pub(super) struct Ended<O> {
    pub(super) outcome: O,
    /// When it would be sent again; nothing where it would be at once.
    pub(super) kept_until: Option<Instant>,
}

/// The answer to a write.
#[derive(Debug)]
pub(super) enum Answer<O> {
    /// It was sent for this caller.
    First(O),
    /// Another call had sent it, or was about to.
    Repeated(Ended<O>),
    /// Another call is still about it, after as long as this one may be kept waiting.
    UnderWay,
    /// No room to remember it, so it was not sent.
    Full,
    /// The task that sent it is gone without a word.
    Lost,
}

/// The writes of the last ten minutes, and those on their way.
#[derive(Debug)]
pub(super) struct Repeats<O> {
    records: Mutex<Records<O>>,
    max_records: usize,
    writes: TaskTracker,
}

#[derive(Debug)]
struct Records<O> {
    by_key: HashMap<Key, Record<O>>,
    /// In the order in which they end; writes on their way are not in it yet.
    expiry: VecDeque<(Instant, Key)>,
    /// Whether somebody sees to it that they end when nothing is written any more.
    is_watched: bool,
}

#[derive(Debug)]
enum Record<O> {
    /// On its way, or ended with what cannot be packed.
    Whole {
        outcome: watch::Receiver<Option<Ended<O>>>,
        /// Gone when nobody waits for the write any more.
        present: Weak<DropGuard>,
    },
    /// Ended. There are many of these, and hardly any is asked for.
    Packed { outcome: Box<str>, kept_until: Instant },
}

/// A caller's share in a write.
struct Share<O> {
    outcome: watch::Receiver<Option<Ended<O>>>,
    present: Option<Arc<DropGuard>>,
}

impl<O: Outcome> Repeats<O> {
    pub(super) fn new(max_records: usize) -> Arc<Self> {
        let records = Records { by_key: HashMap::new(), expiry: VecDeque::new(), is_watched: false };
        Arc::new(Self { records: Mutex::new(records), max_records, writes: TaskTracker::new() })
    }

    /// Carries out a write unless it is under way or was carried out lately. It runs to its end even when the
    /// caller goes away; it is told when nobody is left who waits for it. `cancelled` says that this caller leaves.
    pub(super) async fn once<F>(
        self: &Arc<Self>,
        key: Key,
        cancelled: &CancellationToken,
        write: impl FnOnce(CancellationToken) -> F,
    ) -> Answer<O>
    where
        F: Future<Output = O> + Send + 'static,
    {
        loop {
            match self.enter(key) {
                Entry::Full => return Answer::Full,
                Entry::Ended(packed, kept_until) => {
                    let kept_until = Some(kept_until);
                    return O::unpacked(&packed)
                        .map_or(Answer::Lost, |outcome| Answer::Repeated(Ended { outcome, kept_until }));
                }
                Entry::Known(share) => match timeout(JOINED_FOR, share.ended(cancelled)).await {
                    Err(_) => return Answer::UnderWay,
                    Ok(None) => return Answer::Lost,
                    Ok(Some(ended)) if ended.outcome.answers() != Answers::FirstCaller => {
                        return Answer::Repeated(ended);
                    }
                    Ok(Some(ended)) if cancelled.is_cancelled() => return Answer::First(ended.outcome),
                    Ok(Some(_)) => {}
                },
                Entry::New(share, running, given_up) => {
                    let write = write(given_up);
                    self.writes.spawn(async move { running.ended(write.await) });
                    let ended = share.ended(cancelled).await;
                    return ended.map_or(Answer::Lost, |ended| Answer::First(ended.outcome));
                }
            }
        }
    }

    /// Waits until no write is on its way, those included whose callers have left.
    pub(super) async fn settled(&self) {
        self.writes.close();
        self.writes.wait().await;
    }

    fn enter(self: &Arc<Self>, key: Key) -> Entry<O> {
        let mut records = self.lock();
        records.forget_expired();
        match records.by_key.get(&key) {
            Some(Record::Whole { outcome, present }) => {
                return Entry::Known(Share { outcome: outcome.clone(), present: present.upgrade() });
            }
            Some(Record::Packed { outcome, kept_until }) => {
                return Entry::Ended(outcome.clone(), *kept_until);
            }
            None => {}
        }
        if records.by_key.len() >= self.max_records {
            return Entry::Full;
        }
        let (tell, outcome) = watch::channel(None);
        let given_up = CancellationToken::new();
        let present = Arc::new(given_up.clone().drop_guard());
        let whole = Record::Whole { outcome: outcome.clone(), present: Arc::downgrade(&present) };
        records.by_key.insert(key, whole);
        let running = Running { repeats: Arc::clone(self), key, tell };
        Entry::New(Share { outcome, present: Some(present) }, running, given_up)
    }

    fn lock(&self) -> MutexGuard<'_, Records<O>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a write finds when it asks to be sent.
enum Entry<O: Outcome> {
    New(Share<O>, Running<O>, CancellationToken),
    Known(Share<O>),
    Ended(Box<str>, Instant),
    Full,
}

impl<O> Records<O> {
    fn forget_expired(&mut self) {
        let now = Instant::now();
        while let Some((_, key)) = self.expiry.pop_front_if(|(until, _)| *until <= now) {
            self.by_key.remove(&key);
        }
    }
}

/// Forgets outcomes when their time is over, until there is none: they are about people, and a server to which nothing
/// is written any more keeps none of them for longer than it says.
async fn forget_in_time<O: Outcome>(repeats: Weak<Repeats<O>>) {
    loop {
        let next = {
            let Some(repeats) = repeats.upgrade() else { return };
            let mut records = repeats.lock();
            records.forget_expired();
            let Some((until, _)) = records.expiry.front() else {
                records.is_watched = false;
                records.by_key.shrink_to_fit();
                records.expiry.shrink_to_fit();
                return;
            };
            *until
        };
        sleep_until(next + AT_ONCE).await;
    }
}

impl<O: Clone> Share<O> {
    /// What became of the write. A caller that leaves is still told, but no reason any more to go on with it.
    async fn ended(mut self, cancelled: &CancellationToken) -> Option<Ended<O>> {
        tokio::select! {
            biased;
            ended = self.outcome.wait_for(Option::is_some) => return ended.ok()?.clone(),
            () = cancelled.cancelled() => {}
        }
        drop(self.present.take());
        self.outcome.wait_for(Option::is_some).await.ok()?.clone()
    }
}

/// A write on its way. Dropped without an outcome (a runtime that ends), it makes room again.
struct Running<O: Outcome> {
    repeats: Arc<Repeats<O>>,
    key: Key,
    tell: watch::Sender<Option<Ended<O>>>,
}

impl<O: Outcome> Running<O> {
    fn ended(self, outcome: O) {
        let kept_until = (outcome.answers() == Answers::Repeats).then(|| Instant::now() + KEPT_FOR);
        let packed = kept_until.and_then(|_| outcome.packed());
        {
            // Before anybody is told: who hears that nothing was applied may send it again at once.
            let mut records = self.repeats.lock();
            match kept_until {
                Some(until) => {
                    records.expiry.push_back((until, self.key));
                    if let Some(outcome) = packed {
                        let packed = Record::Packed { outcome, kept_until: until };
                        records.by_key.insert(self.key, packed);
                    }
                    if !std::mem::replace(&mut records.is_watched, true) {
                        tokio::spawn(forget_in_time(Arc::downgrade(&self.repeats)));
                    }
                }
                None => drop(records.by_key.remove(&self.key)),
            }
        }
        self.tell.send_replace(Some(Ended { outcome, kept_until }));
    }
}

impl<O: Outcome> Drop for Running<O> {
    fn drop(&mut self) {
        // A write that ended has seen to its record, and the key may be another one's by now.
        let has_ended = self.tell.borrow().is_some();
        if !has_ended {
            self.repeats.lock().by_key.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests;
