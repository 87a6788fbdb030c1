//! Waits that a client follows by itself: it is handed a task, and asks now and then how far it is.
//!
//! A task's id carries, sealed, everything that any process with the same configuration needs to answer from the
//! upstream, so that nothing is lost with a process. Only how a task has ended is kept in the store, so that an ending
//! that was told stays as it is.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Reply;
use super::waiting::Ended;
use super::waits::Looked;
use crate::sealing::Sealer;
use crate::store::{Change, Name, Store, StoreError};
use crate::tools::{ToolError, VerificationPath};

/// What ids of tasks are sealed for.
const PURPOSE: &str = "task";
/// How long a task can be asked for after its time is up.
const KEPT_FOR: Duration = Duration::from_hours(1);
/// Shortest and longest pause that a client is asked to make.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));

/// No such task: made up, another principal's, of another configuration, or too old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no such task, or no longer: call verify_identity get with customer_id and verification_id to see where \
     the verification stands, or verify_identity list to find it"
)]
pub struct UnknownTask;

/// Why somebody does not hear of a task, or cannot end it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NoTask {
    /// They were handed no such task.
    #[error(transparent)]
    Unknown(#[from] UnknownTask),
    /// It is theirs, but they lack the right by now, or are over a limit.
    #[error("{}", .0.message)]
    Refused(ToolError),
    /// What replicas share cannot be reached: another one would not hear of its end.
    #[error(
        "the task goes on, since the store that this server shares with others cannot be reached: cancel it again in some seconds"
    )]
    StoreGone,
}

impl From<ToolError> for NoTask {
    fn from(error: ToolError) -> Self {
        Self::Refused(error)
    }
}

/// A task as its client sees it.
#[derive(Debug, Clone)]
pub struct Task {
    /// What the client asks for it by.
    pub id: String,
    /// Whom it is about.
    pub customer_id: String,
    /// When it was handed out.
    pub created: Timestamp,
    /// When its state was found out.
    pub updated: Timestamp,
    /// How long it can be asked for, from `created` on.
    pub lives: Duration,
    /// The pause that the client is asked to make.
    pub pause: Duration,
    /// How far it is.
    pub state: TaskState,
}

/// How far a task is.
#[derive(Debug, Clone)]
pub enum TaskState {
    /// The verification is pending, or could not be looked at; in words.
    Working(String),
    /// What the call that it stands for came to.
    Done(Reply),
    /// The client has cancelled it.
    Cancelled,
}

/// What a task's id carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Handle {
    pub(super) at: VerificationPath,
    pub(super) action: String,
    /// Whether the write that started the verification was a repeat.
    pub(super) repeated: bool,
    created: Timestamp,
    until: Timestamp,
}

/// What a look says of a task.
pub(super) enum Finding {
    Working(String),
    Ended(Ended),
}

impl Handle {
    /// A task from now on, for as long as was asked for.
    pub(super) fn new(at: VerificationPath, action: &str, repeated: bool, asked: Duration) -> Self {
        let created = Timestamp::now();
        let until = created.checked_add(asked).unwrap_or(created);
        Self { at, action: action.to_owned(), repeated, created, until }
    }

    /// What is to be said of it at this time.
    pub(super) fn find(&self, looked: &Looked, now: Timestamp) -> Finding {
        let is_over = now >= self.until;
        match looked {
            Ok(sight) if sight.is_decided => Finding::Ended(Ended::Decided),
            _ if is_over => Finding::Ended(Ended::TimeUp),
            Ok(_) => Finding::Working(self.pending()),
            Err(error) => Finding::Working(format!(
                "The last look at verification {} failed ({}); the wait goes on.",
                self.at.verification_id.as_str(),
                error.kind.as_str()
            )),
        }
    }

    /// What is said of it before anybody has looked.
    pub(super) fn pending(&self) -> String {
        format!(
            "Verification {} of customer {} is pending; the customer may have to log in at their bank.",
            self.at.verification_id.as_str(),
            self.at.customer_id.as_str()
        )
    }

    /// The task as its client sees it at this time.
    pub(super) fn task(&self, id: String, state: TaskState, now: Timestamp) -> Task {
        let (shortest, longest) = PAUSES;
        let age = span(self.created, now);
        // As a poller's pauses grow: half as long again from one to the next. The last look comes when time is up.
        let pause = (shortest + age / 2).min(longest).min(span(now, self.until)).max(shortest);
        let pause = Duration::from_secs(pause.as_secs());
        let lives = span(self.created, self.until) + KEPT_FOR;
        let customer_id = self.at.customer_id.as_str().to_owned();
        Task { id, customer_id, created: self.created, updated: now, lives, pause, state }
    }
}

fn span(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// Hands tasks out and takes them up again.
#[derive(Debug)]
pub(super) struct Tasks {
    sealer: Arc<Sealer>,
    store: Store,
}

/// How a task ended, as its client was told first.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    pub(super) at: Timestamp,
    /// Done or cancelled.
    pub(super) state: TaskState,
}

/// An ending as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    at: Timestamp,
    /// What it came to; none where it was cancelled.
    reply: Option<Reply>,
}

impl From<Kept> for Ending {
    fn from(kept: Kept) -> Self {
        Self { at: kept.at, state: kept.reply.map_or(TaskState::Cancelled, TaskState::Done) }
    }
}

impl Tasks {
    pub(super) fn new(sealer: Arc<Sealer>, store: Store) -> Self {
        Self { sealer, store }
    }

    /// The id by which this principal may ask for it.
    pub(super) fn seal(&self, principal: &str, handle: &Handle) -> Option<String> {
        let payload = serde_json::to_vec(handle).ok()?;
        self.sealer.seal(PURPOSE, &[principal], &payload).ok()
    }

    /// What an id of this principal carries.
    pub(super) fn open(&self, principal: &str, id: &str, now: Timestamp) -> Result<Handle, UnknownTask> {
        let payload = self.sealer.open(PURPOSE, &[principal], id).ok_or(UnknownTask)?;
        let handle: Handle = serde_json::from_slice(&payload).map_err(|_| UnknownTask)?;
        if span(handle.until, now) >= KEPT_FOR {
            return Err(UnknownTask);
        }
        Ok(handle)
    }

    /// Ends a task that its client wants to hear no more of. What has ended stays as it is, and so does one whose time
    /// is up.
    pub(super) async fn cancel(&self, principal: &str, id: &str) -> Result<(), NoTask> {
        let now = Timestamp::now();
        let handle = self.open(principal, id, now)?;
        if now < handle.until {
            let ended = self.keep(id, &handle, &Ending { at: now, state: TaskState::Cancelled }).await;
            ended.map_err(|_| NoTask::StoreGone)?;
        }
        Ok(())
    }

    /// Remembers how a task ended, unless it has ended already. Returns how it did.
    pub(super) async fn end(&self, id: &str, handle: &Handle, ending: Ending) -> Ending {
        // Where there is no room for it, it is looked at again when it is asked for.
        self.keep(id, handle, &ending).await.ok().flatten().unwrap_or(ending)
    }

    /// Keeps an ending where there is none yet, else returns that.
    async fn keep(&self, id: &str, handle: &Handle, ending: &Ending) -> Result<Option<Ending>, StoreError> {
        let lives = span(ending.at, handle.until) + KEPT_FOR.saturating_sub(span(handle.until, ending.at));
        let reply = match &ending.state {
            TaskState::Done(reply) => Some(reply),
            TaskState::Cancelled | TaskState::Working(_) => None,
        };
        let name = name(id);
        let first = self.store.update(&name, |first: Option<Kept>| match first {
            Some(first) => (Change::Keep, Some(first.into())),
            None => (Change::Put(Kept { at: ending.at, reply: reply.cloned() }, lives), None),
        });
        first.await
    }

    /// How a task ended whose end somebody has seen.
    ///
    /// # Errors
    /// [`StoreError`] where that is not known.
    pub(super) async fn ending(&self, id: &str) -> Result<Option<Ending>, StoreError> {
        Ok(self.store.get::<Kept>(&name(id)).await?.map(Ending::from))
    }
}

fn name(id: &str) -> Name {
    Name::new("task", &[id.as_bytes()])
}

#[cfg(test)]
mod tests;
