//! The REST face: the same calls as over MCP, with the same answers.

use std::collections::BTreeSet;

use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use crate::support::agent::Agent;
use crate::support::faults::{Fault, Faulty, answer};
use crate::support::http_server::http;
use crate::support::in_time;
use crate::support::operations;
use crate::support::plain::Plain;
use crate::support::setup::Setup;
use crate::support::simulator::simulator;
use crate::support::upstream::Upstream;

const CUSTOMERS: &str = "manage_customers";
const VERIFY: &str = "verify_identity";

fn create(last_name: &str) -> Value {
    json!({"action": "create", "first_name": "Ada", "last_name": last_name, "email": "ada@example.com"})
}

/// What differs from one call to the next, whichever face it came by, is settled.
fn settled(mut body: Value) -> Value {
    if let Some(id) = body.pointer_mut("/error/request_id") {
        id.as_str().unwrap().parse::<uuid::Uuid>().unwrap();
        *id = json!("settled");
    }
    let sources = body.pointer_mut("/dossier/sources").and_then(Value::as_array_mut);
    for source in sources.into_iter().flatten() {
        source["read_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        source["read_at"] = json!("settled");
    }
    body
}

async fn says_the_same(agent: &Agent, plain: &Plain, tool: &str, arguments: [&Value; 2]) -> Value {
    let over_mcp = agent.call(tool, arguments[0].clone()).await;
    let over_rest = plain.call(tool, arguments[1]).await;
    assert_eq!(over_mcp.is_error, over_rest.status != 200);
    let (over_mcp, over_rest) = (settled(over_mcp.body), settled(over_rest.body));
    assert_eq!(over_mcp, over_rest);
    over_rest
}

/// With people as they are and masked, where all goes well and where nothing does.
#[tokio::test]
async fn every_action_says_the_same_over_mcp_and_rest() {
    let full = json!({"id": "x", "email": "ada@example.com", "iban": "FR7630006000011234567890189",
        "a field": [{"nobody": "knows"}, null, 1.25, "+33612345678"]});
    let listing = json!({"data": [full], "meta": {"count": 1}, "links": {"self": "https://api.example.com"}});
    let good = move |request: &Request| {
        let last = request.url.path().rsplit('/').next().unwrap_or_default();
        let lists =
            ["customers", "bank-accounts", "verifications"].contains(&last) && request.method == "GET";
        ResponseTemplate::new(200).set_body_json(if lists { &listing } else { &full })
    };
    let dossier = json!({"action": "dossier", "customer_id": "cus_1"});
    let mut actions = BTreeSet::new();
    for setup in [|it: Setup| it, |it: Setup| it.flag("--personal-data=masked")] {
        let upstream = Upstream::answering(good.clone()).await;
        let server = setup(Setup::against(&upstream.base_url())).http().await;
        let (agent, plain) = (server.agent().await, Plain::to(&server, None).await);
        for (number, status) in [(0, 200), (2, 401), (4, 404), (6, 422), (8, 503)] {
            if status != 200 {
                upstream.now_answering(ResponseTemplate::new(status)).await;
            }
            for operation in operations::all() {
                // Another write, or it would be a repeat.
                let arguments = [operation.another(number), operation.another(number + 1)];
                let body =
                    says_the_same(&agent, &plain, operation.tool, [&arguments[0], &arguments[1]]).await;
                actions.insert(format!("{} {}", operation.tool, body["action"].as_str().unwrap()));
                assert_eq!(body.get("error").is_some(), status != 200, "{body}");
            }
            let body = says_the_same(&agent, &plain, VERIFY, [&dossier, &dossier]).await;
            actions.insert(format!("{VERIFY} {}", body["action"].as_str().unwrap()));
        }
        for wrong in
            [json!({}), json!({"action": "delete"}), json!({"action": "get", "iban": 1, "nobody": 2})]
        {
            let body = says_the_same(&agent, &plain, CUSTOMERS, [&wrong, &wrong]).await;
            assert_eq!(body["error"]["kind"], "invalid_input");
        }
    }
    let described = Plain::to(&Setup::simulator().http().await, None).await.description;
    let all: BTreeSet<String> = examples(&described)
        .map(|(tool, example)| format!("{tool} {}", example["action"].as_str().unwrap()))
        .collect();
    assert_eq!(actions, all, "every action there is was called");
}

/// Every example of a description, with its tool.
fn examples(description: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let paths = description["paths"].as_object().unwrap().iter();
    paths.filter_map(|(path, item)| Some((path.strip_prefix("/v1/tools/")?, item))).flat_map(
        |(tool, item)| {
            let content = &item["post"]["requestBody"]["content"]["application/json"];
            let examples = content["examples"].as_object().unwrap().values();
            examples.map(move |example| (tool, &example["value"]))
        },
    )
}

/// Whoever copies an example is not told that it is wrong.
#[tokio::test]
async fn the_examples_are_calls_that_are_right() {
    let server = Setup::simulator().http().await;
    let plain = Plain::to(&server, None).await;
    let mut called = 0;
    for (tool, example) in examples(&plain.description) {
        let answered = plain.call(tool, example).await;
        // The ids in them are nobody's here.
        assert!([200, 404].contains(&answered.status), "{example}: {}", answered.body);
        called += 1;
    }
    assert_eq!(called, 10);
}

/// One story over both faces: what is written by one is seen, and not written again, by the other.
#[tokio::test]
async fn both_faces_share_one_memory_of_writes() {
    let simulator = simulator(&[]).await;
    let server = Setup::against(&simulator.base_url()).http().await;
    let (agent, plain) = (server.agent().await, Plain::to(&server, None).await);
    let first = plain.call(CUSTOMERS, &create("Byron")).await.good();
    let mut again = agent.good(CUSTOMERS, create("Byron")).await;
    assert_eq!(again["repeated"], true);
    again.as_object_mut().unwrap().shift_remove("repeated");
    assert_eq!(again, first);
    assert_eq!(plain.call(CUSTOMERS, &create("Byron")).await.good()["repeated"], true);
    let start = json!({"action": "start", "customer_id": "sim_cus_ada", "wait_seconds": 1});
    let started = plain.call(VERIFY, &start).await.good();
    let get = json!({"action": "get", "customer_id": "sim_cus_ada", "verification_id": started["verification"]["id"]});
    assert_eq!(agent.good(VERIFY, get).await["verification"]["id"], started["verification"]["id"]);
}

/// Where the client hangs up before its write left, nothing is sent; afterwards the write goes on to its end.
#[tokio::test]
async fn who_hangs_up_gives_the_call_up_and_never_a_write_that_left() {
    let mut upstream = Faulty::with(Fault::Hang).await;
    let trail = tempfile::tempdir().unwrap();
    let path = trail.path().join("log");
    let setup = Setup::against(&upstream.base_url()).flag("--audit-log").flag(path.to_str().unwrap());
    let mut server = setup.http().await;
    let plain = Plain::to(&server, None).await;
    let looked_up = |last_name: &str| {
        let mut arguments = create(last_name);
        arguments["external_id"] = json!(format!("crm-{last_name}"));
        arguments
    };
    let http2 =
        reqwest::Client::builder().no_proxy().tls_certs_only([]).http2_prior_knowledge().build().unwrap();
    let url = server.url("/v1/tools/manage_customers");
    let calls = [
        plain.post(CUSTOMERS).json(&looked_up("Lovelace")),
        http2.post(&url).json(&looked_up("Hopper")),
        plain.post(CUSTOMERS).json(&create("Byron")),
    ];
    for (number, call) in calls.into_iter().enumerate() {
        let call = tokio::spawn(call.send());
        upstream.has_got(number + 1).await;
        call.abort();
        if number < 2 {
            let cancelled = server.process.counted("outcome=\"cancelled\"", number + 1).await;
            assert!(cancelled.contains("face=\"rest\""), "{cancelled}");
        }
    }
    upstream.now(Fault::Bytes(answer("201 Created", br#"{"id": "new_1"}"#)));
    server.process.logged("outcome=\"success\"").await;
    let again = plain.call(CUSTOMERS, &create("Byron")).await.good();
    assert_eq!((&again["repeated"], &again["customer"]["id"]), (&json!(true), &json!("new_1")));
    assert_eq!(upstream.count(), 3, "two look-ups, and one write");
    server.process.signal(Signal::SIGTERM);
    assert!(in_time(server.process.ended()).await.0.success());
    let lines: Vec<Value> = std::fs::read_to_string(&path)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let ends: Vec<_> = lines
        .iter()
        .filter(|line| ["call", "write", "outcome"].contains(&line["event"].as_str().unwrap()))
        .map(|line| json!([line["event"], line["face"], line["outcome"], line["effect"]]))
        .collect();
    insta::assert_json_snapshot!(ends);
}

/// A server that ends waits for the calls of this face, too.
#[tokio::test]
async fn a_call_under_way_is_answered_though_the_server_is_told_to_end() {
    let mut upstream = Faulty::with(Fault::Hang).await;
    let server = Setup::against(&upstream.base_url()).http().await;
    let plain = Plain::to(&server, None).await;
    let get = json!({"action": "get", "customer_id": "cus_1"});
    let call = tokio::spawn(plain.post(CUSTOMERS).json(&get).send());
    upstream.has_got(1).await;
    server.process.signal(Signal::SIGTERM);
    // It is leaving once it says so.
    in_time(async {
        while http().get(server.url("/health/ready")).send().await.is_ok_and(|it| it.status().is_success()) {}
    })
    .await;
    upstream.now(Fault::Bytes(answer("200 OK", br#"{"id": "cus_1"}"#)));
    let answered: Value = in_time(call).await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(answered["customer"]["id"], "cus_1");
    assert!(in_time(server.process.ended()).await.0.success());
}

/// The trace that the caller stands in goes on to the upstream; log and trail say by which face a call came.
#[tokio::test]
async fn a_call_stands_in_its_callers_trace_and_is_on_record_with_its_face() {
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let upstream = Upstream::saying(json!({"id": "cus_1"})).await;
    let trail = tempfile::tempdir().unwrap();
    let path = trail.path().join("log");
    let setup = Setup::against(&upstream.base_url()).flag("--audit-log").flag(path.to_str().unwrap());
    let mut server = setup.http().await;
    let plain = Plain::to(&server, None).await;
    let get = json!({"action": "get", "customer_id": "cus_1"});
    let request = plain.post(CUSTOMERS).header("traceparent", parent).header("tracestate", "a=1");
    plain.send(CUSTOMERS, request.header("user-agent", "curl/8 ada@example.com").json(&get)).await.good();
    let sent = &upstream.requests().await[0];
    assert_eq!(
        (&sent.headers["traceparent"], &sent.headers["tracestate"]),
        (&parent.parse().unwrap(), &"a=1".parse().unwrap())
    );
    let line = server.process.logged("tool call").await;
    assert!(line.contains("face=\"rest\"") && line.contains("0af7651916cd43dd8448eb211c80319c"), "{line}");
    server.agent().await.good(CUSTOMERS, get).await;
    server.process.signal(Signal::SIGTERM);
    assert!(in_time(server.process.ended()).await.0.success());
    let text = std::fs::read_to_string(&path).unwrap();
    let calls: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let calls: Vec<&Value> = calls.iter().filter(|line| line["event"] == "call").collect();
    let [rest, mcp] = calls[..] else { panic!("a line for each call: {text}") };
    assert_eq!((&rest["face"], &mcp["face"]), (&json!("rest"), &json!("mcp")));
    assert_eq!(rest["arguments"], mcp["arguments"], "it is the same call");
    assert_eq!(rest["client"], "curl/8 a…@example.com", "a client may call itself anything");
}

/// The door, the gate and the bounds of bodies are those of `/mcp`.
#[tokio::test]
async fn what_is_no_call_is_refused_in_json_with_the_status_that_says_why() {
    let server = Setup::simulator().http().await;
    let plain = Plain::to(&server, None).await;
    for (body, said) in
        [("", "it is empty"), ("{", "it is no JSON: EOF"), ("[]", "it is a list"), ("\"x\"", "it is a text")]
    {
        let request = plain.post(CUSTOMERS).header("content-type", "application/json").body(body);
        let refused = plain.send(CUSTOMERS, request).await;
        assert_eq!(refused.refusal(), (422, "invalid_input"));
        let problem = &refused.body["error"]["problems"][0];
        assert!(problem["message"].as_str().unwrap().contains(said), "{problem}");
        assert_eq!(problem["example"]["action"], "get");
    }
    // An unknown tool has no place in the description, and yet the shape of every 404.
    for path in ["manage_loans", "manage_customers%2F..", "%FF", "MANAGE_CUSTOMERS"] {
        let unknown = plain.send(CUSTOMERS, plain.post(path).json(&json!({}))).await;
        assert_eq!(unknown.refusal(), (404, "not_found"));
        let message = unknown.body["error"]["message"].as_str().unwrap();
        assert!(message.ends_with("manage_bank_accounts, manage_customers, verify_identity"), "{message}");
    }
    let text = plain.post(CUSTOMERS).header("content-type", "text/plain").body("{}");
    assert_eq!(plain.send(CUSTOMERS, text).await.status, 415);
    for (name, value) in [("content-encoding", "gzip"), ("content-type", "text/plain")] {
        let two_minds = plain.post(CUSTOMERS).json(&json!({"action": "list"})).header(name, value);
        assert_eq!(plain.send(CUSTOMERS, two_minds).await.status, 415, "{name}");
    }
    let long = plain.post(CUSTOMERS).json(&json!({"action": "list", "x": "x".repeat(1024 * 1024)}));
    assert_eq!(plain.send(CUSTOMERS, long).await.status, 413);
    let elsewhere = plain.post(CUSTOMERS).header("origin", "https://evil.example").json(&json!({}));
    assert_eq!(plain.send(CUSTOMERS, elsewhere).await.status, 403);
    for (method, path, allowed) in [
        (Method::GET, "/v1/tools/manage_customers", "POST"),
        (Method::PUT, "/v1/tools/nothing", "POST"),
        (Method::DELETE, "/v1/tools/manage_customers", "POST"),
        (Method::OPTIONS, "/v1/tools/manage_customers", "POST"),
        (Method::TRACE, "/openapi.json", "GET,HEAD"),
        (Method::POST, "/openapi.json", "GET,HEAD"),
    ] {
        let refused = in_time(http().request(method, server.url(path)).send()).await.unwrap();
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()["allow"]),
            (405, &allowed.parse().unwrap()),
            "{path}"
        );
        let body: Value = refused.json().await.unwrap();
        assert!(body["error"].as_str().unwrap().contains("Allow"), "{body}");
    }
}
