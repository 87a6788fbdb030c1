//! Standard error that nobody reads: calls go on, and the program ends.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use crate::support::in_time;
use crate::support::process::program;

/// Calls whose lines are longer, together, than any pipe that nobody has made larger.
const CALLS: usize = 1_000;
/// What a pipe holds on Linux.
const PIPE_BYTES: usize = 64 * 1024;

#[tokio::test]
async fn an_unread_log_stops_no_call_and_not_the_end() {
    let mut child = program().spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut log = child.stderr.take().unwrap();
    let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"}});
    let call = json!({"name": "manage_customers", "arguments": {"action": "list"}});
    for id in 0..=CALLS {
        let (method, params) = if id == 0 { ("initialize", &hello) } else { ("tools/call", &call) };
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        in_time(input.write_all(format!("{request}\n").as_bytes())).await.unwrap();
        let answer = in_time(output.next_line()).await.unwrap().expect("the call is answered");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["id"], id);
        assert_ne!(answer["result"]["isError"], true, "{answer}");
    }
    drop(input);
    assert_eq!(in_time(child.wait()).await.unwrap().code(), Some(0));
    let mut said = String::new();
    in_time(log.read_to_string(&mut said)).await.unwrap();
    assert!(said.len() > PIPE_BYTES / 2, "the pipe was never full: {} bytes", said.len());
    assert!(said.matches("tool call").count() < CALLS);
}
