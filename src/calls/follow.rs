//! What becomes of a call whose verification is pending: it waits, or its client is handed a task, and takes that up
//! again here.

use std::sync::Arc;

use futures_util::FutureExt;
use jiff::Timestamp;
use serde_json::Value;

use super::budget::Budget;
use super::caller::Caller;
use super::recording::NOT_TOLD;
use super::tasks::{Ending, Finding, Handle, NoTask, Task, TaskState};
use super::waiting::{self, Ended, Span, Waited};
use super::waits::{Looked, Seen, Waits};
use super::{Answer, Calls, Reply, masking};
use crate::domain::Scope;
use crate::fintecture::CallContext;
use crate::tools::{self, Fields, Read, ToolError, Tools, VerificationPath, Wait};

/// The tool whose calls wait.
const TOOL: &str = "verify_identity";

/// What is said of a task while it cannot be known whether it has ended.
const STORE_GONE: &str = "The store that this server shares with others cannot be reached: ask again.";

/// Waits that look by these tools. Each look has the time, the attempts and the place in the queue of a call.
pub(super) fn waits(tools: Arc<Tools>) -> Waits {
    Waits::new(move |at: VerificationPath| {
        let tools = Arc::clone(&tools);
        async move {
            let context = CallContext::new(None);
            let looked = tools.look(&at, &context).await;
            let seen = context.seen();
            let outcome = looked.as_ref().map_or_else(|error| error.kind.as_str(), |_| "success");
            let (status, attempts, request_id) = (seen.status, seen.attempts, seen.request_id);
            tracing::debug!(outcome, status, attempts, request_id, "look at a verification");
            looked.map(Arc::new)
        }
        .boxed()
    })
}

impl Calls {
    /// Carries out a read. One that waits shares its first look with the others that wait.
    pub(super) async fn read(
        &self,
        read: Read,
        wait: Option<&Wait>,
        context: &CallContext,
    ) -> Result<Fields, ToolError> {
        let Some(at) = wait.and_then(Wait::path) else { return self.tools.read(read, context).await };
        match Box::pin(self.waits.glance(&at)).await.as_ref() {
            Ok(sight) => Ok(sight.fields.clone()),
            Err(error) => Err(error.clone()),
        }
    }

    /// Waits where the call is to, and what it came to is still pending.
    pub(super) async fn follow(
        &self,
        caller: &Caller,
        wait: Option<Wait>,
        first: Answer,
        budget: Budget,
    ) -> (Answer, Option<Waited>) {
        let (Some(wait), Answer::Reply(reply)) = (wait, &first) else { return (first, None) };
        let Some(at) = wait.goes_on(&reply.body) else { return (first, None) };
        if caller.takes_tasks
            && let Some(task) = self.hand_out(caller, at.clone(), &wait, &reply.body)
        {
            return (Answer::Task(task), None);
        }
        let span = Span::new(wait.asked, budget);
        let waited = Box::pin(waiting::wait(&self.waits, &at, span, caller, &self.stopping)).await;
        let body = waited.result(&reply.body);
        (Answer::Reply(Reply { body, is_error: false }), Some(waited))
    }

    fn hand_out(&self, caller: &Caller, at: VerificationPath, wait: &Wait, first: &Value) -> Option<Task> {
        let action = first.get("action")?.as_str()?;
        let handle = Handle::new(at, action, first.get("repeated").is_some(), wait.asked);
        let id = self.tasks.seal(&caller.principal.name, &handle)?;
        let state = TaskState::Working(handle.pending());
        Some(handle.task(id, state, Timestamp::now()))
    }

    /// How far a task is that this caller was handed, by this process or by another one. Counts as a call. That a
    /// verdict is told is on record before.
    ///
    /// # Errors
    /// [`NoTask`] where they were handed no such task, or may not hear of it now.
    pub async fn task(&self, caller: &Caller, id: String) -> Result<Task, NoTask> {
        let _place = self.admit(caller, false).await?;
        let handle = self.open_task(caller, &id)?;
        let mut task = self.task_of(caller, handle, id).await;
        if let TaskState::Done(reply) = &mut task.state {
            if self.masks_for(&caller.principal) {
                masking::mask(&mut reply.body);
            }
            if self.tells_verdict(caller, &task.customer_id, reply).await.is_err() {
                task.state = TaskState::Working(NOT_TOLD.to_owned());
            }
        }
        Ok(task)
    }

    /// What the task is, where it is this caller's and they still have the right that it takes.
    fn open_task(&self, caller: &Caller, id: &str) -> Result<Handle, NoTask> {
        let handle = self.tasks.open(&caller.principal.name, id, Timestamp::now())?;
        let lacking = caller.principal.scopes.lacking([Scope::VerificationsRead]);
        if lacking.is_empty() {
            Ok(handle)
        } else {
            Err(ToolError::insufficient_scope(lacking, false).into())
        }
    }

    async fn task_of(&self, caller: &Caller, handle: Handle, id: String) -> Task {
        match self.tasks.ending(&id).await {
            Ok(Some(ending)) => return handle.task(id, ending.state, ending.at),
            Ok(None) => {}
            // It may have ended, and another replica may have said so: nothing else is said now.
            Err(_) => {
                let state = TaskState::Working(STORE_GONE.to_owned());
                return handle.task(id, state, Timestamp::now());
            }
        }
        let looked = tokio::select! {
            looked = self.waits.glance(&handle.at) => looked,
            // Nobody hears the answer: nothing ends with it.
            () = caller.cancelled.cancelled() => {
                let state = TaskState::Working(handle.pending());
                return handle.task(id, state, Timestamp::now());
            }
        };
        let now = Timestamp::now();
        let ending = match handle.find(&looked, now) {
            Finding::Ended(ended) => {
                let state = TaskState::Done(self.reply_of(&handle, &looked, ended));
                self.tasks.end(&id, &handle, Ending { at: now, state }).await
            }
            Finding::Working(words) => {
                // It may have been cancelled during the look.
                let working = || Ending { at: now, state: TaskState::Working(words) };
                self.tasks.ending(&id).await.ok().flatten().unwrap_or_else(working)
            }
        };
        handle.task(id, ending.state, ending.at)
    }

    /// What the call came to that a task stands for, logged as that of any call.
    fn reply_of(&self, handle: &Handle, looked: &Arc<Looked>, ended: Ended) -> Reply {
        // Who has a handle has not been told a verdict: where the look failed, it stands as pending.
        let pending = tools::unseen(&handle.at);
        let mut first = tools::envelope(&handle.action, self.tools.environment(), pending);
        if let (true, Some(members)) = (handle.repeated, first.as_object_mut()) {
            members.insert("repeated".to_owned(), Value::Bool(true));
        }
        let body = Waited::of(Seen::of(looked), ended).result(&first);
        tracing::info!(
            tool = TOOL,
            action = handle.action,
            outcome = "success",
            wait = ended.as_str(),
            "task"
        );
        Reply { body, is_error: false }
    }

    /// Ends a task that has not ended: whoever asks for it hears that it is cancelled. Counts as a call.
    ///
    /// # Errors
    /// [`NoTask`] where this caller was handed no such task, lacks the right by now, or nobody would hear of it.
    pub async fn cancel_task(&self, caller: &Caller, id: &str) -> Result<(), NoTask> {
        self.arrives(caller).await?;
        self.open_task(caller, id)?;
        self.tasks.cancel(&caller.principal.name, id).await
    }

    /// Whether this caller was handed such a task, and may hear of it. Counts as a call.
    ///
    /// # Errors
    /// [`NoTask`] where not.
    pub async fn knows_task(&self, caller: &Caller, id: &str) -> Result<(), NoTask> {
        self.arrives(caller).await?;
        self.open_task(caller, id).map(drop)
    }
}
