//! Plain calls of 2026-07-28 over HTTP, which have a short way through the server: what surrounds a call surrounds them.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::faults::{Fault, Faulty, answer};
use crate::support::http_server::{HttpServer, http};
use crate::support::in_time;
use crate::support::setup::Setup;
use crate::support::upstream::Upstream;
use crate::support::wire::stateless_request;

fn call(server: &HttpServer, arguments: &Value) -> reqwest::RequestBuilder {
    stateless_request(server, "tools/call", json!({"name": "manage_customers", "arguments": arguments}))
}

async fn result(request: reqwest::RequestBuilder) -> Value {
    let message: Value = in_time(request.send()).await.unwrap().json().await.unwrap();
    message["result"]["structuredContent"].clone()
}

fn get() -> Value {
    json!({"action": "get", "customer_id": "cus_1"})
}

fn create(last_name: &str) -> Value {
    json!({"action": "create", "first_name": "Ada", "last_name": last_name, "email": "ada@example.com"})
}

fn audited(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Where the client leaves before its write left, nothing is sent; afterwards the write goes on to its recorded end.
#[tokio::test]
async fn who_leaves_gives_the_call_up_and_never_a_write_that_left() {
    let mut upstream = Faulty::with(Fault::Hang).await;
    let trail = tempfile::tempdir().unwrap();
    let path = trail.path().join("log");
    let setup = Setup::against(&upstream.base_url()).flag("--audit-log").flag(path.to_str().unwrap());
    let mut server = setup.http().await;
    let mut looked_up = create("Lovelace");
    looked_up["external_id"] = json!("crm-1");
    for (number, arguments) in [get(), looked_up, create("Byron")].iter().enumerate() {
        let call = tokio::spawn(call(&server, arguments).send());
        upstream.has_got(number + 1).await;
        call.abort();
        if number < 2 {
            let cancelled = server.process.counted("outcome=\"cancelled\"", number + 1).await;
            assert!(cancelled.contains("face=\"mcp\""), "{cancelled}");
        }
    }
    upstream.now(Fault::Bytes(answer("201 Created", br#"{"id": "new_1"}"#)));
    server.process.logged("outcome=\"success\"").await;
    let again = result(call(&server, &create("Byron"))).await;
    assert_eq!((&again["repeated"], &again["customer"]["id"]), (&json!(true), &json!("new_1")));
    assert_eq!(upstream.count(), 3, "a read, a look-up, and one write");
    server.process.signal(Signal::SIGTERM);
    assert!(in_time(server.process.ended()).await.0.success());
    let lines = audited(&std::fs::read_to_string(&path).unwrap());
    let lines =
        lines.iter().filter(|line| ["call", "write", "outcome"].contains(&line["event"].as_str().unwrap()));
    let ends: Vec<Value> =
        lines.map(|line| json!([line["event"], line["outcome"], line["effect"]])).collect();
    let expected = json!([
        ["call", "cancelled", null],
        ["call", "cancelled", "not_applied"],
        ["write", null, null],
        ["outcome", "success", "applied"],
        ["call", "success", "applied"],
    ]);
    assert_eq!(Value::from(ends), expected);
}

#[tokio::test]
async fn a_call_under_way_is_answered_though_the_server_is_told_to_end() {
    let mut upstream = Faulty::with(Fault::Hang).await;
    let server = Setup::against(&upstream.base_url()).http().await;
    let under_way = tokio::spawn(result(call(&server, &get())));
    upstream.has_got(1).await;
    server.process.signal(Signal::SIGTERM);
    // It is leaving once it says so.
    in_time(async {
        while http().get(server.url("/health/ready")).send().await.is_ok_and(|it| it.status().is_success()) {}
    })
    .await;
    upstream.now(Fault::Bytes(answer("200 OK", br#"{"id": "cus_1"}"#)));
    assert_eq!(in_time(under_way).await.unwrap()["customer"]["id"], "cus_1");
    assert!(in_time(server.process.ended()).await.0.success());
}

/// A call that finds no place is told so, whoever holds it.
#[tokio::test]
async fn the_limits_hold() {
    let mut upstream = Faulty::with(Fault::Hang).await;
    let setup = Setup::against(&upstream.base_url()).flag("--limit").flag("calls-in-flight=1");
    let server = setup.http().await;
    let first = tokio::spawn(result(call(&server, &get())));
    upstream.has_got(1).await;
    let second = result(call(&server, &get())).await;
    assert_eq!(second["error"]["kind"], "rate_limited", "{second}");
    upstream.now(Fault::Bytes(answer("200 OK", br#"{"id": "cus_1"}"#)));
    assert_eq!(in_time(first).await.unwrap()["customer"]["id"], "cus_1");
    assert_eq!(result(call(&server, &get())).await["customer"]["id"], "cus_1");
}

/// The caller's trace goes on to the upstream, where `_meta` counts before headers; log and trail have a line of the call.
#[tokio::test]
async fn a_call_stands_in_its_callers_trace_and_is_on_record() {
    let trace = |id: char| format!("00-{}-b7ad6b7169203331-01", id.to_string().repeat(32));
    let upstream = Upstream::saying(json!({"id": "cus_1"})).await;
    let trail = tempfile::tempdir().unwrap();
    let path = trail.path().join("log");
    let setup = Setup::against(&upstream.base_url()).flag("--audit-log").flag(path.to_str().unwrap());
    let mut server = setup.http().await;
    let params = |meta: Value| json!({"name": "manage_customers", "arguments": get(), "_meta": meta});
    for meta in [json!({}), json!({"traceparent": trace('b'), "tracestate": "b=1"})] {
        let request = stateless_request(&server, "tools/call", params(meta));
        result(request.header("traceparent", trace('a')).header("tracestate", "a=1")).await;
    }
    let sent = upstream.requests().await;
    for (sent, id) in sent.iter().zip(['a', 'b']) {
        assert_eq!(sent.headers["traceparent"], trace(id).as_str());
        assert_eq!(sent.headers["tracestate"], format!("{id}=1").as_str());
    }
    let line = server.process.counted("tool call", 2).await;
    assert!(line.contains("face=\"mcp\"") && line.contains(&"b".repeat(32)), "{line}");
    server.agent().await.good("manage_customers", get()).await;
    server.process.signal(Signal::SIGTERM);
    assert!(in_time(server.process.ended()).await.0.success());
    let lines = audited(&std::fs::read_to_string(&path).unwrap());
    let calls: Vec<&Value> = lines.iter().filter(|line| line["event"] == "call").collect();
    let [plain, _, in_session] = calls[..] else { panic!("a line for each call: {lines:?}") };
    assert_eq!(plain["client"], "wire 1");
    for member in ["face", "tool", "action", "arguments", "customer_id", "outcome"] {
        assert_eq!(plain[member], in_session[member], "it is the same call: {member}");
    }
}

/// Without a handshake a client says its name in each request, or has none: never that of this server's library.
#[tokio::test]
async fn a_client_that_does_not_say_its_name_is_on_record_without_one() {
    let upstream = Upstream::saying(json!({"id": "cus_1"})).await;
    let trail = tempfile::tempdir().unwrap();
    let path = trail.path().join("log");
    let setup = Setup::against(&upstream.base_url()).flag("--audit-log").flag(path.to_str().unwrap());
    let server = setup.http().await;
    let nameless = |more: Value| {
        let mut meta = json!({"io.modelcontextprotocol/clientInfo": null});
        meta.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"name": "manage_customers", "arguments": get(), "_meta": meta})
    };
    // The second is not plain: it goes through rmcp.
    for more in [json!({}), json!({"progressToken": 1})] {
        result(stateless_request(&server, "tools/call", nameless(more))).await;
    }
    server.process.signal(Signal::SIGTERM);
    assert!(in_time(server.process.ended()).await.0.success());
    let lines = audited(&std::fs::read_to_string(&path).unwrap());
    let calls: Vec<&Value> = lines.iter().filter(|line| line["event"] == "call").collect();
    assert_eq!(calls.len(), 2);
    assert!(calls.iter().all(|call| call.get("client").is_none_or(Value::is_null)), "{calls:?}");
}
