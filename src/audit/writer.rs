//! The thread that writes: it takes what waits, makes one chain of it, and appends it at once.
//!
//! Whoever waits hears that their line is there, or that it could not be written; a line that could not be is not in
//! the chain, and the next batch tries afresh, so that a disk that works again is enough.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use super::Unwritable;
use super::chain::{Hasher, Head};
use super::event::{Facts, Own};
use super::file::Medium;
use crate::measures;

/// Lines that are written at once, at most.
const MAX_BATCH: usize = 1024;

/// After lines that came together, others are given so long to do so, too: where many call at once, most of what the trail
/// costs is to wake this thread, and to write, for each of them. A line that came alone is followed by no pause.
const GATHER: Duration = Duration::from_millis(1);

/// What the thread is told.
pub(super) enum Job {
    /// To write a line.
    Line(Entry),
    /// To go on in the file that stands at the path now.
    Reopen,
    /// To write a last line and end.
    Close(oneshot::Sender<()>),
}

/// A line that waits.
pub(super) struct Entry {
    /// Its members, without braces.
    pub(super) members: String,
    /// Whether it must outlive the machine.
    pub(super) durable: bool,
    /// Who waits for it.
    pub(super) written: Option<oneshot::Sender<Result<u64, Unwritable>>>,
}

/// Where the chain stands, for those who ask.
pub(super) type Shown = Arc<Mutex<Head>>;

/// What the thread has.
pub(super) struct Writer {
    pub(super) medium: Box<dyn Medium>,
    pub(super) hasher: Hasher,
    pub(super) head: Head,
    pub(super) facts: Facts,
    pub(super) shown: Shown,
    /// Lines since the last written one that are not there.
    pub(super) unrecorded: u64,
    /// Those of them that never reached this thread.
    pub(super) lost: Arc<AtomicU64>,
    /// Whether any was lost since the queue was empty.
    pub(super) is_losing: Arc<AtomicBool>,
}

/// A line of the trail's own.
#[derive(Serialize)]
struct OwnLine<'a> {
    #[serde(flatten)]
    own: Own,
    version: &'static str,
    #[serde(flatten)]
    facts: &'a Facts,
    #[serde(serialize_with = "as_map")]
    capability_files: &'a [(String, String)],
}

fn as_map<S: serde::Serializer>(files: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(files.iter().map(|(name, digest)| (name, digest)))
}

/// The members of a line: an object without its braces.
pub(super) fn members(line: &impl Serialize) -> Result<String, Unwritable> {
    let text = serde_json::to_string(line).map_err(|_| Unwritable)?;
    text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).map(str::to_owned).ok_or(Unwritable)
}

impl Writer {
    /// Writes a line of the trail's own.
    pub(super) fn say(&mut self, own: Own) -> std::io::Result<()> {
        let line = self.own(own)?;
        self.append(&[line], true).map(|_| ())
    }

    fn own(&self, own: Own) -> std::io::Result<String> {
        let facts = &self.facts;
        let line = OwnLine { own, version: env!("CARGO_PKG_VERSION"), facts, capability_files: &facts.files };
        members(&line).map_err(std::io::Error::other)
    }

    /// Works until the trail is closed, or nobody is left who could tell it anything.
    pub(super) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut batch = Vec::new();
        let mut other = None;
        loop {
            match other.take().or_else(|| jobs.blocking_recv()) {
                None => return,
                Some(Job::Reopen) => self.reopen(),
                Some(Job::Close(closed)) => {
                    if let Err(error) = self.say(Own::Stop) {
                        tracing::error!(%error, "the last line of the audit trail could not be written");
                    }
                    let Head { seq, hash } = self.head;
                    tracing::info!(seq, head = %hash, "the audit trail ends for now");
                    // The file goes first: whoever hears of it may open it at once.
                    drop(self);
                    let _ = closed.send(());
                    return;
                }
                Some(Job::Line(entry)) => {
                    batch.push(entry);
                    while batch.len() < MAX_BATCH && other.is_none() {
                        match jobs.try_recv() {
                            Ok(Job::Line(entry)) => batch.push(entry),
                            Ok(job) => other = Some(job),
                            Err(_) => break,
                        }
                    }
                    if jobs.is_empty() {
                        self.is_losing.store(false, Ordering::Relaxed);
                    }
                    let came_together = batch.len() > 1;
                    self.write(&mut batch);
                    if came_together && other.is_none() {
                        thread::sleep(GATHER);
                    }
                }
            }
        }
    }

    fn write(&mut self, batch: &mut Vec<Entry>) {
        let durable = batch.iter().any(|entry| entry.durable);
        let was_failing = self.unrecorded > 0;
        self.unrecorded += self.lost.swap(0, Ordering::Relaxed);
        let mut lines = Vec::with_capacity(batch.len() + 1);
        if self.unrecorded > 0 {
            lines.extend(self.own(Own::Unrecorded { lines: self.unrecorded }));
        }
        let before = lines.len();
        lines.extend(batch.iter_mut().map(|entry| std::mem::take(&mut entry.members)));
        let outcome = self.append(&lines, durable);
        if outcome.is_ok() {
            measures::audit_lines(lines.len());
        }
        match &outcome {
            Ok(_) if self.unrecorded > 0 => {
                tracing::warn!(
                    lines = self.unrecorded,
                    "the audit trail is written again; these lines are not in it"
                );
                self.unrecorded = 0;
            }
            Ok(_) => {}
            Err(error) => {
                if !was_failing {
                    tracing::error!(%error, "the audit trail cannot be written: writes and reads are refused until it can be. Make room on its disk, or mend its folder");
                }
                self.unrecorded += batch.len() as u64;
                measures::audit_failures(batch.len());
            }
        }
        for (entry, at) in batch.drain(..).zip(before as u64..) {
            let told = outcome.as_ref().map(|first| first + at).map_err(|_| Unwritable);
            let _ = entry.written.map(|written| written.send(told));
        }
    }

    /// Appends lines. Returns the number of the first.
    fn append(&mut self, lines: &[String], durable: bool) -> std::io::Result<u64> {
        let (mut head, now, mut bytes) = (self.head, Timestamp::now(), Vec::new());
        for line in lines {
            bytes.extend(head.extend(&self.hasher, now, line));
        }
        self.medium.put(&bytes, durable)?;
        let first = self.head.seq + 1;
        self.head = head;
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = head;
        Ok(first)
    }

    /// Goes on in the file that stands at the path now. The one before stays in use where that cannot be.
    fn reopen(&mut self) {
        let next = match self.medium.next() {
            Ok(None) => return,
            Ok(Some(next)) => next,
            Err(error) => {
                tracing::error!(%error, "the audit trail could not be opened again; it goes on in the file before");
                return;
            }
        };
        let before = std::mem::replace(&mut self.medium, next);
        if let Err(error) = self.say(Own::Rotated) {
            tracing::error!(%error, "the new file of the audit trail cannot be written; it goes on in the file before");
            self.medium = before;
            return;
        }
        let Head { seq, hash } = self.head;
        tracing::info!(seq, head = %hash, "the audit trail goes on in a new file");
    }
}
