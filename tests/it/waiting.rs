//! Calls that wait for a verdict, on each way in: what ends them, and what they leave behind.

use std::sync::Arc;
use std::time::Duration;

use fintecture_mcp::calls::Caller;
use futures_util::future::join_all;
use nix::sys::signal::Signal;
use rmcp::model::{CallToolRequest, CallToolRequestParams, ClientRequest};
use rmcp::service::{PeerRequestOptions, RequestHandle, RoleClient};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::agent::Agent;
use crate::support::bank::Bank;
use crate::support::http_server::http;
use crate::support::in_time;
use crate::support::legacy_sse;
use crate::support::local::Local;
use crate::support::process::Process;
use crate::support::setup::Setup;
use crate::support::wire::{OLDER, stateless_request};

const TOOL: &str = "verify_identity";

fn get(id: &str, wait_seconds: u32) -> Value {
    json!({"action": "get", "customer_id": "cus_1", "verification_id": id, "wait_seconds": wait_seconds})
}

fn start(wait_seconds: u32) -> Value {
    json!({"action": "start", "customer_id": "cus_1", "wait_seconds": wait_seconds})
}

fn hint(body: &Value) -> &str {
    body["hint"].as_str().unwrap()
}

#[tokio::test]
async fn a_verdict_ends_the_wait_of_a_get() {
    let bank = Bank::undecided().await;
    let agent = Setup::against(&bank.base_url()).agent().await;
    let decide = async {
        bank.is_asked("ver_1", 2).await;
        bank.decides();
    };
    let (body, ()) = tokio::join!(agent.good(TOOL, get("ver_1", 40)), decide);
    let expected = json!({"action": "get", "environment": "sandbox",
        "verification": {"id": "ver_1", "status": "verified"}});
    assert_eq!(body, expected);
    let line = agent.process.unwrap().logged("tool call").await;
    assert!(line.contains("wait=\"decided\"") && line.contains("looks="), "{line}");
}

#[tokio::test]
async fn a_start_waits_for_what_it_started_and_so_does_its_repeat() {
    let bank = Bank::undecided().await;
    let agent = Setup::against(&bank.base_url()).agent().await;
    let body = agent.good(TOOL, start(1)).await;
    assert_eq!(body["verification"]["status"], "pending");
    assert!(
        hint(&body).contains("wait_seconds") && hint(&body).ends_with("The time to wait is up."),
        "{body}"
    );
    let decide = async {
        bank.is_asked_again("ver_1").await;
        bank.decides();
    };
    let (body, ()) = tokio::join!(agent.good(TOOL, start(40)), decide);
    assert_eq!((&body["verification"]["status"], &body["repeated"]), (&json!("verified"), &json!(true)));
    assert_eq!(body["action"], "start");
}

#[tokio::test]
async fn a_status_that_nobody_knows_ends_the_wait_too() {
    let bank = Bank::undecided().await;
    let agent = Setup::against(&bank.base_url()).agent().await;
    let odd = json!({"id": "ver_1", "status": "escalated"});
    let answer = async {
        bank.is_asked("ver_1", 1).await;
        bank.answers(ResponseTemplate::new(200).set_body_json(&odd));
    };
    let (body, ()) = tokio::join!(agent.good(TOOL, get("ver_1", 40)), answer);
    assert_eq!(body["verification"], odd);
}

#[tokio::test]
async fn failing_looks_are_survived() {
    let bank = Bank::undecided().await;
    let agent = Setup::against(&bank.base_url()).agent().await;
    let fail = async {
        bank.is_asked("ver_1", 1).await;
        let half = ResponseTemplate::new(200).set_body_string("{\"id\": \"ver_1\", \"sta");
        let busy = ResponseTemplate::new(429).insert_header("retry-after", "1");
        for (failure, attempts) in [
            (ResponseTemplate::new(401), 1),
            (ResponseTemplate::new(500), 3),
            (half, 3),
            (busy, 3),
            (ResponseTemplate::new(404), 1),
        ] {
            bank.answers(failure);
            let before = bank.count("ver_1");
            bank.is_asked("ver_1", before + attempts).await;
        }
        bank.decides();
    };
    let (body, ()) = tokio::join!(agent.good(TOOL, get("ver_1", 45)), fail);
    assert_eq!(body["verification"]["status"], "verified");
}

#[tokio::test]
async fn when_time_is_up_a_failed_last_look_is_told_of() {
    let bank = Bank::undecided().await;
    let agent = Setup::against(&bank.base_url()).agent().await;
    let fail = async {
        bank.is_asked("ver_1", 1).await;
        bank.answers(ResponseTemplate::new(403));
    };
    let (body, ()) = tokio::join!(agent.good(TOOL, get("ver_1", 2)), fail);
    assert_eq!(body["verification"]["status"], "pending", "as last seen");
    assert!(hint(&body).contains("The last look failed (forbidden)"), "{body}");
}

#[tokio::test]
async fn progress_grows_while_the_client_waits() {
    let bank = Bank::undecided().await;
    let mut pipe = Setup::against(&bank.base_url()).pipe();
    pipe.initialize("2025-11-25").await;
    let params = json!({"name": TOOL, "arguments": get("ver_1", 300), "_meta": {"progressToken": "p"}});
    let id = pipe.send("tools/call", params).await;
    let mut told = Vec::new();
    let answer = loop {
        let message = pipe.read().await.unwrap();
        if message["id"] == id {
            break message;
        }
        assert_eq!(message["method"], "notifications/progress");
        assert_eq!(message["params"]["progressToken"], "p");
        assert_eq!(message["params"]["total"], 300.0);
        assert!(message["params"]["message"].as_str().unwrap().contains("still pending"));
        told.push(message["params"]["progress"].as_f64().unwrap());
        if told.len() == 2 {
            bank.decides();
        }
    };
    assert!(told.len() >= 2 && told.windows(2).all(|pair| pair[0] < pair[1]), "{told:?}");
    assert_eq!(pipe.check(TOOL, &answer).good()["verification"]["status"], "verified");
}

/// After the log has said that the wait was cancelled: another wait goes through its looks, and the one that was
/// cancelled is not looked at meanwhile.
async fn has_stopped(process: &mut Process, bank: &Bank, agent: &Agent) {
    process.logged("wait=\"cancelled\"").await;
    let looks = bank.count("ver_1");
    agent.good(TOOL, get("ver_2", 3)).await;
    assert!(bank.count("ver_2") > 2);
    assert_eq!(bank.count("ver_1"), looks, "nobody looks any more");
}

async fn waiting_call(agent: &Agent, bank: &Bank) -> RequestHandle<RoleClient> {
    let Value::Object(arguments) = get("ver_1", 300) else { unreachable!() };
    let request = CallToolRequest::new(CallToolRequestParams::new(TOOL).with_arguments(arguments));
    let request = ClientRequest::CallToolRequest(request);
    let call = agent.client.send_cancellable_request(request, PeerRequestOptions::no_options());
    let call = in_time(call).await.unwrap();
    bank.is_asked("ver_1", 2).await;
    call
}

#[tokio::test]
async fn a_client_that_cancels_ends_the_wait_on_each_way_in() {
    let bank = Bank::undecided().await;
    let mut agent = Setup::against(&bank.base_url()).agent().await;
    let call = waiting_call(&agent, &bank).await;
    call.cancel(None).await.unwrap();
    let mut process = agent.process.take().unwrap();
    has_stopped(&mut process, &bank, &agent).await;

    for over_sse in [false, true] {
        let bank = Bank::undecided().await;
        let mut server = Setup::against(&bank.base_url()).http().await;
        let agent = if over_sse { server.agent_over_legacy_sse().await } else { server.agent().await };
        let call = waiting_call(&agent, &bank).await;
        call.cancel(None).await.unwrap();
        has_stopped(&mut server.process, &bank, &agent).await;
    }
}

#[tokio::test]
async fn a_closed_stream_of_legacy_sse_ends_the_wait() {
    let bank = Bank::undecided().await;
    let mut server = Setup::against(&bank.base_url()).http().await;
    let (mut events, messages) = legacy_sse::open(&server.url("/sse")).await;
    let initialize = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "sse", "version": "1"}}});
    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": TOOL, "arguments": get("ver_1", 300)}});
    for message in [initialize, initialized, call] {
        in_time(http().post(messages.clone()).json(&message).send()).await.unwrap();
        if message["id"] == 0 {
            in_time(events.next()).await.unwrap();
        }
    }
    bank.is_asked("ver_1", 2).await;
    drop(events);
    let agent = server.agent().await;
    has_stopped(&mut server.process, &bank, &agent).await;
}

#[tokio::test]
async fn a_disconnect_ends_the_wait_where_there_are_no_sessions() {
    let bank = Bank::undecided().await;
    let mut server = Setup::against(&bank.base_url()).http().await;
    let call = json!({"name": TOOL, "arguments": get("ver_1", 300)});
    let post = stateless_request(&server, "tools/call", call).send();
    let waiting = tokio::spawn(async move { post.await.unwrap().bytes().await.unwrap() });
    bank.is_asked("ver_1", 2).await;
    waiting.abort();
    let agent = server.agent().await;
    has_stopped(&mut server.process, &bank, &agent).await;
}

#[tokio::test]
async fn a_disconnect_is_no_cancel_where_there_is_a_session() {
    let bank = Bank::undecided().await;
    let mut server = Setup::against(&bank.base_url()).http().await;
    let post = |session: Option<String>, message: &Value| {
        let mut request = http()
            .post(server.url("/mcp"))
            .header("accept", "application/json, text/event-stream")
            .json(message);
        if let Some(session) = session {
            request = request.header("mcp-session-id", session).header("mcp-protocol-version", OLDER[3]);
        }
        request.send()
    };
    let initialize = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": OLDER[3], "capabilities": {}, "clientInfo": {"name": "http", "version": "1"}}});
    let opened = in_time(post(None, &initialize)).await.unwrap();
    let session = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    in_time(post(Some(session.clone()), &initialized)).await.unwrap();
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": TOOL, "arguments": get("ver_1", 45)}});
    let waiting = post(Some(session), &call);
    let waiting = tokio::spawn(async move { waiting.await.unwrap().bytes().await.unwrap() });
    bank.is_asked("ver_1", 2).await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    bank.is_asked_again("ver_1").await;
    bank.decides();
    server.process.logged("wait=\"decided\"").await;
}

fn is_pending_and_says_how_to_go_on(body: &Value) {
    assert_eq!(body["verification"], json!({"id": "ver_1", "status": "pending"}));
    assert!(
        hint(body).contains("call verify_identity get") && hint(body).contains("the server is stopping"),
        "{body}"
    );
}

#[tokio::test]
async fn the_end_of_standard_input_and_signals_give_the_pending_verification_on_stdio() {
    for signal in [None, Some(Signal::SIGTERM), Some(Signal::SIGINT)] {
        let bank = Bank::undecided().await;
        let mut pipe = Setup::against(&bank.base_url()).pipe();
        pipe.initialize("2025-11-25").await;
        pipe.send("tools/call", json!({"name": TOOL, "arguments": get("ver_1", 45)})).await;
        bank.is_asked("ver_1", 2).await;
        match signal {
            Some(signal) => pipe.process.signal(signal),
            None => pipe.close(),
        }
        let answer = pipe.read().await.expect("the call is answered");
        is_pending_and_says_how_to_go_on(&pipe.check(TOOL, &answer).good());
        assert_eq!(pipe.read().await, None);
        assert_eq!(pipe.process.ended().await.0.code(), Some(0), "{signal:?}");
    }
}

#[tokio::test]
async fn a_signal_gives_the_pending_verification_over_http() {
    for over_sse in [false, true] {
        let bank = Bank::undecided().await;
        let server = Setup::against(&bank.base_url()).http().await;
        let agent = if over_sse { server.agent_over_legacy_sse().await } else { server.agent().await };
        let call = tokio::spawn(async move { agent.good(TOOL, get("ver_1", 45)).await });
        bank.is_asked("ver_1", 2).await;
        server.process.signal(Signal::SIGTERM);
        is_pending_and_says_how_to_go_on(&in_time(call).await.unwrap());
        assert_eq!(server.process.ended().await.0.code(), Some(0));
    }
}

/// Looks at one verification within a wait of three seconds: the first, and those of its poller.
const LOOKS_IN_3_S: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_waits_on_a_hundred_verifications_look_as_one_each() {
    let bank = Arc::new(Bank::undecided().await);
    let local = Local::with_token(&bank.base_url(), Duration::from_secs(10));
    let ids: Vec<String> = (0..100).map(|n| format!("ver_{n}")).collect();
    let waits: Vec<Value> = (0..1000).map(|n| get(&ids[n % 100], 3)).collect();
    let calls = waits.iter().map(|arguments| local.call(TOOL, arguments));
    for answer in in_time(join_all(calls)).await {
        assert_eq!(answer.good()["verification"]["status"], "pending");
    }
    for id in &ids {
        assert!((2..=LOOKS_IN_3_S).contains(&bank.count(id)), "{id}: {}", bank.count(id));
    }

    let caller = Caller::local();
    let before: Vec<usize> = ids.iter().map(|id| bank.count(id)).collect();
    let waits: Vec<Value> = (0..1000).map(|n| get(&ids[n % 100], 300)).collect();
    let calls = waits.iter().map(|arguments| local.call_as(&caller, TOOL, arguments));
    let cancel = async {
        for (id, before) in ids.iter().zip(before) {
            bank.is_asked(id, before + 2).await;
        }
        caller.cancelled.cancel();
    };
    in_time(async { tokio::join!(join_all(calls), cancel) }).await;
    let count = || ids.iter().map(|id| bank.count(id)).sum::<usize>();
    let looks = count();
    local.call(TOOL, &get("ver_other", 3)).await.good();
    assert!(bank.count("ver_other") > 2);
    assert_eq!(count(), looks, "nobody looks any more");
}
