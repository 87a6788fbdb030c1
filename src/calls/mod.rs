//! What surrounds a tool call, whatever protocol it came by: rights, limits, repeats, a person's yes, masking, the
//! panic guard, the log line.
//!
//! Every face of the server (MCP and REST) goes through [`Calls::call`], so that none can forget one of them. A
//! write passes, in this order: stopped writes and read-only, arguments, rights, limits, repeats, `external_id`, a
//! person's yes, the audit trail, and is sent.

mod answer;
pub mod approvals;
mod budget;
mod caller;
mod completions;
mod consent;
mod errand;
mod follow;
mod guard;
mod limits;
mod masking;
mod recording;
mod records;
mod repeats;
mod tasks;
mod waiting;
mod waits;
mod writes;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::audit::Trail;
use crate::domain::{Principal, Scope, Scopes};
use crate::fintecture::CallContext;
use crate::measures;
use crate::sealing::Sealer;
use crate::store::Store;
use crate::tools::{Request, ToolError, Tools};
use crate::traces::Span;
use answer::{log, refusal, reply};
use budget::Budget;
use limits::{Limits, Over, Place};
use recording::Entry;
use records::Records;
use repeats::Repeats;
use tasks::Tasks;
use waiting::Waited;
use waits::Waits;
use writes::Written;

pub use answer::{Answer, Reply};
pub use approvals::{Approvals, Confirm};
pub use caller::{Ask, Brought, Caller, Person, Progress, Said, Ways};
pub use completions::{Completed, Completions, Wanted};
pub use limits::CallLimits;
pub use masking::mask;
pub use repeats::Key;
pub use tasks::{NoTask, Task, TaskState};

/// How calls are treated.
#[derive(Debug, Default)]
pub struct CallsConfig {
    /// While this file exists, every write is refused.
    pub stop_writes: Option<PathBuf>,
    /// Whether IBANs, e-mails and phones are masked in what an agent receives.
    pub masks_personal_data: bool,
    /// When a person is asked before a write.
    pub confirm: Confirm,
    /// What calls may come to.
    pub limits: CallLimits,
    /// Where what outlives a call is kept.
    pub store: Store,
    /// Where calls are put on record.
    pub trail: Trail,
}

/// The way in for every tool call.
#[derive(Debug)]
pub struct Calls {
    tools: Arc<Tools>,
    approvals: Arc<Approvals>,
    repeats: Arc<Repeats<Written>>,
    /// Where replicas share a store.
    records: Option<Records>,
    waits: Waits,
    tasks: Tasks,
    limits: Limits,
    config: CallsConfig,
    /// Cancelled when the server is about to end: nobody is kept waiting any longer.
    stopping: CancellationToken,
}

impl Calls {
    /// Stands before these tools. `sealer` is for ids of tasks. `stopping` is cancelled when the server is about to end.
    #[must_use]
    pub fn new(
        tools: Arc<Tools>,
        approvals: Arc<Approvals>,
        sealer: Arc<Sealer>,
        config: CallsConfig,
        stopping: CancellationToken,
    ) -> Self {
        let waits = follow::waits(Arc::clone(&tools));
        let (repeats, tasks) = (Repeats::new(repeats::MAX_RECORDS), Tasks::new(sealer, config.store.clone()));
        let records = Records::new(&config.store);
        let limits = Limits::new(config.limits, &config.store, tools.environment());
        Self { tools, approvals, repeats, records, waits, tasks, limits, config, stopping }
    }

    /// The tools that can be called.
    #[must_use]
    pub fn tools(&self) -> &Tools {
        &self.tools
    }

    /// Where what outlives a call is kept.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.config.store
    }

    /// Waits until no write is on its way, those included whose callers have left.
    pub async fn writes_settled(&self) {
        self.repeats.settled().await;
    }

    /// Answers a call, whatever happens.
    pub async fn call(&self, caller: &Caller, tool: &str, arguments: Map<String, Value>) -> Answer {
        self.call_in(CallContext::new(self.config.stop_writes.clone()), caller, tool, arguments).await
    }

    /// Answers a call that only reads, with one request to the upstream at most: nothing is tried again. What it
    /// brings is for all callers: whoever shows it sees to their rights, and to masking.
    async fn glance(&self, caller: &Caller, tool: &str, arguments: Map<String, Value>) -> Option<Reply> {
        let (started, named) = (Instant::now(), self.tools.named_action(tool, &arguments)?);
        let entry = Entry::new(self, caller, tool, Some(named), &arguments);
        let Ok(Request::Read(read)) = self.tools.parse(tool, arguments, Scopes::ALL) else { return None };
        let (known, action) = (self.tools.named(tool)?, read.action);
        let span = Span::of_call(&caller.origin, known, action);
        let _in_flight = measures::call_begins();
        let context = CallContext::new(None).asking_once().at(span.place().clone());
        let reading = guard::catch(self.tools.read(read, &context), ToolError::panicked(false));
        let reply = reply(&self.tools, action, reading.await);
        let answer = Answer::Reply(reply.clone());
        entry.answered(&answer, false, &context).await.ok()?;
        let (elapsed, outcome) = (started.elapsed(), answer.outcome());
        measures::call(known, action, outcome, elapsed);
        span.call_ended(outcome, answer.is_error());
        log(known, action, caller, &answer, None, &context, span.place(), elapsed);
        Some(reply)
    }

    /// Whether somebody may see this text as it is: masking would leave it alone.
    #[must_use]
    pub fn shows(&self, principal: &Principal, text: &str) -> bool {
        !self.masks_for(principal) || masking::mask_text(text) == text
    }

    fn masks_for(&self, principal: &Principal) -> bool {
        self.config.masks_personal_data && !principal.may(Scope::PersonalDataRead)
    }

    /// Lets in a call, or what counts as one, before it is looked at: what is refused for another reason counts, too.
    ///
    /// # Errors
    /// `rate_limited` where a limit is reached.
    async fn admit(&self, caller: &Caller, is_write: bool) -> Result<Place, ToolError> {
        let place = self.limits.admit(&caller.principal).await;
        place.map_err(|over| self.over(caller, &over).refusal(is_write))
    }

    /// Counts a request that needs no place: it is answered at once, or refused.
    ///
    /// # Errors
    /// `rate_limited` where the caller has asked too often.
    pub async fn arrives(&self, caller: &Caller) -> Result<(), ToolError> {
        let counted = self.limits.count(&caller.principal).await;
        counted.map_err(|over| self.over(caller, &over).refusal(false))
    }

    /// Whoever is over a limit may go on asking: so many of that are on record in a second, and the others counted.
    fn over<'a>(&self, caller: &Caller, over: &'a Over) -> &'a Over {
        self.config.trail.refused(&recording::over_a_limit(caller));
        over
    }

    async fn call_in(
        &self,
        context: CallContext,
        caller: &Caller,
        tool: &str,
        arguments: Map<String, Value>,
    ) -> Answer {
        let started = Instant::now();
        let action = self.tools.named_action(tool, &arguments);
        let (known, named) = (self.tools.named(tool).unwrap_or("unknown"), action.unwrap_or("unknown"));
        let span = Span::of_call(&caller.origin, known, named);
        let _in_flight = measures::call_begins();
        let context = Arc::new(context.at(span.place().clone()));
        let (answer, waited) = match self.admit(caller, self.tools.is_write(tool, &arguments)).await {
            Ok(place) => self.recorded(caller, tool, action, arguments, &context, place).await,
            Err(over) => {
                // Whoever is over a limit still hears first what stands before the limits.
                let first = self.request(caller, tool, arguments, &context).err().unwrap_or(over);
                (Answer::Reply(refusal(&self.tools, action, &first)), None)
            }
        };
        let elapsed = started.elapsed();
        let outcome = answer.outcome();
        measures::call(known, named, outcome, elapsed);
        span.call_ended(outcome, answer.is_error());
        log(known, named, caller, &answer, waited.as_ref(), &context, span.place(), elapsed);
        answer
    }

    /// The answer as it may be shown, once it is on record.
    async fn recorded(
        &self,
        caller: &Caller,
        tool: &str,
        action: Option<&'static str>,
        arguments: Map<String, Value>,
        context: &Arc<CallContext>,
        place: Place,
    ) -> (Answer, Option<Waited>) {
        let entry = Arc::new(Entry::new(self, caller, tool, action, &arguments));
        let (mut answer, waited) =
            self.answer(caller, tool, action, arguments, context, (&entry, place)).await;
        if let Answer::Reply(reply) = &mut answer
            && self.masks_for(&caller.principal)
        {
            masking::mask(&mut reply.body);
        }
        if let Err(error) = entry.answered(&answer, waited.is_some(), context).await {
            answer = Answer::Reply(refusal(&self.tools, action, &error));
        }
        (answer, waited)
    }

    /// The call as its arguments say it, where it may be made at all.
    fn request(
        &self,
        caller: &Caller,
        tool: &str,
        arguments: Map<String, Value>,
        context: &CallContext,
    ) -> Result<Request, ToolError> {
        if context.writes_are_stopped() && self.tools.is_write(tool, &arguments) {
            return Err(ToolError::writes_stopped());
        }
        self.tools.parse(tool, arguments, caller.principal.scopes)
    }

    async fn answer(
        &self,
        caller: &Caller,
        tool: &str,
        action: Option<&'static str>,
        arguments: Map<String, Value>,
        context: &Arc<CallContext>,
        (entry, place): (&Arc<Entry>, Place),
    ) -> (Answer, Option<Waited>) {
        let budget = Budget::new(caller.progress.is_some());
        let refused = |error: &ToolError| (Answer::Reply(refusal(&self.tools, action, error)), None);
        let request = match self.request(caller, tool, arguments, context) {
            Err(error) => return refused(&error),
            Ok(request) => request,
        };
        match request {
            Request::Read(read) => {
                let (action, wait) = (read.action, read.wait());
                let outcome = tokio::select! {
                    outcome = guard::catch(self.read(read, wait.as_ref(), context), ToolError::panicked(false)) => outcome,
                    () = caller.cancelled.cancelled() => Err(ToolError::given_up(false)),
                };
                let answer = Answer::Reply(reply(&self.tools, action, outcome));
                self.follow(caller, wait, answer, budget).await
            }
            Request::Write(write) => {
                let wait = write.wait();
                // Apart, since a call is moved about as a whole, and nearly all are reads.
                let writing = Box::pin(self.write(caller, write, context, budget, (entry, place.clone())));
                let answer = writing.await;
                self.follow(caller, wait, answer, budget).await
            }
        }
    }
}
