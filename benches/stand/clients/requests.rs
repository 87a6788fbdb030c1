//! Requests, written once and filled in for each call.

use anyhow::Context;
use serde_json::{Value, json};

/// Every number of a call has so many digits, so that a request never changes its length.
const DIGITS: usize = 10;
/// Stands where the number of the call goes, as a number.
const NUMBER: u64 = 9_999_999_999;
/// Calls that a lane makes before its numbers begin again.
const OF_A_LANE: u64 = 10_000_000;

/// The numbers of one lane's calls: no other lane has them.
pub struct Numbers {
    first: u64,
    next: u64,
}

impl Numbers {
    /// Those of the lane with this index, below 800.
    pub fn of_lane(lane: usize) -> Self {
        Self { first: 1_000_000_000 + lane as u64 * OF_A_LANE, next: 0 }
    }

    /// The next one.
    pub fn draw(&mut self) -> u64 {
        let number = self.first + self.next;
        self.next = (self.next + 1) % OF_A_LANE;
        number
    }
}

/// The customer that this call asks for.
pub fn customer_id(number: u64) -> String {
    format!("cus_{number}")
}

/// A request whose number stands in some places.
pub struct Template {
    text: Vec<u8>,
    places: Vec<usize>,
}

impl Template {
    /// Finds the places in this message.
    fn new(message: &Value) -> Self {
        let text = message.to_string();
        let places = text.match_indices(&NUMBER.to_string()).map(|(place, _)| place).collect();
        Self { text: text.into_bytes(), places }
    }

    /// The request with this number.
    pub fn fill(&self, number: u64) -> anyhow::Result<Vec<u8>> {
        let mut text = self.text.clone();
        let digits = number.to_string();
        for &place in &self.places {
            let hole = text.get_mut(place..place + DIGITS).context("a template holds its places")?;
            hole.copy_from_slice(digits.as_bytes());
        }
        Ok(text)
    }

    /// The arguments alone.
    pub fn arguments() -> Self {
        Self::new(&arguments())
    }

    /// A tool call, as JSON-RPC.
    pub fn call() -> Self {
        Self::new(&message(&json!({"name": TOOL, "arguments": arguments()})))
    }

    /// A tool call whose client wants to hear how far it is.
    pub fn watched_call() -> Self {
        let meta = json!({"progressToken": NUMBER});
        Self::new(&message(&json!({"name": TOOL, "arguments": arguments(), "_meta": meta})))
    }

    /// A tool call of 2026-07-28, which says who calls.
    pub fn stateless_call() -> Self {
        Self::new(&message(&json!({
            "name": TOOL,
            "arguments": arguments(),
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1.0.0"},
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        })))
    }
}

/// The tool that is called.
pub const TOOL: &str = "manage_customers";

fn arguments() -> Value {
    json!({"action": "get", "customer_id": customer_id(NUMBER)})
}

fn message(params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": NUMBER, "method": "tools/call", "params": params})
}
