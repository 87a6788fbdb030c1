//! The wire under lines of text.

mod full;

use std::time::Duration;

use futures_util::FutureExt;
use serde_json::{Value, json};
use tokio::{
    io::{
        AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf,
        duplex, split,
    },
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::{call, cancel, dummy::Dummy, initialize, initialized, modern, sorted_ids};
use crate::transports::{
    TransportError,
    limits::{CALLS_HELD_BACK, CALLS_IN_FLIGHT, GRACE, MESSAGE_BYTES},
    short_lines::ShortLines,
    stdio::serve_lines,
};

/// A moment before the grace period is over.
const ALMOST_OVER: Duration = Duration::from_secs(59);

struct Client {
    write: WriteHalf<DuplexStream>,
    lines: Lines<BufReader<ReadHalf<DuplexStream>>>,
    server: Dummy,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), TransportError>>,
}

impl Client {
    fn start() -> Self {
        let (ours, theirs) = duplex(64 * 1024);
        let (server, shutdown) = (Dummy::new(), CancellationToken::new());
        let (read, write) = split(theirs);
        let task = tokio::spawn(serve_lines(
            (server.clone(), ShortLines::default()),
            read,
            write,
            shutdown.clone(),
            GRACE,
        ));
        let (read, write) = split(ours);
        Self { write, lines: BufReader::new(read).lines(), server, shutdown, task }
    }

    async fn open(revision: &str) -> Self {
        let mut client = Self::start();
        client.send(&initialize(revision)).await;
        assert_eq!(client.receive().await["result"]["protocolVersion"], revision);
        client.send(&initialized()).await;
        client
    }

    async fn send(&mut self, message: &Value) {
        self.send_text(&message.to_string()).await;
    }

    async fn send_text(&mut self, text: &str) {
        self.write.write_all(format!("{text}\n").as_bytes()).await.unwrap();
    }

    async fn receive(&mut self) -> Value {
        serde_json::from_str(&self.lines.next_line().await.unwrap().unwrap()).unwrap()
    }

    /// Closes stdin.
    async fn close(&mut self) {
        self.write.shutdown().await.unwrap();
    }

    async fn ends(self) {
        self.task.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn every_revision_with_a_handshake() {
    for revision in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut client = Client::open(revision).await;
        client.send(&call(1, "echo")).await;
        assert_eq!(client.receive().await["id"], 1);
        client.close().await;
        client.ends().await;
    }
}

#[tokio::test]
async fn discover_leaves_the_lifecycle_open() {
    let mut client = Client::start();
    client.send(&modern(1, "server/discover")).await;
    assert!(client.receive().await["result"]["supportedVersions"].is_array());
    // Between the probe and the choice, a notification must not end the session.
    client.send(&initialized()).await;
    client.send(&initialize("2025-06-18")).await;
    assert_eq!(client.receive().await["result"]["protocolVersion"], "2025-06-18");
}

#[tokio::test]
async fn the_modern_lifecycle_needs_no_handshake() {
    let mut client = Client::start();
    client.send(&modern(1, "server/discover")).await;
    client.receive().await;
    client.send(&modern(2, "tools/list")).await;
    assert_eq!(client.receive().await["result"]["tools"][0]["name"], "echo");
    client.close().await;
    client.ends().await;
}

#[tokio::test]
async fn bad_lines_are_answered_and_survived() {
    let mut client = Client::start();
    for (line, code) in [("{", -32700), ("hello", -32700), ("17", -32600), ("[]", -32600)] {
        client.send_text(line).await;
        let answer = client.receive().await;
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(code), &Value::Null), "{line}");
    }
    client.write.write_all(b"{\"method\":\"\xff\"}\n\n  \r\n").await.unwrap();
    assert_eq!(client.receive().await["error"]["code"], -32700);
    client.send_text(r#"{"id":5,"method":"ping"}"#).await;
    let answer = client.receive().await;
    assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32600), &json!(5)));
    client.send(&initialize("2025-11-25")).await;
    assert_eq!(client.receive().await["id"], "init");
}

#[tokio::test]
async fn what_comes_before_the_first_request_is_dropped() {
    let mut client = Client::start();
    client.send(&initialized()).await;
    client.send(&cancel(1)).await;
    client.send(&json!({"jsonrpc": "2.0", "id": 1, "result": {}})).await;
    // A request that opens nothing.
    client.send(&json!({"jsonrpc": "2.0", "id": 2, "method": "ping"})).await;
    assert_eq!(client.receive().await["id"], 2);
    client.send(&initialized()).await;
    client.send(&initialize("2025-11-25")).await;
    assert_eq!(client.receive().await["id"], "init");
}

#[tokio::test]
async fn a_line_that_is_too_long_is_refused_and_skipped() {
    let mut client = Client::open("2025-11-25").await;
    let long = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{}"}}"#, "x".repeat(3 * MESSAGE_BYTES));
    client.send_text(&long).await;
    let answer = client.receive().await;
    assert_eq!(answer["error"]["code"], -32600);
    assert_eq!(answer["error"]["message"], "request larger than 1 MiB");
    client.send(&call(2, "echo")).await;
    assert_eq!(client.receive().await["id"], 2);
}

#[tokio::test]
async fn a_batch_is_answered_as_one() {
    let mut client = Client::open("2025-03-26").await;
    let duplicate = call(1, "echo");
    client
        .send(&json!([
            call(1, "slow"),
            initialized(),
            call("two", "echo"),
            17,
            initialize("2025-03-26"),
            duplicate
        ]))
        .await;
    client.server.started().await;
    // The batch waits for its slow member; a call beside it does not.
    client.send(&call(3, "echo")).await;
    assert_eq!(client.receive().await["id"], 3);
    client.server.release(1);
    let answers = client.receive().await;
    assert_eq!(sorted_ids(&answers), ["\"init\"", "\"two\"", "1", "null", "null"]);

    // Nothing to answer: the next line is that of the call.
    client.send(&json!([initialized(), cancel(99)])).await;
    client.send(&call(1, "echo")).await;
    assert_eq!(client.receive().await["id"], 1);
}

#[tokio::test]
async fn a_cancelled_member_does_not_hold_its_batch() {
    let mut client = Client::open("2025-03-26").await;
    client.send(&json!([call(1, "slow"), call(2, "echo")])).await;
    client.server.started().await;
    client.send(&cancel(1)).await;
    assert_eq!(sorted_ids(&client.receive().await), ["2"]);
    client.server.cancelled().await;
}

/// Before its request it means nothing, and afterwards the request would lack its batch.
#[tokio::test]
async fn a_cancellation_before_its_request_cancels_nothing() {
    let mut client = Client::open("2025-03-26").await;
    client.send(&json!([cancel(1), call(1, "echo"), call(2, "echo")])).await;
    assert_eq!(sorted_ids(&client.receive().await), ["1", "2"]);
}

/// The answer is due with those of its batch: no other request may have that id before.
#[tokio::test]
async fn a_cancellation_after_the_answer_of_a_member_is_too_late() {
    let mut client = Client::open("2025-03-26").await;
    client.send(&json!([call(1, "write"), call(2, "write")])).await;
    client.server.started().await;
    client.server.started().await;
    client.server.release(1);
    client.send(&call(3, "echo")).await;
    assert_eq!(client.receive().await["id"], 3);
    for id in [1, 2] {
        client.send(&cancel(id)).await;
    }
    // One of the two is answered: as soon as the other is cancelled, the batch goes out.
    let answers = client.receive().await;
    let answered = answers[0]["id"].as_u64().unwrap();
    assert_eq!(answers.as_array().unwrap().len(), 1);
    client.send(&call(answered, "echo")).await;
    assert_eq!(client.receive().await["id"], answered);
    client.send(&call(3 - answered, "echo")).await;
    assert_eq!(client.receive().await["error"]["code"], -32600, "its write goes on");
}

#[tokio::test]
async fn batches_exist_at_one_revision_only() {
    for revision in ["2024-11-05", "2025-06-18", "2025-11-25"] {
        let mut client = Client::open(revision).await;
        client.send(&json!([call(1, "echo")])).await;
        let answer = client.receive().await;
        assert_eq!(answer["error"]["code"], -32600, "{revision}");
        assert_eq!(answer["error"]["message"], "batches exist at 2025-03-26 only");
    }
    let mut client = Client::start();
    client.send(&json!([initialize("2025-03-26")])).await;
    assert_eq!(client.receive().await["error"]["code"], -32600);
}

#[tokio::test]
async fn an_id_in_flight_is_not_taken_twice() {
    let mut client = Client::open("2025-11-25").await;
    client.send(&call(1, "slow")).await;
    client.server.started().await;
    client.send(&call(1, "echo")).await;
    let answer = client.receive().await;
    assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32600), &Value::Null));
    client.server.release(1);
    assert_eq!(client.receive().await["id"], 1);
    client.send(&call(1, "echo")).await;
    assert_eq!(client.receive().await["id"], 1);
}

/// The paused clock runs ahead as soon as all wait: a drain that gave up early would lose the answers.
#[tokio::test(start_paused = true)]
async fn calls_in_flight_are_answered_after_the_input_ended() {
    let mut client = Client::open("2025-11-25").await;
    client.send(&call(1, "slow")).await;
    client.send(&call(2, "slow")).await;
    client.close().await;
    client.server.started().await;
    client.server.started().await;
    tokio::time::sleep(ALMOST_OVER).await;
    client.server.release(2);
    let ids = [client.receive().await["id"].as_i64(), client.receive().await["id"].as_i64()];
    assert!(ids.contains(&Some(1)) && ids.contains(&Some(2)));
    assert_eq!(client.lines.next_line().await.unwrap(), None);
    client.ends().await;
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_input_is_told_to_those_who_wait() {
    let mut client = Client::open("2025-11-25").await;
    client.send(&call(1, "slow")).await;
    client.server.started().await;
    assert!(!client.shutdown.is_cancelled());
    client.close().await;
    client.shutdown.cancelled().await;
    client.server.release(1);
    assert_eq!(client.receive().await["id"], 1, "what was in flight is answered all the same");
    client.ends().await;
}

#[tokio::test(start_paused = true)]
async fn calls_in_flight_are_answered_after_a_shutdown() {
    let mut client = Client::open("2025-11-25").await;
    client.send(&call(1, "slow")).await;
    client.server.started().await;
    client.shutdown.cancel();
    tokio::time::sleep(ALMOST_OVER).await;
    client.server.release(1);
    assert_eq!(client.receive().await["id"], 1);
    client.ends().await;
}

#[tokio::test(start_paused = true)]
async fn the_grace_period_bounds_calls_that_never_answer() {
    let mut client = Client::open("2025-11-25").await;
    client.send(&call(1, "panic")).await;
    client.send(&call(2, "slow")).await;
    client.server.started().await;
    client.close().await;
    // Cancelled at the end of the grace period, so that nothing is left behind.
    client.server.cancelled().await;
    client.ends().await;
}

#[tokio::test(start_paused = true)]
async fn a_subscription_does_not_hold_up_the_end() {
    let mut client = Client::start();
    client.send(&modern(1, "subscriptions/listen")).await;
    assert_eq!(client.receive().await["method"], "notifications/subscriptions/acknowledged");
    let before = tokio::time::Instant::now();
    client.close().await;
    assert_eq!(client.receive().await["id"], 1);
    client.ends().await;
    assert!(before.elapsed() < GRACE);
}

#[tokio::test]
async fn a_cancelled_subscription_ends_without_an_answer_and_its_id_is_free() {
    let mut client = Client::start();
    client.send(&modern(1, "subscriptions/listen")).await;
    assert_eq!(client.receive().await["method"], "notifications/subscriptions/acknowledged");
    client.send(&cancel(1)).await;
    let answer = loop {
        client.send(&modern(1, "tools/list")).await;
        let answer = client.receive().await;
        if answer["error"]["code"] != -32600 {
            break answer;
        }
    };
    assert!(answer["result"]["tools"].is_array(), "{answer}");
    client.close().await;
    assert_eq!(client.lines.next_line().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_call_is_not_waited_for() {
    for tool in ["slow", "write"] {
        let mut client = Client::open("2025-11-25").await;
        client.send(&call(1, tool)).await;
        client.server.started().await;
        client.send(&cancel(1)).await;
        client.close().await;
        let before = tokio::time::Instant::now();
        assert_eq!(client.lines.next_line().await.unwrap(), None);
        client.ends().await;
        assert!(before.elapsed() < GRACE);
    }
}

#[tokio::test]
async fn a_shutdown_before_the_first_message_ends_at_once() {
    let client = Client::start();
    client.shutdown.cancel();
    client.ends().await;
}

#[tokio::test]
async fn a_client_that_closed_its_end_ends_the_session() {
    let mut client = Client::open("2025-11-25").await;
    client.send(&call(1, "slow")).await;
    client.server.started().await;
    let Client { write, lines, server, task, .. } = client;
    drop((write, lines));
    server.release(1);
    task.await.unwrap().unwrap();
}

/// Only stdout is closed: stdin stays open, and the end must come from the failed write.
#[tokio::test]
async fn a_closed_stdout_ends_the_session() {
    let (stdin, read) = duplex(1024);
    let (write, mut stdout) = duplex(1024);
    let task = tokio::spawn(serve_lines(
        (Dummy::new(), ShortLines::default()),
        read,
        write,
        CancellationToken::new(),
        GRACE,
    ));
    let mut stdin = stdin;
    stdin.write_all(format!("{}\n", initialize("2025-11-25")).as_bytes()).await.unwrap();
    stdout.read_u8().await.unwrap();
    drop(stdout);
    stdin.write_all(format!("{}\n", call(1, "echo")).as_bytes()).await.unwrap();
    task.await.unwrap().unwrap();
}
