//! A call that waits for its verdict: for how long, what its client hears meanwhile, and with which words it ends.
//!
//! Knows the call. How often the upstream is looked at is the business of [`waits`](super::waits).

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::budget::Budget;
use super::caller::Caller;
use super::waits::{Seen, Waiter, Waits};
use crate::tools::{ErrorKind, VerificationPath};

/// Longest wait of a call whose client is not told how far it is: such clients give up at 60 s.
const UNTOLD: Duration = Duration::from_secs(45);
/// What is kept of such a call's time for the look at the end.
const FOR_THE_LAST_LOOK: Duration = Duration::from_secs(2);
/// How long the look at the end may take.
const LAST_LOOK: Duration = Duration::from_secs(10);
/// Longest time without telling the client how far the wait is.
const LONGEST_SILENCE: Duration = Duration::from_secs(10);
/// Shortest time between telling the same twice.
const SHORTEST_SILENCE: Duration = Duration::from_millis(500);

/// How long a call may wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    began: Instant,
    /// Whole seconds that the call had taken by then.
    before: f64,
    until: Instant,
    /// When the look at the end is given up.
    cut_off: Instant,
    /// Whether less time is left than was asked for.
    is_cut: bool,
}

impl Span {
    /// From now on, at most `asked`, within the time of the call.
    pub(super) fn new(asked: Duration, budget: Budget) -> Self {
        let began = Instant::now();
        // Progress must grow over the whole call, and a person may have been waited for before.
        let before = budget.began.elapsed().as_secs_f64().floor();
        let until = match budget.end {
            None => began + asked,
            Some(end) => (began + asked.min(UNTOLD)).min(end - FOR_THE_LAST_LOOK).max(began),
        };
        let last_look = until + LAST_LOOK;
        let cut_off = budget.end.map_or(last_look, |end| end.min(last_look));
        Self { began, before, until, cut_off, is_cut: until < began + asked }
    }

    fn seconds(&self) -> f64 {
        (self.until - self.began).as_secs_f64()
    }
}

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The verification is no longer pending.
    Decided,
    /// The time is up.
    TimeUp,
    /// The same, and a client that asks for progress could have waited longer.
    CutShort,
    /// The server is about to end, or its input has.
    Stopping,
    /// The client gave the call up.
    Cancelled,
}

impl Ended {
    /// For the log.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::TimeUp | Self::CutShort => "time_up",
            Self::Stopping => "stopping",
            Self::Cancelled => "cancelled",
        }
    }

    fn words(self) -> Option<&'static str> {
        match self {
            Self::Decided => None,
            Self::TimeUp => Some("The time to wait is up."),
            Self::CutShort => {
                Some("The time to wait is up: a call without a progress token waits 45 seconds at most.")
            }
            Self::Stopping => {
                Some("The wait ended early, since the server is stopping: go on once it is back.")
            }
            Self::Cancelled => Some("The client gave the wait up."),
        }
    }
}

/// What came of a wait.
pub(super) struct Waited {
    pub(super) ended: Ended,
    pub(super) seen: Seen,
    /// The look at the end was not answered in time.
    is_cut_off: bool,
}

impl Waited {
    /// What the looks of others came to, for who did not wait with them.
    pub(super) fn of(seen: Seen, ended: Ended) -> Self {
        Self { ended, seen, is_cut_off: false }
    }

    /// The result of the call: what was last seen, in place of what the call found `first`, with words on how the
    /// wait ended.
    pub(super) fn result(&self, first: &Value) -> Value {
        let mut result = first.clone();
        let Some(members) = result.as_object_mut() else { return result };
        if let Some(sight) = &self.seen.sight {
            members.retain(|name, _| ["action", "environment", "repeated"].contains(&name.as_str()));
            let repeated = members.shift_remove("repeated");
            members.extend(sight.fields.clone());
            members.extend(repeated.map(|repeated| ("repeated".to_owned(), repeated)));
        }
        if let Some(words) = self.ended.words() {
            let mut hint = match members.get("hint").and_then(Value::as_str) {
                Some(said) => format!("{said} {words}"),
                None => words.to_owned(),
            };
            if self.is_cut_off {
                hint.push_str(
                    " The last look was not answered in time, so the status may be another one by now.",
                );
            } else if let Some(kind) = self.seen.failure() {
                let _ = write!(hint, " {}", failed(kind));
            }
            members.insert("hint".to_owned(), json!(hint));
        }
        result
    }
}

fn failed(kind: ErrorKind) -> String {
    format!("The last look failed ({}), so the status may be another one by now.", kind.as_str())
}

/// Waits until the verification is decided, the time is up, the client gives up, or the server is about to end.
pub(super) async fn wait(
    waits: &Waits,
    at: &VerificationPath,
    span: Span,
    caller: &Caller,
    stopping: &CancellationToken,
) -> Waited {
    let waiter = waits.join(at);
    let mut is_cut_off = false;
    let decided = async {
        // The waiter keeps the sender, so this cannot end without a verdict.
        let _ = waiter.news().wait_for(Seen::is_decided).await;
    };
    let time_up = async {
        sleep_until(span.until).await;
        timeout_at(span.cut_off, waiter.look()).await.is_err()
    };
    let ended = tokio::select! {
        biased;
        () = caller.cancelled.cancelled() => Ended::Cancelled,
        () = stopping.cancelled() => Ended::Stopping,
        () = decided => Ended::Decided,
        cut_off = time_up => {
            is_cut_off = cut_off;
            if span.is_cut { Ended::CutShort } else { Ended::TimeUp }
        }
        never = tell(caller, &waiter, span) => match never {},
    };
    let seen = waiter.seen();
    let ended = if seen.is_decided() { Ended::Decided } else { ended };
    Waited { ended, seen, is_cut_off }
}

/// Tells the client after every look how far the wait is, and now and then between looks.
async fn tell(caller: &Caller, waiter: &Waiter, span: Span) -> Infallible {
    let Some(progress) = &caller.progress else { return std::future::pending().await };
    let mut news = waiter.news();
    let (mut told, mut said) = (0.0, String::new());
    let mut silent_since = span.began;
    loop {
        let _ = timeout_at(silent_since + LONGEST_SILENCE, news.changed()).await;
        let message = match news.borrow_and_update().failure() {
            None => "The verification is still pending.".to_owned(),
            Some(kind) => format!("The last look failed ({}); the wait goes on.", kind.as_str()),
        };
        // A look that ends just after the client was told says nothing new.
        if message == said && silent_since.elapsed() < SHORTEST_SILENCE {
            continue;
        }
        let done = span.before + span.began.elapsed().as_secs_f64().min(span.seconds());
        if done > told {
            progress.tell(done, Some(span.before + span.seconds()), &message).await;
            (told, said) = (done, message);
        }
        silent_since = Instant::now();
    }
}
