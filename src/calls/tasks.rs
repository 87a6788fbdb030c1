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
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::store::faulty::Faulty;
    use crate::tools::{Sight, ToolError};

    fn tasks() -> Tasks {
        Tasks::new(Arc::new(Sealer::from_secret(b"secret").unwrap()), Store::memory())
    }

    fn handle() -> Handle {
        let at = VerificationPath {
            customer_id: "cus_1".parse().unwrap(),
            verification_id: "ver_1".parse().unwrap(),
        };
        Handle::new(at, "start", true, Duration::from_mins(1))
    }

    fn after(handle: &Handle, seconds: u64) -> Timestamp {
        handle.created + Duration::from_secs(seconds)
    }

    #[test]
    fn any_process_with_the_secret_takes_a_task_up_for_its_principal_alone() {
        let handle = handle();
        let id = tasks().seal("ada", &handle).unwrap();
        let other_process = tasks();
        assert_eq!(other_process.open("ada", &id, handle.created), Ok(handle.clone()));
        assert_eq!(other_process.open("eve", &id, handle.created), Err(UnknownTask));
        assert_eq!(other_process.open("ada", "made-up", handle.created), Err(UnknownTask));
        let other_secret = Tasks::new(Arc::new(Sealer::from_secret(b"rotated").unwrap()), Store::memory());
        assert_eq!(other_secret.open("ada", &id, handle.created), Err(UnknownTask));
    }

    #[test]
    fn what_was_sealed_for_another_purpose_is_no_task() {
        let ours = Arc::new(Sealer::random().unwrap());
        let payload = serde_json::to_vec(&handle()).unwrap();
        let form = ours.seal("form", &["ada"], &payload).unwrap();
        assert_eq!(Tasks::new(ours, Store::memory()).open("ada", &form, Timestamp::now()), Err(UnknownTask));
    }

    #[test]
    fn a_task_is_known_for_an_hour_after_its_time() {
        let (tasks, handle) = (tasks(), handle());
        let id = tasks.seal("ada", &handle).unwrap();
        assert!(tasks.open("ada", &id, after(&handle, 60 + 3599)).is_ok());
        assert!(tasks.open("ada", &id, after(&handle, 60 + 3600)).is_err());
        let task = handle.task(id, TaskState::Cancelled, handle.created);
        assert_eq!(task.lives, Duration::from_mins(61));
    }

    #[test]
    fn pauses_grow_from_one_second_to_ten_and_the_last_ends_with_the_time() {
        let handle = handle();
        let pause = |seconds| handle.task(String::new(), TaskState::Cancelled, after(&handle, seconds)).pause;
        let pauses = [0, 2, 10, 40, 53, 60, 90].map(|seconds| pause(seconds).as_secs());
        assert_eq!(pauses, [1, 2, 6, 10, 7, 1, 1]);
    }

    #[test]
    fn a_look_ends_it_where_it_is_decided_or_its_time_is_up() {
        let handle = handle();
        let sight = |is_decided| Ok(Arc::new(Sight { fields: Map::new(), is_decided }));
        let failed: Looked = Err(ToolError::internal("it failed"));
        let (early, late) = (after(&handle, 59), after(&handle, 60));
        assert!(matches!(handle.find(&sight(true), early), Finding::Ended(Ended::Decided)));
        assert!(matches!(handle.find(&sight(true), late), Finding::Ended(Ended::Decided)));
        assert!(matches!(handle.find(&sight(false), late), Finding::Ended(Ended::TimeUp)));
        assert!(matches!(handle.find(&failed, late), Finding::Ended(Ended::TimeUp)));
        let said = [sight(false), failed].map(|looked| match handle.find(&looked, early) {
            Finding::Working(said) => said,
            Finding::Ended(_) => panic!("it is not over"),
        });
        assert!(said[0].contains("ver_1 of customer cus_1 is pending"), "{said:?}");
        assert!(said[1].contains("failed (internal)"), "{said:?}");
    }

    async fn is_cancelled(tasks: &Tasks, id: &str) -> bool {
        let ending = tasks.ending(id).await.unwrap();
        ending.is_some_and(|ending| matches!(ending.state, TaskState::Cancelled))
    }

    fn done(at: Timestamp, n: u32) -> Ending {
        let body = serde_json::json!({ "n": n });
        Ending { at, state: TaskState::Done(Reply { body, is_error: false }) }
    }

    fn number(ending: &Ending) -> Option<u64> {
        match &ending.state {
            TaskState::Done(reply) => reply.body["n"].as_u64(),
            _ => None,
        }
    }

    #[tokio::test]
    async fn cancelled_tasks_are_remembered_by_all_who_share_the_store() {
        let (tasks, handle) = (tasks(), handle());
        let other = Tasks::new(Arc::clone(&tasks.sealer), tasks.store.clone());
        let id = tasks.seal("ada", &handle).unwrap();
        assert!(!is_cancelled(&other, &id).await);
        tasks.cancel("ada", &id).await.unwrap();
        other.cancel("ada", &id).await.unwrap();
        assert!(is_cancelled(&tasks, &id).await && is_cancelled(&other, &id).await);
        assert_eq!(tasks.cancel("eve", &id).await, Err(NoTask::Unknown(UnknownTask)));
    }

    #[tokio::test]
    async fn what_the_store_does_not_hear_is_not_cancelled() {
        let (store, handle) = (Faulty::default(), handle());
        let tasks = Tasks { store: store.store(), ..tasks() };
        let id = tasks.seal("ada", &handle).unwrap();
        store.goes();
        assert_eq!(tasks.cancel("ada", &id).await, Err(NoTask::StoreGone));
        store.comes_back();
        assert!(!is_cancelled(&tasks, &id).await);
    }

    #[tokio::test]
    async fn the_first_ending_stays_whatever_comes_after_it() {
        let (tasks, handle) = (tasks(), handle());
        let [verdict, cancelled] = [0, 1].map(|_| tasks.seal("ada", &handle).unwrap());
        let first = after(&handle, 1);
        assert_eq!(number(&tasks.end(&verdict, &handle, done(first, 1)).await), Some(1));
        tasks.cancel("ada", &verdict).await.unwrap();
        let again = tasks.end(&verdict, &handle, done(after(&handle, 2), 2)).await;
        let remembered = tasks.ending(&verdict).await.unwrap().unwrap();
        for ending in [again, remembered] {
            assert_eq!((number(&ending), ending.at), (Some(1), first));
        }
        tasks.cancel("ada", &cancelled).await.unwrap();
        tasks.end(&cancelled, &handle, done(after(&handle, 1), 1)).await;
        assert!(is_cancelled(&tasks, &cancelled).await);
    }

    #[tokio::test(start_paused = true)]
    async fn an_ending_is_forgotten_when_its_task_is_unknown() {
        let (tasks, handle) = (tasks(), handle());
        let [early, late] = [0, 1].map(|_| tasks.seal("ada", &handle).unwrap());
        tasks.end(&early, &handle, done(handle.created, 1)).await;
        tasks.end(&late, &handle, done(after(&handle, 60 + 3000), 1)).await;
        tokio::time::advance(Duration::from_secs(599)).await;
        assert!(tasks.ending(&late).await.unwrap().is_some());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(tasks.ending(&late).await.unwrap().is_none());
        tokio::time::advance(Duration::from_secs(60 + 2999)).await;
        assert!(tasks.ending(&early).await.unwrap().is_some());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(tasks.ending(&early).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_task_whose_time_is_up_has_ended_and_is_not_cancelled() {
        let tasks = tasks();
        let over = Handle { until: Timestamp::now(), ..handle() };
        let id = tasks.seal("ada", &over).unwrap();
        tasks.cancel("ada", &id).await.unwrap();
        assert!(!is_cancelled(&tasks, &id).await);
    }
}
