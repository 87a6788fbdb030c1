//! What surrounds a tool call, whatever protocol it came by: limits, the panic guard, the log line.
//!
//! Every face of the server (MCP today) goes through [`Calls::call`], so that none can forget one of them.

mod guard;
#[cfg_attr(not(test), expect(dead_code, reason = "the setting that turns it on comes later"))]
mod masking;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use crate::tools::{self, Fields, Tool, ToolError, Tools};

/// Calls that run at the same time; further ones wait for [`MAX_WAIT`].
pub const MAX_CALLS_IN_FLIGHT: usize = 256;
/// How long a call waits for a place before it is refused.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// What a refused call is told to wait, in seconds.
const RETRY_AFTER_SECONDS: u64 = 2;

/// The answer to a tool call, ready for any protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The result's JSON object: `{action, environment, ...}`, or the same with `error`.
    pub body: Value,
    /// Whether it is an error.
    pub is_error: bool,
}

/// The way in for every tool call.
#[derive(Debug)]
pub struct Calls {
    tools: Arc<Tools>,
    places: Semaphore,
}

impl Calls {
    /// Stands before these tools.
    #[must_use]
    pub fn new(tools: Arc<Tools>) -> Self {
        Self { tools, places: Semaphore::new(MAX_CALLS_IN_FLIGHT) }
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

    /// Answers a call; whatever happens, with a reply.
    pub async fn call(&self, tool: &str, arguments: Map<String, Value>) -> Reply {
        let started = Instant::now();
        let action = self.tools.named_action(tool, &arguments);
        let result = guard::catch(self.admitted(tool, arguments)).await;
        let environment = self.tools.environment();
        let milliseconds = started.elapsed().as_millis();
        let action_word = action.unwrap_or("unknown");
        match result {
            Ok(fields) => {
                tracing::info!(tool, action = action_word, outcome = "success", milliseconds, "tool call");
                Reply { body: tools::envelope(action_word, environment, fields), is_error: false }
            }
            Err(error) => {
                tracing::info!(
                    tool,
                    action = action_word,
                    outcome = error.kind.as_str(),
                    status = error.upstream_status,
                    request_id = error.request_id,
                    milliseconds,
                    "tool call"
                );
                Reply { body: tools::error_envelope(action, environment, &error), is_error: true }
            }
        }
    }

    async fn admitted(&self, tool: &str, arguments: Map<String, Value>) -> Result<Fields, ToolError> {
        let request = self.tools.parse(tool, arguments)?;
        let place = tokio::time::timeout(MAX_WAIT, self.places.acquire()).await;
        let Ok(Ok(_place)) = place else {
            return Err(ToolError::busy(request.writes, RETRY_AFTER_SECONDS));
        };
        self.tools.run(request).await
    }
}
