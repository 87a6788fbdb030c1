//! A client that speaks to a server line by line, for what depends on exact bytes.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, Lines};

use super::contract::{Answer, Contract};
use super::in_time;
use super::process::Process;

/// A server on standard input and output.
pub(crate) struct Pipe {
    pub(crate) process: Process,
    input: Option<Box<dyn AsyncWrite + Send + Unpin>>,
    output: Lines<BufReader<Box<dyn AsyncRead + Send + Unpin>>>,
    next_id: u64,
    contract: Option<Contract>,
}

impl Pipe {
    /// Takes a server's pipes; says nothing yet.
    pub(crate) fn to(mut process: Process) -> Self {
        let (output, input) = process.pipes();
        Self::over(process, input, output)
    }

    /// The same over the other ends of whatever the server was given as standard input and output.
    pub(crate) fn over(
        process: Process,
        input: impl AsyncWrite + Send + Unpin + 'static,
        output: impl AsyncRead + Send + Unpin + 'static,
    ) -> Self {
        let output: Box<dyn AsyncRead + Send + Unpin> = Box::new(output);
        let output = BufReader::new(output).lines();
        Self { process, input: Some(Box::new(input)), output, next_id: 1, contract: None }
    }

    /// Shakes hands at this revision. Returns the result of `initialize`.
    pub(crate) async fn initialize(&mut self, revision: &str) -> Value {
        let params = json!({
            "protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "pipe", "version": "1"},
        });
        let answer = self.request("initialize", params).await;
        self.write(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string()).await;
        let tools = self.request("tools/list", json!({})).await;
        self.contract = Some(Contract::of(tools["result"]["tools"].as_array().unwrap()));
        answer["result"].clone()
    }

    /// Writes a line.
    pub(crate) async fn write(&mut self, line: &str) {
        self.write_piece(&format!("{line}\n")).await;
    }

    /// Writes a part of a line.
    pub(crate) async fn write_piece(&mut self, piece: &str) {
        let input = self.input.as_mut().expect("the input is open");
        in_time(input.write_all(piece.as_bytes())).await.unwrap();
        in_time(input.flush()).await.unwrap();
    }

    /// Reads a line, which must be JSON-RPC; `None` at the end.
    pub(crate) async fn read(&mut self) -> Option<Value> {
        let line = in_time(self.output.next_line()).await.unwrap()?;
        let message: Value = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("standard output carries no message: {line}"));
        let messages = message.as_array().map_or(std::slice::from_ref(&message), Vec::as_slice);
        assert!(messages.iter().all(|message| message["jsonrpc"] == "2.0"), "no JSON-RPC: {line}");
        Some(message)
    }

    /// Writes a request. Returns its id, without waiting for the answer.
    pub(crate) async fn send(&mut self, method: &str, params: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.write(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string())
            .await;
        id
    }

    /// Writes a request, and reads its answer.
    pub(crate) async fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params).await;
        let answer = self.read().await.expect("the server ended instead of answering");
        assert_eq!(answer["id"], id, "each answer has the id of its request: {answer}");
        answer
    }

    /// Calls a tool.
    pub(crate) async fn call(&mut self, tool: &str, arguments: Value) -> Answer {
        let answer = self.request("tools/call", json!({"name": tool, "arguments": arguments})).await;
        self.check(tool, &answer)
    }

    /// Checks the answer to a tool call.
    pub(crate) fn check(&self, tool: &str, answer: &Value) -> Answer {
        self.contract.as_ref().expect("initialize comes first").check(tool, &answer["result"])
    }

    /// Closes both, read or not.
    pub(crate) fn leave(self) -> Process {
        self.process
    }

    /// Ends the server's standard input.
    pub(crate) fn close(&mut self) {
        self.input = None;
    }
}
