//! Plain calls of sessions, which have a short way through the server: what may happen while one is under way.

use std::collections::HashSet;
use std::time::Duration;

use fintecture_mcp::calls::CallsConfig;
use fintecture_mcp::transports::HttpLimits;
use nix::sys::signal::Signal;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::support::faults::{Fault, Faulty, answer};
use crate::support::http_server::HttpServer;
use crate::support::in_time;
use crate::support::inside::Inside;
use crate::support::process::Process;
use crate::support::session::{REVISION, Session, cancel};
use crate::support::setup::Setup;
use crate::support::upstream::Upstream;
use crate::support::wire::Wire;

fn good() -> Fault {
    Fault::Bytes(answer("200 OK", br#"{"id": "cus_1"}"#))
}

fn get(id: impl Into<Value>, meta: &Value) -> Value {
    let arguments = json!({"action": "get", "customer_id": "cus_1"});
    let params = json!({"name": "manage_customers", "arguments": arguments, "_meta": meta});
    json!({"jsonrpc": "2.0", "id": id.into(), "method": "tools/call", "params": params})
}

async fn hanging() -> (Faulty, HttpServer, Session) {
    let upstream = Faulty::with(Fault::Hang).await;
    let server = Setup::against(&upstream.base_url()).http().await;
    let session = Session::open(server.url("/mcp")).await;
    (upstream, server, session)
}

async fn message(answer: JoinHandle<Response>) -> Value {
    in_time(answer).await.unwrap().json().await.unwrap()
}

async fn says_nothing(answer: JoinHandle<Response>) {
    let answer = in_time(answer).await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (200, &"text/event-stream".parse().unwrap())
    );
    assert_eq!(
        in_time(answer.text()).await.unwrap(),
        "",
        "a client takes no stream up again that has no event"
    );
}

#[tokio::test]
async fn an_answer_of_a_session_is_one_body() {
    let upstream = Upstream::saying(json!({"id": "cus_1"})).await;
    let server = Setup::against(&upstream.base_url()).http().await;
    let session = Session::open(server.url("/mcp")).await;
    let answer = session.post(&get("a", &json!({}))).await;
    assert_eq!(answer.headers()["content-type"], "application/json");
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["result"]["structuredContent"]["customer"]["id"], "cus_1");
}

#[tokio::test]
async fn a_cancelled_call_gives_up_and_its_id_is_free() {
    let (mut upstream, mut server, session) = hanging().await;
    let call = session.begin(&get(1, &json!({})));
    upstream.has_got(1).await;
    let other = session.begin(&get(2, &json!({})));
    upstream.has_got(2).await;
    assert_eq!(session.post(&cancel(1)).await.status(), 202);
    says_nothing(call).await;
    server.process.logged("outcome=\"cancelled\"").await;
    upstream.now(good());
    assert_eq!(message(other).await["result"]["isError"], false);
    assert_eq!(message(session.begin(&get(1, &json!({})))).await["result"]["isError"], false);
}

#[tokio::test]
async fn an_id_in_flight_is_not_taken_twice_by_whichever_way() {
    let (mut upstream, _server, session) = hanging().await;
    let call = session.begin(&get(1, &json!({})));
    upstream.has_got(1).await;
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    for again in [get(1, &json!({})), get(1, &json!({"progressToken": 1})), ping] {
        let refused = session.post(&again).await;
        assert_eq!(refused.status(), 400);
        let refused: Value = refused.json().await.unwrap();
        assert_eq!(refused["error"]["message"], "the request's id belongs to a call in flight");
    }
    // A request of the revision without sessions has none, whatever it says.
    let foreign = session.request(Method::POST).header("mcp-protocol-version", "2026-07-28");
    in_time(foreign.json(&cancel(1)).send()).await.unwrap();
    upstream.now(good());
    assert_eq!(message(call).await["result"]["isError"], false);
    assert_eq!(upstream.count(), 1);
}

#[tokio::test]
async fn the_end_of_its_session_cancels_a_call() {
    let (mut upstream, mut server, session) = hanging().await;
    let call = session.begin(&get(1, &json!({})));
    upstream.has_got(1).await;
    let ended = in_time(session.request(Method::DELETE).send()).await.unwrap();
    assert!(ended.status().is_success());
    says_nothing(call).await;
    server.process.logged("outcome=\"cancelled\"").await;
    assert_eq!(session.post(&get(2, &json!({}))).await.status(), 404);

    // By age, too.
    let inside = Inside::before(&upstream.base_url(), CallsConfig::default());
    let limits = HttpLimits { session_life: Duration::from_secs(1), ..HttpLimits::default() };
    let listening = inside.listening_within(true, limits).await;
    let session = Session::open(listening.url.clone()).await;
    says_nothing(session.begin(&get(1, &json!({})))).await;
    assert_eq!(session.post(&get(2, &json!({}))).await.status(), 404);
}

/// As the revisions with sessions have it.
#[tokio::test]
async fn who_leaves_a_call_of_a_session_has_not_cancelled_it() {
    let (mut upstream, mut server, session) = hanging().await;
    let call = session.begin(&get(1, &json!({})));
    upstream.has_got(1).await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    // While it runs, its id is taken.
    assert_eq!(session.post(&get(1, &json!({}))).await.status(), 400);
    upstream.now(good());
    server.process.logged("outcome=\"success\"").await;
}

#[tokio::test]
async fn the_end_of_the_server_waits_for_a_call_of_a_session() {
    let (mut upstream, mut server, session) = hanging().await;
    let call = session.begin(&get(1, &json!({})));
    upstream.has_got(1).await;
    server.process.signal(Signal::SIGTERM);
    server.process.logged("stopping").await;
    upstream.now(good());
    assert_eq!(message(call).await["result"]["isError"], false);
    assert!(in_time(server.process.ended()).await.0.success());
}

/// The connections that answer line by line, each with what keeps its server alive.
async fn wires(upstream: &Faulty) -> [(Wire, Option<HttpServer>); 2] {
    let setup = Setup::against(&upstream.base_url());
    let server = setup.http().await;
    let legacy_sse = Wire::legacy_sse(&server).await;
    let mut both = [(Wire::Stdio(Box::new(setup.pipe())), None), (legacy_sse, Some(server))];
    for (wire, _) in &mut both {
        wire.initialize(REVISION).await;
    }
    both
}

fn process<'a>(wire: &'a mut Wire, server: &'a mut Option<HttpServer>) -> &'a mut Process {
    match (wire, server) {
        (_, Some(server)) => &mut server.process,
        (Wire::Stdio(pipe), None) => &mut pipe.process,
        _ => panic!("nobody's process"),
    }
}

#[tokio::test]
async fn a_cancelled_call_of_a_connection_is_not_answered_and_its_id_is_free() {
    for which in 0..2 {
        let mut upstream = Faulty::with(Fault::Hang).await;
        let [stdio, legacy_sse] = wires(&upstream).await;
        let (mut wire, mut server) = if which == 0 { stdio } else { legacy_sse };
        wire.send(&get(1, &json!({})), 0).await;
        upstream.has_got(1).await;
        for again in [get(1, &json!({})), get(1, &json!({"progressToken": 1}))] {
            let refused = wire.send(&again, 1).await.remove(0);
            assert_eq!(refused["error"]["message"], "the request's id belongs to a call in flight");
        }
        wire.send(&cancel(1), 0).await;
        process(&mut wire, &mut server).logged("outcome=\"cancelled\"").await;
        wire.request("ping", json!({})).await;
        upstream.now(good());
        let again = wire.send(&get(1, &json!({})), 1).await.remove(0);
        assert_eq!((&again["id"], &again["result"]["isError"]), (&json!(1), &json!(false)));
        wire.request("ping", json!({})).await;
        assert_eq!(upstream.count(), 2);
    }
}

#[tokio::test]
async fn a_closed_stream_of_legacy_sse_cancels_a_call() {
    let mut upstream = Faulty::with(Fault::Hang).await;
    let [_, (mut wire, mut server)] = wires(&upstream).await;
    wire.send(&get(1, &json!({})), 0).await;
    upstream.has_got(1).await;
    drop(wire);
    server.as_mut().unwrap().process.logged("outcome=\"cancelled\"").await;
}

/// More than are served at once: the others wait, and a message that is no call passes them.
#[tokio::test]
async fn each_of_many_calls_of_a_connection_is_answered_once() {
    const CALLS: usize = 300;
    const AT_ONCE: usize = 128;
    for which in 0..2 {
        let mut upstream = Faulty::with(Fault::Hang).await;
        let [stdio, legacy_sse] = wires(&upstream).await;
        let (mut wire, _server) = if which == 0 { stdio } else { legacy_sse };
        for number in 0..AT_ONCE + 10 {
            wire.send(&get(number, &json!({})), 0).await;
        }
        upstream.has_got(AT_ONCE).await;
        // One that is held back is cancelled, and never begun.
        wire.send(&cancel(130), 0).await;
        upstream.now(good());
        let answers = wire.send(&get(1_000, &json!({})), AT_ONCE + 10).await;
        let mut ids: HashSet<String> = answers.iter().map(|answer| answer["id"].to_string()).collect();
        assert!(ids.len() == answers.len() && !ids.contains("130"));
        for number in AT_ONCE + 10..CALLS {
            let got = wire.send(&get(number, &json!({})), 1).await;
            assert!(ids.insert(got[0]["id"].to_string()));
        }
        assert_eq!((upstream.count(), ids.len()), (CALLS, CALLS));
    }
}

/// `_meta` counts before headers; log and trail have a line of each call.
#[tokio::test]
async fn calls_of_sessions_stand_in_their_callers_trace_and_are_on_record() {
    let trace = |id: char| format!("00-{}-b7ad6b7169203331-01", id.to_string().repeat(32));
    let upstream = Upstream::saying(json!({"id": "cus_1"})).await;
    let trail = tempfile::tempdir().unwrap();
    let path = trail.path().join("log");
    let setup = Setup::against(&upstream.base_url()).flag("--audit-log").flag(path.to_str().unwrap());
    let server = setup.http().await;
    let session = Session::open(server.url("/mcp")).await;
    for meta in [json!({}), json!({"traceparent": trace('b')})] {
        let request = session.request(Method::POST).header("traceparent", trace('a'));
        in_time(request.json(&get(1, &meta)).send()).await.unwrap();
    }
    let mut wire = Wire::legacy_sse(&server).await;
    wire.initialize(REVISION).await;
    wire.send(&get(1, &json!({"traceparent": trace('c')})), 1).await;
    let sent = upstream.requests().await;
    for (sent, id) in sent.iter().zip(['a', 'b', 'c']) {
        assert_eq!(sent.headers["traceparent"], trace(id).as_str());
    }
    server.process.signal(Signal::SIGTERM);
    drop(wire);
    assert!(in_time(server.process.ended()).await.0.success());
    let text = std::fs::read_to_string(&path).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let clients: Vec<Value> =
        lines.filter(|line| line["event"] == "call").map(|line| line["client"].clone()).collect();
    assert_eq!(clients, ["it 2", "it 2", "wire 1"]);
}
