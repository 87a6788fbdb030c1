//! The end of the program: calls in flight are answered first, and it ends well.

use nix::sys::signal::Signal;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::agent::Agent;
use crate::support::faults::{Fault, Faulty, answer, nobody};
use crate::support::http_server::{HttpServer, http};
use crate::support::in_time;
use crate::support::process::run;
use crate::support::session::Session;
use crate::support::setup::Setup;

/// Looks at a server that could have ended by then.
const LOOKS: usize = 200;

fn good() -> Fault {
    Fault::Bytes(answer("200 OK", br#"{"id":"cus_1"}"#))
}

#[tokio::test]
async fn a_signal_on_stdio_waits_for_the_answer() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut upstream = Faulty::with(Fault::Hang).await;
        let mut pipe = Setup::against(&upstream.base_url()).pipe();
        pipe.initialize("2025-11-25").await;
        let call =
            json!({"name": "manage_customers", "arguments": {"action": "get", "customer_id": "cus_1"}});
        let id = pipe.send("tools/call", call).await;
        upstream.has_got(1).await;
        pipe.process.signal(signal);
        pipe.process.logged("stopping: calls in flight are answered first").await;
        upstream.now(good());
        let answer = pipe.read().await.expect("the call is answered");
        assert_eq!(answer["id"], id);
        assert_eq!(pipe.check("manage_customers", &answer).good()["customer"]["id"], "cus_1");
        assert_eq!(pipe.read().await, None, "nothing follows");
        assert_eq!(pipe.process.ended().await.0.code(), Some(0), "{signal}");
    }
}

/// What `echo ... | fintecture-mcp` does: the question is there, and then the input ends.
#[tokio::test]
async fn the_end_of_standard_input_waits_for_the_answer() {
    let mut upstream = Faulty::with(Fault::Hang).await;
    let mut pipe = Setup::against(&upstream.base_url()).impatient().pipe();
    pipe.initialize("2025-11-25").await;
    let call = json!({"name": "manage_customers", "arguments": {"action": "get", "customer_id": "cus_1"}});
    pipe.send("tools/call", call).await;
    pipe.close();
    upstream.has_got(1).await;
    let answer = pipe.read().await.expect("the call is answered");
    assert_eq!(pipe.check("manage_customers", &answer).kind(), "upstream_unavailable");
    assert_eq!(pipe.read().await, None);
    assert_eq!(pipe.process.ended().await.0.code(), Some(0));
}

/// A write that hangs for longer than its timeout is still told the truth about.
#[tokio::test]
async fn a_write_that_times_out_while_stopping_is_told_of() {
    let mut upstream = Faulty::with(Fault::Hang).await;
    let mut pipe = Setup::against(&upstream.base_url()).impatient().pipe();
    pipe.initialize("2025-11-25").await;
    let start = json!({"name": "verify_identity", "arguments": {"action": "start", "customer_id": "cus_1"}});
    pipe.send("tools/call", start).await;
    upstream.has_got(1).await;
    pipe.process.signal(Signal::SIGTERM);
    let answer = pipe.read().await.expect("the call is answered");
    assert_eq!(pipe.check("verify_identity", &answer).kind(), "outcome_unknown");
    assert_eq!(pipe.process.ended().await.0.code(), Some(0));
}

#[tokio::test]
async fn with_nothing_to_do_it_ends_at_once() {
    let ended = run(&[], &[]).await;
    assert_eq!(ended.code, Some(0), "standard input was at its end: {}", ended.stderr);
    assert_eq!(ended.stdout, "");
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut process = Setup::simulator().start();
        process.logged("serving over stdio").await;
        process.signal(signal);
        assert_eq!(process.ended().await.0.code(), Some(0), "{signal} before the handshake");
        let server = Setup::simulator().http().await;
        server.process.signal(signal);
        assert_eq!(server.process.ended().await.0.code(), Some(0), "{signal} over HTTP");
    }
}

/// Stops the server while a call hangs until its timeout: the answer comes all the same.
async fn stopped_meanwhile(mut server: HttpServer, agent: Agent, mut upstream: Faulty, signal: Signal) {
    let start = json!({"action": "start", "customer_id": "cus_1"});
    let call = tokio::spawn(async move { agent.error("verify_identity", start).await });
    upstream.has_got(1).await;
    server.process.signal(signal);
    server.process.logged("stopping: calls in flight are answered first").await;
    assert_eq!(in_time(call).await.unwrap()["kind"], "outcome_unknown");
    assert_eq!(server.process.ended().await.0.code(), Some(0), "{signal}");
    assert_eq!(upstream.count(), 1, "the write was not sent again");
}

#[tokio::test]
async fn a_signal_over_http_waits_for_the_answer() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let upstream = Faulty::with(Fault::Hang).await;
        let server = Setup::against(&upstream.base_url()).impatient().http().await;
        let agent = server.agent().await;
        stopped_meanwhile(server, agent, upstream, signal).await;
    }
}

/// Whoever balances load is told first; nobody whose call was taken loses its answer, however many there are.
#[tokio::test]
async fn under_load_readiness_goes_first_and_every_call_is_answered() {
    const CALLS: usize = 20;
    let mut upstream = Faulty::with(Fault::Hang).await;
    let mut server = Setup::against(&upstream.base_url()).http().await;
    let ready = server.url("/health/ready");
    assert_eq!(http().get(&ready).send().await.unwrap().status(), 200);
    let agents = futures_util::future::join_all((0..CALLS).map(|_| server.agent())).await;
    let calls: Vec<_> = agents
        .into_iter()
        .map(|agent| {
            let get = json!({"action": "get", "customer_id": "cus_1"});
            tokio::spawn(async move { agent.good("manage_customers", get).await })
        })
        .collect();
    upstream.has_got(CALLS).await;
    server.process.signal(Signal::SIGTERM);
    server.process.logged("stopping: calls in flight are answered first").await;
    // Turned away or told so: ready it is no longer.
    let told = http().get(&ready).send().await.map(|answer| answer.status().as_u16());
    assert!(!told.as_ref().is_ok_and(|status| *status != 503), "{told:?}");
    upstream.now(good());
    for call in calls {
        assert_eq!(in_time(call).await.unwrap()["customer"]["id"], "cus_1");
    }
    assert_eq!(server.process.ended().await.0.code(), Some(0));
}

/// A call of a session goes on where its client leaves, and so the end waits for it: what became of it is on record.
#[tokio::test]
async fn the_end_waits_for_a_call_whose_client_has_left() {
    for meta in [json!({}), json!({"progressToken": 1})] {
        let mut upstream = Faulty::with(Fault::Hang).await;
        let mut server = Setup::against(&upstream.base_url()).http().await;
        let session = Session::open(server.url("/mcp")).await;
        let arguments = json!({"action": "get", "customer_id": "cus_1"});
        let params = json!({"name": "manage_customers", "arguments": arguments, "_meta": meta});
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        let left = session.begin(&call);
        upstream.has_got(1).await;
        left.abort();
        drop(left.await);
        let mut idle = in_time(TcpStream::connect(server.address())).await.unwrap();
        server.process.signal(Signal::SIGTERM);
        server.process.logged("stopping").await;
        // By then the server closes connections, and none is left but this one.
        in_time(idle.read_to_end(&mut Vec::new())).await.unwrap();
        let (_port, nobody) = nobody();
        for _ in 0..LOOKS {
            http().get(&nobody).send().await.unwrap_err();
            assert!(server.process.is_alive(), "{}", server.process.stderr());
        }
        upstream.now(good());
        let (status, log) = server.process.ended().await;
        assert!(status.success() && log.contains("outcome=\"success\""), "{meta}: {log}");
    }
}

/// Nobody waits for a body that never comes: whoever sends a signal kills after ten seconds.
#[tokio::test]
async fn a_body_that_does_not_come_is_given_up_at_the_end() {
    for path in ["/v1/tools/manage_customers", "/mcp"] {
        let mut server = Setup::simulator().http().await;
        let address = server.address().to_owned();
        let mut client = in_time(TcpStream::connect(&address)).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\naccept: application/json, text/event-stream\r\n\
             content-type: application/json\r\ncontent-length: 100\r\nexpect: 100-continue\r\n\r\n"
        );
        in_time(client.write_all(head.as_bytes())).await.unwrap();
        // The server says that it waits for the body.
        let mut said = [0; 25];
        in_time(client.read_exact(&mut said)).await.unwrap();
        assert_eq!(&said, b"HTTP/1.1 100 Continue\r\n\r\n");
        server.process.signal(Signal::SIGTERM);
        server.process.logged("stopping").await;
        let mut answer = String::new();
        in_time(client.read_to_string(&mut answer)).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("shutting down"), "{path}: {answer}");
        assert_eq!(server.process.ended().await.0.code(), Some(0));
    }
}

#[tokio::test]
async fn a_signal_over_legacy_sse_waits_for_the_answer() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let upstream = Faulty::with(Fault::Hang).await;
        let server = Setup::against(&upstream.base_url()).impatient().http().await;
        let agent = server.agent_over_legacy_sse().await;
        stopped_meanwhile(server, agent, upstream, signal).await;
    }
}
