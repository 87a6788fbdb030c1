//! A write, from the arguments to its outcome: once in ten minutes, whoever sends it again meanwhile.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::SystemTime;

use aws_lc_rs::digest::{Context as Digest, SHA256};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::budget::Budget;
use super::caller::Caller;
use super::consent::No;
use super::errand::Errand;
use super::limits::Place;
use super::repeats::{self, Answers, Ended, Key, Outcome};
use super::{Answer, Calls, Reply, guard, refusal, reply};
use crate::fintecture::CallContext;
use crate::tools::{ToolError, Write};

/// What became of a write.
#[derive(Debug, Clone)]
pub(super) enum Written {
    Reply(Reply),
    Asked,
    Left(Reply),
}

impl Calls {
    /// Carries out a write, unless it is a repeat.
    pub(super) async fn write(
        &self,
        caller: &Caller,
        write: Write,
        context: &Arc<CallContext>,
        budget: Budget,
        place: Place,
    ) -> Answer {
        let action = write.action;
        let refused = |error: &ToolError| Answer::Reply(refusal(&self.tools, Some(action), error));
        let Some(key) = key(&caller.principal.name, &write) else {
            return refused(&ToolError::internal("the arguments have no one spelling"));
        };
        let errand = Errand {
            tools: Arc::clone(&self.tools),
            approvals: Arc::clone(&self.approvals),
            confirm: self.config.confirm,
            stopping: self.stopping.clone(),
            caller: caller.clone(),
            key,
            write,
            context: Arc::clone(context),
            budget,
            daily: Arc::clone(self.limits.daily()),
            _place: place,
        };
        let carried_out = self.repeats.once(key, &caller.cancelled, |given_up| carry_out(errand, given_up));
        match carried_out.await {
            repeats::Answer::First(written) => written.into(),
            repeats::Answer::Repeated(ended) => repeated(ended),
            repeats::Answer::UnderWay => refused(&ToolError::under_way()),
            repeats::Answer::Full => refused(&ToolError::too_many_writes(repeats::KEPT_FOR)),
            repeats::Answer::Lost => refused(&ToolError::lost()),
        }
    }
}

async fn carry_out(errand: Errand, given_up: CancellationToken) -> Written {
    let action = errand.write.action;
    let panicked = No::Error(ToolError::panicked(true));
    match guard::catch(errand.run(&given_up), panicked).await {
        Ok(fields) => Written::Reply(reply(&errand.tools, action, Ok(fields))),
        Err(No::Error(error)) => Written::Reply(reply(&errand.tools, action, Err(error))),
        Err(No::Asked) => Written::Asked,
        Err(No::Left) => Written::Left(reply(&errand.tools, action, Err(ToolError::given_up(true)))),
    }
}

impl Outcome for Written {
    fn answers(&self) -> Answers {
        match self {
            Self::Reply(reply) if !reply.is_error || outcome_of(reply) == Some("unknown") => Answers::Repeats,
            Self::Reply(_) => Answers::ThoseWaiting,
            Self::Asked | Self::Left(_) => Answers::FirstCaller,
        }
    }
}

impl From<Written> for Answer {
    fn from(written: Written) -> Self {
        match written {
            Written::Reply(reply) | Written::Left(reply) => Self::Reply(reply),
            Written::Asked => Self::Asked,
        }
    }
}

fn outcome_of(reply: &Reply) -> Option<&str> {
    reply.body.pointer("/error/outcome").and_then(Value::as_str)
}

/// Names a write by who sends what.
fn key(principal: &str, write: &Write) -> Option<Key> {
    let arguments = write.canonical()?;
    let mut digest = Digest::new(&SHA256);
    for part in [principal, write.tool, write.action, &arguments] {
        // Lengths keep two parts from reading as other two.
        digest.update(&(part.len() as u64).to_le_bytes());
        digest.update(part.as_bytes());
    }
    digest.finish().as_ref().try_into().ok()
}

/// The first outcome again, marked as such; an unknown one says from when the write would be sent again.
fn repeated(ended: Ended<Written>) -> Answer {
    let Ended { outcome, kept_until } = ended;
    let mut answer = Answer::from(outcome);
    let (Some(until), Answer::Reply(reply)) = (kept_until, &mut answer) else { return answer };
    if let Some(fields) = reply.body.as_object_mut() {
        fields.insert("repeated".to_owned(), json!(true));
    }
    if let Some(Value::String(hint)) = reply.body.pointer_mut("/error/hint") {
        let left = until.saturating_duration_since(tokio::time::Instant::now());
        let when = httpdate::fmt_http_date(SystemTime::now() + left);
        let _ = write!(hint, " The same arguments would be sent again from {when} on.");
    }
    answer
}
