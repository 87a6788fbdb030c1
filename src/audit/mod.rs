//! The audit trail: a line for everything that was called, approved or refused, each chained to the one before.
//!
//! Knows nothing of tools, protocols or transports: what they tell it, it writes. That nothing personal is in it is
//! theirs to see to, beside the digests of arguments, which nobody can take back without the key.
//!
//! | module | does |
//! |---|---|
//! | `event` | what is put on record |
//! | `key`, `chain` | the hashes that tie lines together |
//! | `file` | the file: held, appended to, cut back |
//! | `writer` | the thread that writes what waits at once |
//! | `verify`, `unresolved` | reads files: whether they are whole, which writes have no known outcome |

mod chain;
mod event;
mod file;
mod key;
mod reading;
mod unresolved;
mod verify;
mod writer;

#[cfg(test)]
mod tests;

use std::num::NonZeroU32;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use aws_lc_rs::{digest, hmac};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::{mpsc, oneshot};

pub use chain::{Hash, Head, NoHash};
pub use event::{CameTo, Event, Facts, RefusedAccess, Subject, Targets};
pub use file::OpenError;
pub use key::{AuditKey, WeakKey};
pub use reading::Unreadable;
pub use unresolved::{Unresolved, unresolved};
pub use verify::{Found, Options as VerifyOptions, Verified, Wrong, verify};

use crate::measures;
use chain::Hasher;
use event::Own;
use file::{Medium, TrailFile};
use writer::{Entry, Job, Writer};

/// Lines that may wait to be written. Beyond, whoever has one waits, and what nobody waits for is counted only.
const MAX_WAITING: usize = 16_384;

/// Lines for refused accesses in a second, and how many may come at once: whoever is refused needs no token for it.
const REFUSALS_A_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(49);
const REFUSALS_AT_ONCE: NonZeroU32 = NonZeroU32::MIN.saturating_add(999);

/// The trail cannot be written: what must be on record must not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the audit trail cannot be written")]
pub struct Unwritable;

/// The trail of this process, or none. Cloning it clones a pointer.
#[derive(Clone, Default)]
pub struct Trail(Option<Arc<Inner>>);

struct Inner {
    jobs: mpsc::Sender<Job>,
    facts: Facts,
    digests: hmac::Key,
    head: Arc<Mutex<Head>>,
    /// The head that was logged last.
    logged: AtomicU64,
    /// Lines that nobody waits for and that found no room.
    lost: Arc<AtomicU64>,
    /// Whether any was lost since the queue was empty: the log is told once.
    is_losing: Arc<AtomicBool>,
    refusals: DefaultDirectRateLimiter,
    /// Refused accesses without a line of their own, since the last one that has one.
    unlisted: AtomicU64,
}

/// A line on its way: resolves to its number once it is written.
#[derive(Debug)]
pub struct Receipt(Option<oneshot::Receiver<Result<u64, Unwritable>>>);

impl Future for Receipt {
    type Output = Result<u64, Unwritable>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            None => Poll::Ready(Ok(0)),
            Some(written) => Pin::new(written).poll(context).map(|told| told.unwrap_or(Err(Unwritable))),
        }
    }
}

impl Facts {
    /// What holds for this process: the environment, and the capability files by name and text.
    #[must_use]
    pub fn new<'a>(environment: &'static str, files: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let sha = |text: &[u8]| Hash::of_bytes(digest::digest(&digest::SHA256, text).as_ref()).to_string();
        let files: Vec<(String, String)> =
            files.map(|(name, text)| (name.to_owned(), sha(text.as_bytes()))).collect();
        let all: String =
            files.iter().flat_map(|(name, digest)| [name.as_str(), " ", digest, "\n"]).collect();
        let capabilities = sha(all.as_bytes()).chars().take(16).collect();
        Self { environment, capabilities, files }
    }
}

impl Trail {
    /// No trail: everything is let through unrecorded.
    #[must_use]
    pub fn off() -> Self {
        Self(None)
    }

    /// Goes on with the chain of this file, or begins one. The first line is written when this returns.
    ///
    /// # Errors
    /// [`OpenError`] where the file cannot hold the trail, and what to do about it.
    pub fn open(path: &Path, key: Option<&AuditKey>, facts: Facts) -> Result<Self, OpenError> {
        let failed = |reason| OpenError::Io { path: path.to_owned(), reason };
        let hasher = Hasher::new(key);
        let opened = TrailFile::open(path, &hasher)?;
        if let Some(bytes) = opened.torn_bytes {
            tracing::warn!(
                bytes,
                "the audit trail ended in a torn line, which was cut off: the process before was killed or lost its disk"
            );
        }
        let start = Own::Start { torn_bytes: opened.torn_bytes };
        Self::on(Box::new(opened.file), hasher, opened.head, key, facts, start).map_err(failed)
    }

    fn on(
        medium: Box<dyn Medium>,
        hasher: Hasher,
        head: Head,
        key: Option<&AuditKey>,
        facts: Facts,
        start: Own,
    ) -> std::io::Result<Self> {
        let (shown, lost, is_losing) = (Arc::new(Mutex::new(head)), Arc::default(), Arc::default());
        let mut writer = Writer {
            medium,
            hasher,
            head,
            facts: facts.clone(),
            shown: Arc::clone(&shown),
            unrecorded: 0,
            lost: Arc::clone(&lost),
            is_losing: Arc::clone(&is_losing),
        };
        writer.say(start)?;
        let digests = match key {
            Some(key) => key.digests(),
            // Known to this process alone: digests cannot be tried out, nor compared with another process's.
            None => hmac::Key::generate(hmac::HMAC_SHA256, &aws_lc_rs::rand::SystemRandom::new())
                .map_err(|_| std::io::Error::other("there are no random numbers"))?,
        };
        let (jobs, waiting) = mpsc::channel(MAX_WAITING);
        std::thread::Builder::new().name("audit".to_owned()).spawn(move || writer.run(waiting))?;
        let trail = Self(Some(Arc::new(Inner {
            jobs,
            facts,
            digests,
            head: shown,
            logged: AtomicU64::new(0),
            lost,
            is_losing,
            refusals: RateLimiter::direct(Quota::per_second(REFUSALS_A_SECOND).allow_burst(REFUSALS_AT_ONCE)),
            unlisted: AtomicU64::new(0),
        })));
        trail.log_head();
        Ok(trail)
    }

    /// Whether there is a trail.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Where the chain stands; nothing where there is no trail.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        let inner = self.0.as_ref()?;
        Some(*inner.head.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Logs where the chain stands, for whoever keeps that elsewhere; nothing where it was logged already.
    pub fn log_head(&self) {
        let (Some(inner), Some(Head { seq, hash })) = (&self.0, self.head()) else { return };
        if inner.logged.swap(seq, Ordering::Relaxed) != seq {
            tracing::info!(seq, head = %hash, "audit trail");
        }
    }

    /// A digest under the trail's key. Empty where there is no trail.
    #[must_use]
    pub fn digest(&self, parts: &[u8]) -> String {
        let digest =
            |inner: &Arc<Inner>| Hash::of_bytes(hmac::sign(&inner.digests, parts).as_ref()).to_string();
        self.0.as_ref().map(digest).unwrap_or_default()
    }

    /// Hands a line over. It is written whether or not the receipt is waited for. `durable` lines outlive the
    /// machine, not only the process.
    ///
    /// # Errors
    /// [`Unwritable`] where the trail is closed.
    pub async fn submit(&self, event: &Event, durable: bool) -> Result<Receipt, Unwritable> {
        let Some(inner) = &self.0 else { return Ok(Receipt(None)) };
        let members = inner.members(event)?;
        let (written, receipt) = oneshot::channel();
        let entry = Entry { members, durable, written: Some(written) };
        inner.jobs.send(Job::Line(entry)).await.map_err(|_| Unwritable)?;
        Ok(Receipt(Some(receipt)))
    }

    /// Puts something on record, and waits until it is. Returns the number of its line.
    ///
    /// # Errors
    /// [`Unwritable`] where it cannot be.
    pub async fn record(&self, event: &Event, durable: bool) -> Result<u64, Unwritable> {
        self.submit(event, durable).await?.await
    }

    /// Puts something on record that nothing waits for. Where it cannot be, the trail counts it, and says so later.
    pub fn note(&self, event: &Event) {
        let Some(inner) = &self.0 else { return };
        let written = inner.members(event).ok().and_then(|members| {
            let entry = Entry { members, durable: false, written: None };
            inner.jobs.try_send(Job::Line(entry)).ok()
        });
        if written.is_none() && inner.loses() {
            tracing::error!(
                "a line of the audit trail was lost, and others may be: too many wait to be written"
            );
        }
    }

    /// Records a refused access, or counts it where strangers would fill the disk with them. Nothing waits for it, and a trail that cannot be written refuses it all the same.
    pub fn refused(&self, access: &RefusedAccess) {
        tracing::debug!(reason = access.reason, path = access.path, "refused access");
        let Some(inner) = &self.0 else { return };
        if inner.refusals.check().is_err() {
            inner.unlisted.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let and_more = inner.unlisted.swap(0, Ordering::Relaxed);
        self.note(&Event::Refused { access: access.clone(), and_more });
    }

    /// Goes on in the file that stands at the path now, where that is another one.
    pub async fn reopen(&self) {
        if let Some(inner) = &self.0 {
            let _ = inner.jobs.send(Job::Reopen).await;
        }
    }

    /// Writes what waits and a last line, and lets the file go. Whatever comes after it cannot be written.
    pub async fn close(&self) {
        let Some(inner) = &self.0 else { return };
        let and_more = inner.unlisted.swap(0, Ordering::Relaxed);
        if and_more > 0 {
            let access = RefusedAccess { reason: "various", principal: None, path: "other" };
            self.note(&Event::Refused { access, and_more: and_more - 1 });
        }
        let (closed, done) = oneshot::channel();
        if inner.jobs.send(Job::Close(closed)).await.is_ok() {
            let _ = done.await;
        }
    }
}

impl Inner {
    /// A line is lost. True where it is the first one since the queue was empty.
    fn loses(&self) -> bool {
        self.lost.fetch_add(1, Ordering::Relaxed);
        measures::audit_failures(1);
        !self.is_losing.swap(true, Ordering::Relaxed)
    }

    fn members(&self, event: &Event) -> Result<String, Unwritable> {
        #[derive(serde::Serialize)]
        struct Line<'a> {
            #[serde(flatten)]
            event: &'a Event,
            #[serde(flatten)]
            facts: &'a Facts,
        }
        writer::members(&Line { event, facts: &self.facts })
    }
}

impl std::fmt::Debug for Trail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Trail").field(&self.head()).finish()
    }
}
