//! A write, from the arguments to its outcome: once in ten minutes, whoever sends it again meanwhile.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::answer::{Answer, Reply, refusal, reply};
use super::budget::Budget;
use super::caller::Caller;
use super::consent::No;
use super::errand::{Errand, refused_by_store};
use super::limits::Place;
use super::recording::{Entry, key_of};
use super::records::Entered;
use super::repeats::{self, Answers, Ended, Key, Outcome};
use super::{Calls, guard};
use crate::fintecture::CallContext;
use crate::tools::{ToolError, Write};

/// Replies that are deeper stay as they are: JSON is read back to a depth of 128.
const PACKED_DEPTH: usize = 100;

/// What became of a write.
#[derive(Debug, Clone)]
pub(super) enum Written {
    Reply(Reply),
    Asked,
    Left(Reply),
    /// What is known of it from the store that replicas share; it was not sent from here.
    Elsewhere(Reply),
}

impl Calls {
    /// Carries out a write, unless it is a repeat.
    pub(super) async fn write(
        &self,
        caller: &Caller,
        write: Write,
        context: &Arc<CallContext>,
        budget: Budget,
        (entry, place): (&Arc<Entry>, Place),
    ) -> Answer {
        let action = write.action;
        let refused = |error: &ToolError| Answer::Reply(refusal(&self.tools, Some(action), error));
        let Some(key) = key(&caller.principal.name, &write) else {
            return refused(&ToolError::internal("the arguments have no one spelling"));
        };
        entry.is(&key);
        let errand = Errand {
            tools: Arc::clone(&self.tools),
            approvals: Arc::clone(&self.approvals),
            confirm: self.config.confirm,
            stopping: self.stopping.clone(),
            records: self.records.clone(),
            lease: None,
            caller: caller.clone(),
            key,
            write,
            context: Arc::clone(context),
            budget,
            entry: Arc::clone(entry),
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

/// Carries a write out, unless another replica is about it or was lately.
async fn carry_out(mut errand: Errand, given_up: CancellationToken) -> Written {
    let Some(records) = &errand.records else { return carry_out_here(&errand, &given_up).await };
    let action = errand.write.action;
    let refused = |error: &ToolError| refusal(&errand.tools, Some(action), error);
    let lost = refused(&ToolError::lost());
    match records.enter(&errand.key, &given_up, &lost).await {
        Entered::Mine(lease) => errand.lease = Some(lease),
        Entered::Ended(mut reply, until) => {
            mark_repeated(&mut reply, until.into());
            return Written::Elsewhere(reply);
        }
        Entered::UnderWay => return Written::Elsewhere(refused(&ToolError::under_way())),
        Entered::Left => return Written::Left(refused(&ToolError::given_up(true))),
        Entered::Forgotten(left) => return Written::Elsewhere(refused(&ToolError::store_lost_memory(left))),
        Entered::Unknown(error) => return Written::Elsewhere(refused(&refused_by_store(error))),
    }
    let written = carry_out_here(&errand, &given_up).await;
    let kept = match &written {
        Written::Reply(reply) if written.answers() == Answers::Repeats => Some(reply.clone()),
        _ => None,
    };
    if let Some(lease) = errand.lease {
        lease.end(kept).await;
    }
    written
}

async fn carry_out_here(errand: &Errand, given_up: &CancellationToken) -> Written {
    let action = errand.write.action;
    let panicked = No::Error(ToolError::panicked(true));
    let written = match guard::catch(errand.run(given_up), panicked).await {
        Ok(fields) => Written::Reply(reply(&errand.tools, action, Ok(fields))),
        Err(No::Error(error)) => Written::Reply(reply(&errand.tools, action, Err(error))),
        Err(No::Asked) => Written::Asked,
        Err(No::Left) => Written::Left(reply(&errand.tools, action, Err(ToolError::given_up(true)))),
    };
    if let Written::Reply(reply) | Written::Left(reply) = &written {
        errand.entry.ended(reply, &errand.context).await;
    }
    written
}

impl Outcome for Written {
    fn answers(&self) -> Answers {
        match self {
            Self::Reply(reply) if !reply.is_error || outcome_of(reply) == Some("unknown") => Answers::Repeats,
            Self::Reply(_) | Self::Elsewhere(_) => Answers::ThoseWaiting,
            Self::Asked | Self::Left(_) => Answers::FirstCaller,
        }
    }

    fn packed(&self) -> Option<Box<str>> {
        match self {
            Self::Reply(reply) if is_deep(&reply.body, PACKED_DEPTH) => None,
            Self::Reply(reply) => serde_json::to_string(reply).ok().map(Into::into),
            _ => None,
        }
    }

    fn unpacked(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self::Reply)
    }
}

/// Whether there are more than so many values within each other.
fn is_deep(value: &Value, most: usize) -> bool {
    let Some(most) = most.checked_sub(1) else { return true };
    match value {
        Value::Array(items) => items.iter().any(|item| is_deep(item, most)),
        Value::Object(members) => members.values().any(|member| is_deep(member, most)),
        _ => false,
    }
}

impl From<Written> for Answer {
    fn from(written: Written) -> Self {
        match written {
            Written::Reply(reply) | Written::Left(reply) | Written::Elsewhere(reply) => Self::Reply(reply),
            Written::Asked => Self::Asked,
        }
    }
}

fn outcome_of(reply: &Reply) -> Option<&str> {
    reply.body.pointer("/error/outcome").and_then(Value::as_str)
}

/// Names a write by who sends what.
fn key(principal: &str, write: &Write) -> Option<Key> {
    Some(key_of([principal, write.tool, write.action, &write.canonical()?]))
}

/// The first outcome again, marked as such; an unknown one says from when the write would be sent again.
fn repeated(ended: Ended<Written>) -> Answer {
    let Ended { outcome, kept_until } = ended;
    let mut answer = Answer::from(outcome);
    if let (Some(until), Answer::Reply(reply)) = (kept_until, &mut answer) {
        let left = until.saturating_duration_since(tokio::time::Instant::now());
        mark_repeated(reply, SystemTime::now() + left);
    }
    answer
}

fn mark_repeated(reply: &mut Reply, until: SystemTime) {
    if let Some(fields) = reply.body.as_object_mut() {
        fields.insert("repeated".to_owned(), json!(true));
    }
    if let Some(Value::String(hint)) = reply.body.pointer_mut("/error/hint") {
        let when = httpdate::fmt_http_date(until);
        let _ = write!(hint, " The same arguments would be sent again from {when} on.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_reply_comes_back_as_it_was_and_one_that_is_too_deep_is_not_packed() {
        let body = json!({"z": 1.10, "a": {"b": [null, "é\u{0}\"", 9_007_199_254_740_993_u64, -0.1]}});
        let packed = Written::Reply(Reply { body: body.clone(), is_error: true }).packed().unwrap();
        let Some(Written::Reply(back)) = Written::unpacked(&packed) else { panic!() };
        assert_eq!((back.body.to_string(), back.is_error), (body.to_string(), true));
        let deep = |depth| (0..depth).fold(json!(1), |inner, _| json!([inner]));
        for (depth, is_packed) in [(PACKED_DEPTH - 1, true), (PACKED_DEPTH, false), (200, false)] {
            let written = Written::Reply(Reply { body: deep(depth), is_error: false });
            let packed = written.packed();
            assert_eq!(packed.is_some(), is_packed, "{depth}");
            assert!(packed.is_none_or(|packed| Written::unpacked(&packed).is_some()), "{depth}");
        }
    }
}
