//! The transports as a client sees them: bytes over a pipe, requests over a socket.

mod dummy;
mod http;
mod legacy_sse;
mod network;
mod principals;
mod replicas;
mod stdio;

use serde_json::{Value, json};

use super::{gate::Gate, names::Names};

/// The gate of a listener at port 80 of this machine.
pub(crate) fn gate() -> Gate {
    Gate::new(Names::of("127.0.0.1:80".parse().unwrap(), false, None))
}

pub(crate) fn initialize(revision: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": "init", "method": "initialize", "params": {
        "protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}})
}

pub(crate) fn initialized() -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/initialized"})
}

/// A request of the revision that has no handshake.
pub(crate) fn modern(id: u32, method: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": {"notifications": {}, "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {}}}})
}

pub(crate) fn call(id: impl Into<Value>, tool: &str) -> Value {
    let id = id.into();
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": {"text": id}}})
}

pub(crate) fn cancel(id: impl Into<Value>) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id.into()}})
}

/// The ids of the answers in a batch, in the order of their text.
pub(crate) fn sorted_ids(answers: &Value) -> Vec<String> {
    let mut ids: Vec<_> = answers.as_array().unwrap().iter().map(|answer| answer["id"].to_string()).collect();
    ids.sort();
    ids
}
