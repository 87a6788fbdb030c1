//! A call on record: the intent before a write is sent, its outcome, or one line for a call that sent none.
//!
//! What goes on record is cleared of personal data here: a client's name and version are masked, ids that look like
//! something else are left out, and of arguments there is a keyed digest alone.

use std::sync::OnceLock;
use std::time::Instant;

use aws_lc_rs::digest::{Context as Digest, SHA256};
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use super::caller::Caller;
use super::repeats::Key;
use super::{Answer, Calls, Reply, masking};
use crate::audit::{CameTo, Event, Receipt, RefusedAccess, Subject, Targets, Trail, Unwritable};
use crate::domain::{AccountId, CustomerId, VerificationId, is_printable};
use crate::fintecture::CallContext;
use crate::tools::ToolError;

/// As much of what a client calls itself as is kept, in characters.
const MAX_CLIENT_CHARS: usize = 100;
/// What a client is told that asks for a verdict that must not be told.
pub(super) const NOT_TOLD: &str = "The verdict is there, but the audit trail cannot be written, so it cannot be told yet. Tell the \
                        operator; the task goes on once it can be.";
/// Digits alone of these lengths may be somebody's phone, and are no id that is recorded.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// A person's yes to a write.
#[derive(Debug)]
pub(super) struct Approved {
    /// Where: `client` or `page`.
    pub(super) how: &'static str,
    /// Who, where they signed in.
    pub(super) approver: Option<String>,
}

/// One call, from its arguments to its last line.
#[derive(Debug)]
pub(super) struct Entry {
    trail: Trail,
    subject: Subject,
    began: Instant,
    is_write: bool,
    /// The write's own name, once it is known: then all its spellings have one digest.
    write: OnceLock<Key>,
    intent: Mutex<Intent>,
}

/// Where the line of a write stands that says that it is about to be sent.
#[derive(Debug, Default)]
enum Intent {
    #[default]
    None,
    /// Handed over; whoever waited for it may have gone.
    Submitted(Receipt),
    Known(Result<u64, Unwritable>),
}

impl Entry {
    /// A call that begins now.
    pub(super) fn new(
        calls: &Calls,
        caller: &Caller,
        tool: &str,
        action: Option<&'static str>,
        arguments: &Map<String, Value>,
    ) -> Self {
        let trail = calls.config.trail.clone();
        let subject = if trail.is_on() { of(&trail, caller, tool, action, arguments) } else { nobody() };
        let is_write = calls.tools.is_write(tool, arguments);
        let (began, write) = (Instant::now(), OnceLock::new());
        Self { trail, subject, began, is_write, write, intent: Mutex::default() }
    }

    /// The call is this write.
    pub(super) fn is(&self, write: &Key) {
        let _ = self.write.set(*write);
    }

    /// Puts on record that the write is about to be sent. Only then may it be.
    ///
    /// # Errors
    /// Where that cannot be written.
    pub(super) async fn intend(&self, yes: Option<Approved>, context: &CallContext) -> Result<(), ToolError> {
        if !self.trail.is_on() {
            return Ok(());
        }
        let approval = yes.as_ref().map(|yes| yes.how);
        let who = yes.and_then(|yes| yes.approver);
        let approver = who.map(|name| masking::mask_text(&name).into_owned());
        let request_id = context.plan_request_id();
        let event = Event::Write { subject: self.subject(), approval, approver, request_id };
        let mut intent = self.intent.lock().await;
        let submitted = self.trail.submit(&event, true).await;
        *intent = submitted.map_or(Intent::Known(Err(Unwritable)), Intent::Submitted);
        intent.settle().await.map(|_| ()).map_err(|Unwritable| ToolError::unrecorded(true))
    }

    /// Puts the outcome of a write on record that was about to be sent.
    pub(super) async fn ended(&self, reply: &Reply, context: &CallContext) {
        let Ok(write) = self.intent.lock().await.settle().await else { return };
        let mut subject = self.subject();
        subject.targets.made(&reply.body);
        let result =
            self.came_to(outcome_of(&reply.body), effect_of(reply).or(Some("unknown")), false, context);
        if self.trail.record(&Event::Outcome { write, subject, result }, false).await.is_err() {
            tracing::error!(
                write,
                "the outcome of a write is not in the audit trail: audit unresolved names it"
            );
        }
    }

    /// Puts a call on record that is about to be answered, unless its write has its own lines. `has_waited`: the
    /// answer shows what was read after that.
    ///
    /// # Errors
    /// What to answer instead, where that cannot be written.
    pub(super) async fn answered(
        &self,
        answer: &Answer,
        has_waited: bool,
        context: &CallContext,
    ) -> Result<(), ToolError> {
        if !self.trail.is_on() {
            return Ok(());
        }
        let is_on_record = self.intent.lock().await.settle().await.is_ok();
        if is_on_record && !has_waited {
            return Ok(());
        }
        let (outcome, effect, repeated) = match answer {
            Answer::Asked => ("asked".to_owned(), None, false),
            Answer::Task(_) => ("task".to_owned(), None, false),
            Answer::Reply(reply) => {
                let effect = if self.is_write { effect_of(reply) } else { None };
                (outcome_of(&reply.body), effect, reply.body.get("repeated").is_some())
            }
        };
        let result = self.came_to(outcome, effect, repeated, context);
        let mut subject = self.subject();
        // What the upstream does not know is nobody's id, and may be anything.
        if matches!(result.outcome.as_str(), "not_found" | "invalid_input") {
            subject.targets = Targets::default();
        }
        let event = Event::Call { subject, result };
        let written = self.trail.record(&event, false).await;
        // Whether an earlier write was applied does not depend on this line.
        let may_be_applied = is_on_record || repeated || effect == Some("unknown");
        written.map(|_| ()).map_err(|Unwritable| ToolError::unrecorded(self.is_write && !may_be_applied))
    }

    /// Puts on record what a person said in their client, or that they are asked on a page.
    pub(super) fn asked(&self, decision: &'static str, how: &'static str) {
        let Some(write) = self.write.get().filter(|_| self.trail.is_on()) else { return };
        let principal = Some(self.subject.principal.clone());
        let arguments = self.trail.digest(write);
        self.trail.note(&Event::Approval {
            decision,
            how,
            principal,
            approver: None,
            arguments: Some(arguments),
        });
    }

    fn subject(&self) -> Subject {
        let mut subject = self.subject.clone();
        if let Some(write) = self.write.get() {
            subject.arguments = self.trail.digest(write);
        }
        subject
    }

    fn came_to(
        &self,
        outcome: String,
        effect: Option<&'static str>,
        repeated: bool,
        context: &CallContext,
    ) -> CameTo {
        let milliseconds = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        CameTo { outcome, effect, repeated, request_id: context.seen().request_id, milliseconds }
    }
}

impl Intent {
    /// The number of the line, once it is known.
    async fn settle(&mut self) -> Result<u64, Unwritable> {
        if let Self::Submitted(receipt) = self {
            *self = Self::Known(receipt.await);
        }
        match self {
            Self::Known(told) => *told,
            _ => Err(Unwritable),
        }
    }
}

impl Calls {
    /// Puts on record that a file is read in which nothing is personal: a capability file, the card, a file of the
    /// skill. Nothing waits for it.
    pub fn reads_file(&self, caller: &Caller, name: &str) {
        let (principal, client) = who(caller);
        self.config.trail.note(&Event::Resource { principal, client, resource: name.to_owned() });
    }

    /// Puts on record that a task's verdict is about to be told.
    ///
    /// # Errors
    /// Where that cannot be written: it is not told then.
    pub(super) async fn tells_verdict(
        &self,
        caller: &Caller,
        customer_id: &str,
        verdict: &Reply,
    ) -> Result<(), Unwritable> {
        let trail = &self.config.trail;
        if !trail.is_on() {
            return Ok(());
        }
        let verification_id = verdict.body.pointer("/verification/id").and_then(Value::as_str);
        let ids = [("customer_id", Some(customer_id)), ("verification_id", verification_id)];
        let given = ids.into_iter().filter_map(|(name, id)| Some((name.to_owned(), Value::from(id?))));
        let arguments: Map<String, Value> = given.collect();
        let subject = of(trail, caller, "verify_identity", Some("get"), &arguments);
        let result = CameTo {
            outcome: "success".to_owned(),
            effect: None,
            repeated: false,
            request_id: None,
            milliseconds: 0,
        };
        trail.record(&Event::Call { subject, result }, false).await.map(|_| ())
    }
}

/// What is on record of a caller that is over a limit.
pub(super) fn over_a_limit(caller: &Caller) -> RefusedAccess {
    RefusedAccess { reason: "rate_limited", principal: Some(who(caller).0), path: "other" }
}

fn nobody() -> Subject {
    let [principal, tool, arguments] = [const { String::new() }; 3];
    Subject { principal, client: None, face: "", tool, action: None, targets: Targets::default(), arguments }
}

fn of(
    trail: &Trail,
    caller: &Caller,
    tool: &str,
    action: Option<&'static str>,
    arguments: &Map<String, Value>,
) -> Subject {
    let (principal, client) = who(caller);
    // In one order, whatever order they came in.
    let mut sorted: Vec<(&String, &Value)> = arguments.iter().collect();
    sorted.sort_by_key(|(name, _)| *name);
    let given = serde_json::to_string(&sorted).unwrap_or_default();
    let digest = trail.digest(&key_of([&caller.principal.name, tool, action.unwrap_or_default(), &given]));
    Subject {
        principal,
        client,
        face: caller.origin.face.as_str(),
        tool: tool.to_owned(),
        action,
        targets: targets(arguments),
        arguments: digest,
    }
}

/// Names a call by who sends what.
pub(super) fn key_of(parts: [&str; 4]) -> Key {
    let mut digest = Digest::new(&SHA256);
    for part in parts {
        // Lengths keep two parts from reading as other two.
        digest.update(&(part.len() as u64).to_le_bytes());
        digest.update(part.as_bytes());
    }
    digest.finish().as_ref().try_into().unwrap_or_default()
}

/// The principal, and what the client calls itself: printable, short, and masked, since it may call itself anything.
fn who(caller: &Caller) -> (String, Option<String>) {
    let shown = |text: &str| {
        // Cut after it is masked: a part of an IBAN is none that could be told.
        let printable: String =
            text.chars().filter(|c| is_printable(*c)).take(10 * MAX_CLIENT_CHARS).collect();
        masking::mask_text(&printable).chars().take(MAX_CLIENT_CHARS).collect::<String>()
    };
    (shown(&caller.principal.name), caller.client.as_deref().map(shown))
}

fn targets(arguments: &Map<String, Value>) -> Targets {
    let text = |name: &str| arguments.get(name).and_then(Value::as_str);
    let of = |name: &str, is_id: fn(&str) -> bool| {
        text(name).filter(|id| is_id(id) && looks_like_an_id(id)).map(str::to_owned)
    };
    Targets {
        customer_id: of("customer_id", |id| id.parse::<CustomerId>().is_ok()),
        account_id: of("account_id", |id| id.parse::<AccountId>().is_ok()),
        verification_id: of("verification_id", |id| id.parse::<VerificationId>().is_ok()),
    }
}

/// Whether an id is not rather an IBAN, a phone or a name that somebody put in its place.
fn looks_like_an_id(id: &str) -> bool {
    let has_mark = id.bytes().any(|byte| byte.is_ascii_digit() || byte == b'_');
    let is_phone = id.bytes().all(|byte| byte.is_ascii_digit()) && PHONE_DIGITS.contains(&id.len());
    has_mark && !is_phone && masking::mask_text(id) == id
}

impl Targets {
    /// What a write has made, as its result names it.
    fn made(&mut self, body: &Value) {
        let id = |place: &str| {
            let id = body.pointer(place).and_then(Value::as_str)?;
            (id.parse::<CustomerId>().is_ok() && looks_like_an_id(id)).then(|| id.to_owned())
        };
        for (place, target) in [
            ("/customer/id", &mut self.customer_id),
            ("/bank_account/id", &mut self.account_id),
            ("/verification/id", &mut self.verification_id),
        ] {
            if target.is_none() {
                *target = id(place);
            }
        }
    }
}

fn outcome_of(body: &Value) -> String {
    body.pointer("/error/kind").and_then(Value::as_str).unwrap_or("success").to_owned()
}

/// Whether a write took effect.
fn effect_of(reply: &Reply) -> Option<&'static str> {
    if !reply.is_error {
        return Some("applied");
    }
    match reply.body.pointer("/error/outcome").and_then(Value::as_str) {
        Some("not_applied") => Some("not_applied"),
        Some(_) => Some("unknown"),
        // A refusal before anybody knew that it was a write.
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_name_of_a_client_holds_no_part_of_what_is_masked() {
        let iban = "FR7630006000011234567890189";
        for room in 70..100 {
            let client = Some(format!("{} {iban}", "x".repeat(room)));
            let (_, told) = who(&Caller { client, ..Caller::local() });
            assert!(!told.unwrap().contains(&iban[4..12]), "{room}");
        }
    }
}
