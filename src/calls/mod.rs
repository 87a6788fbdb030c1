//! What surrounds a tool call, whatever protocol it came by: repeats, the panic guard, the log line.
//!
//! Every face of the server (MCP today) goes through [`Calls::call`], so that none can forget one of them. A
//! write passes, in this order: stopped writes and read-only, arguments, repeats, and then the tool itself.

mod completions;
mod guard;
mod masking;
mod repeats;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws_lc_rs::digest::{Context as Digest, SHA256};
use serde_json::{Map, Value, json};

use crate::fintecture::CallContext;
use crate::tools::{self, Request, Tool, ToolError, Tools};
pub use completions::{Completed, Completions, Wanted};
use repeats::{Answer, Ended, Key, Repeats};

/// Who calls where callers are not authenticated.
const LOCAL_PRINCIPAL: &str = "local";

/// The answer to a tool call, ready for any protocol.
#[derive(Clone, PartialEq)]
pub struct Reply {
    /// The result's JSON object: `{action, environment, ...}`, or the same with `error`.
    pub body: Value,
    /// Whether it is an error.
    pub is_error: bool,
}

/// How calls are treated.
#[derive(Debug, Default)]
pub struct CallsConfig {
    /// While this file exists, every write is refused.
    pub stop_writes: Option<PathBuf>,
    /// Whether IBANs, e-mails and phones are masked in what an agent receives.
    pub masks_personal_data: bool,
}

/// The way in for every tool call.
#[derive(Debug)]
pub struct Calls {
    tools: Arc<Tools>,
    repeats: Arc<Repeats>,
    config: CallsConfig,
}

impl Calls {
    /// Stands before these tools.
    #[must_use]
    pub fn new(tools: Arc<Tools>, config: CallsConfig) -> Self {
        Self { tools, repeats: Repeats::new(repeats::MAX_RECORDS), config }
    }

    /// The tools that can be called.
    #[must_use]
    pub fn tools(&self) -> &Tools {
        &self.tools
    }

    /// The tool of this name as an agent sees it.
    #[must_use]
    pub fn tool(&self, name: &str) -> Option<&Tool> {
        self.tools.list().iter().find(|tool| tool.name == name)
    }

    /// Waits until no write is on its way, those included whose callers have left.
    pub async fn writes_settled(&self) {
        self.repeats.settled().await;
    }

    /// Answers a call; whatever happens, with a reply.
    pub async fn call(&self, tool: &str, arguments: Map<String, Value>) -> Reply {
        self.call_in(CallContext::new(self.config.stop_writes.clone()), tool, arguments).await
    }

    /// Answers a call with one request to the upstream at most: nothing is tried again.
    async fn glance(&self, tool: &str, arguments: Map<String, Value>) -> Reply {
        let context = CallContext::new(self.config.stop_writes.clone()).asking_once();
        self.call_in(context, tool, arguments).await
    }

    /// Whether an agent may see this text as it is: masking would leave it alone.
    #[must_use]
    pub fn shows(&self, text: &str) -> bool {
        !self.config.masks_personal_data || masking::mask_text(text) == text
    }

    async fn call_in(&self, context: CallContext, tool: &str, arguments: Map<String, Value>) -> Reply {
        let started = Instant::now();
        let action = self.tools.named_action(tool, &arguments);
        let context = Arc::new(context);
        let mut reply = self.answer(tool, action, arguments, &context).await;
        if self.config.masks_personal_data {
            masking::mask(&mut reply.body);
        }
        log(tool, action, &reply, &context, started.elapsed());
        reply
    }

    async fn answer(
        &self,
        tool: &str,
        action: Option<&'static str>,
        arguments: Map<String, Value>,
        context: &Arc<CallContext>,
    ) -> Reply {
        let refused = |error: &ToolError| refusal(&self.tools, action, error);
        if context.writes_are_stopped() && self.tools.is_write(tool, &arguments) {
            return refused(&ToolError::writes_stopped());
        }
        let request = match self.tools.parse(tool, arguments) {
            Ok(request) => request,
            Err(error) => return refused(&error),
        };
        let Some(key) = key(tool, &request) else {
            return run(Arc::clone(&self.tools), request, Arc::clone(context)).await;
        };
        let write = run(Arc::clone(&self.tools), request, Arc::clone(context));
        match self.repeats.once(key, write, is_kept).await {
            Answer::First(reply) => reply,
            Answer::Repeated(ended) => repeated(ended),
            Answer::Full => refused(&ToolError::too_many_writes(repeats::KEPT_FOR)),
            Answer::Lost => refused(&ToolError::lost()),
        }
    }
}

async fn run(tools: Arc<Tools>, request: Request, context: Arc<CallContext>) -> Reply {
    let (action, writes) = (request.action, request.writes);
    match guard::catch(tools.run(request, &context), writes).await {
        Ok(fields) => Reply { body: tools::envelope(action, tools.environment(), fields), is_error: false },
        Err(error) => refusal(&tools, Some(action), &error),
    }
}

fn refusal(tools: &Tools, action: Option<&str>, error: &ToolError) -> Reply {
    Reply { body: tools::error_envelope(action, tools.environment(), error), is_error: true }
}

/// Names a write by who sends what; nothing for a read.
fn key(tool: &str, request: &Request) -> Option<Key> {
    let arguments = request.canonical_write()?;
    let mut digest = Digest::new(&SHA256);
    for part in [LOCAL_PRINCIPAL, tool, request.action, &arguments] {
        // Lengths keep two parts from reading as other two.
        digest.update(&(part.len() as u64).to_le_bytes());
        digest.update(part.as_bytes());
    }
    digest.finish().as_ref().try_into().ok()
}

/// Whether an outcome answers repeats: a success, or one that may yet turn out to be.
fn is_kept(reply: &Reply) -> bool {
    !reply.is_error || reply.body.pointer("/error/outcome").and_then(Value::as_str) == Some("unknown")
}

/// The first outcome again, marked as such; an unknown one says from when the write would be sent again.
fn repeated(ended: Ended) -> Reply {
    let Ended { mut reply, kept_until } = ended;
    let Some(until) = kept_until else { return reply };
    if let Some(fields) = reply.body.as_object_mut() {
        fields.insert("repeated".to_owned(), json!(true));
    }
    if let Some(Value::String(hint)) = reply.body.pointer_mut("/error/hint") {
        let left = until.saturating_duration_since(tokio::time::Instant::now());
        let when = httpdate::fmt_http_date(SystemTime::now() + left);
        let _ = write!(hint, " The same arguments would be sent again from {when} on.");
    }
    reply
}

fn log(tool: &str, action: Option<&str>, reply: &Reply, context: &CallContext, elapsed: Duration) {
    let seen = context.seen();
    let outcome = reply.body.pointer("/error/kind").and_then(Value::as_str).unwrap_or("success");
    let repeated = reply.body.get("repeated").is_some();
    tracing::info!(
        tool,
        action = action.unwrap_or("unknown"),
        outcome,
        repeated,
        status = seen.status,
        attempts = seen.attempts,
        milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        request_id = seen.request_id,
        "tool call"
    );
}

// A reply is full of personal data: its contents never reach a log by way of Debug.
impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply").field("is_error", &self.is_error).finish_non_exhaustive()
    }
}
