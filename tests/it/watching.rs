//! What an operator watches: metrics that count exactly what happened, traces from the agent to the upstream, and nobody's
//! data in either.

#![expect(clippy::float_cmp, reason = "counts are whole numbers")]

use std::collections::{BTreeMap, BTreeSet};

use nix::sys::signal::Signal;
use reqwest::StatusCode;
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use crate::support::agent::Agent;
use crate::support::canaries::{calls, is_clean};
use crate::support::collector::{Collector, hex, words};
use crate::support::faults::{Fault, Faulty, nobody};
use crate::support::http_server::{HttpServer, http};
use crate::support::keys::KEYS;
use crate::support::pipe::Pipe;
use crate::support::process::run;
use crate::support::setup::{APP_ID, Setup};
use crate::support::upstream::Upstream;
use crate::support::wire::stateless_request;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Every series of `/metrics` with its value; of histograms, the counts.
async fn metrics(server: &HttpServer) -> BTreeMap<String, f64> {
    let answer = http().get(server.url("/metrics")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.text().await.unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

/// The series of these names, in order.
fn those<'a>(all: &'a BTreeMap<String, f64>, name: &str) -> Vec<(&'a str, f64)> {
    let of =
        |series: &str| series.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('{'));
    all.iter().filter(|(series, _)| of(series)).map(|(series, value)| (series.as_str(), *value)).collect()
}

#[tokio::test]
async fn metrics_count_exactly_what_happened() {
    let server = Setup::simulator().http().await;
    let agent = server.agent().await;
    agent.good("manage_customers", json!({"action": "list"})).await;
    agent.good("manage_customers", json!({"action": "list"})).await;
    let unknown = json!({"action": "get", "customer_id": "sim_cus_nobody"});
    agent.error("manage_customers", unknown).await;
    agent.error("manage_customers", json!({"action": "create", "first_name": "Ada"})).await;
    agent.error("manage_customers", json!({"action": "delete everything"})).await;
    agent.good("verify_identity", json!({"action": "start", "customer_id": "sim_cus_ada"})).await;
    agent.try_call("no_such_tool", json!({"action": "list"})).await.unwrap_err();

    let all = metrics(&server).await;
    let calls = |action: &str, outcome: &str, tool: &str| {
        format!(r#"fintecture_mcp_calls_total{{tool="{tool}",action="{action}",outcome="{outcome}"}}"#)
    };
    let expected = BTreeMap::from([
        (calls("list", "success", "manage_customers"), 2.0),
        (calls("get", "not_found", "manage_customers"), 1.0),
        (calls("create", "invalid_input", "manage_customers"), 1.0),
        (calls("unknown", "invalid_input", "manage_customers"), 1.0),
        (calls("start", "success", "verify_identity"), 1.0),
    ]);
    let counted: BTreeMap<_, _> = those(&all, "fintecture_mcp_calls_total")
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count))
        .collect();
    assert_eq!(counted, expected);
    assert_eq!(
        those(&all, "fintecture_mcp_upstream_attempts_total"),
        [
            (r#"fintecture_mcp_upstream_attempts_total{operation="getCustomerById",status="404"}"#, 1.0),
            (
                r#"fintecture_mcp_upstream_attempts_total{operation="initiateCustomerVerification",status="201"}"#,
                1.0
            ),
            (r#"fintecture_mcp_upstream_attempts_total{operation="listAllCustomers",status="200"}"#, 2.0),
        ]
    );
    let durations = those(&all, "fintecture_mcp_call_duration_seconds_count");
    assert_eq!(durations.iter().map(|(_, count)| count).sum::<f64>(), 6.0, "{durations:?}");
    assert_eq!(those(&all, "fintecture_mcp_upstream_retries_total"), []);
    assert_eq!(all["fintecture_mcp_upstream_breaker_open"], 0.0);
    assert_eq!(all["fintecture_mcp_calls_in_flight"], 0.0);
    let info = concat!(
        r#"fintecture_mcp_build_info{version=""#,
        env!("CARGO_PKG_VERSION"),
        r#"",environment="simulator"}"#
    );
    assert_eq!(all[info], 1.0);
    assert!(all["fintecture_mcp_resident_memory_bytes"] > 1e6 && all["fintecture_mcp_open_fds"] > 3.0);
}

#[tokio::test]
async fn retries_the_breaker_and_tokens_are_counted() {
    let upstream = Upstream::answering(ResponseTemplate::new(503)).await;
    let token = ResponseTemplate::new(200).set_body_json(json!({"access_token": "t", "expires_in": 3600}));
    let endpoint = Upstream::answering(token).await;
    let setup = Setup::application(&upstream.base_url())
        .variable("FINTECTURE_TOKEN_URL", &format!("{}/oauth/accesstoken", endpoint.base_url()));
    let server = setup.http().await;
    let agent = server.agent().await;
    let get = || json!({"action": "get", "customer_id": "cus_1"});
    agent.error("manage_customers", get()).await;
    let all = metrics(&server).await;
    let attempts = r#"fintecture_mcp_upstream_attempts_total{operation="getCustomerById",status="503"}"#;
    assert_eq!(all[attempts], 3.0);
    assert_eq!(all[r#"fintecture_mcp_upstream_retries_total{operation="getCustomerById"}"#], 2.0);
    assert_eq!(all[r#"fintecture_mcp_upstream_token_requests_total{outcome="success"}"#], 1.0);
    assert_eq!(all["fintecture_mcp_upstream_breaker_open"], 0.0);

    while metrics(&server).await[attempts] < 20.0 {
        agent.error("manage_customers", get()).await;
    }
    assert_eq!(metrics(&server).await["fintecture_mcp_upstream_breaker_open"], 1.0);
    upstream.now_answering(ResponseTemplate::new(200).set_body_json(json!({"id": "cus_1"}))).await;
    agent.good("manage_customers", get()).await;
    assert_eq!(metrics(&server).await["fintecture_mcp_upstream_breaker_open"], 0.0);
}

#[tokio::test]
async fn metrics_stand_behind_the_gate() {
    let server = Setup::simulator().http().await;
    let foreign = http().get(server.url("/metrics")).header("host", "evil.example").send().await.unwrap();
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
}

/// A call of a customer with this `_meta`.
async fn get(pipe: &mut Pipe, meta: Value) {
    let arguments = json!({"action": "get", "customer_id": "cus_1"});
    let call = json!({"name": "manage_customers", "arguments": arguments, "_meta": meta});
    let answer = pipe.request("tools/call", call).await;
    pipe.check("manage_customers", &answer).good();
}

async fn well() -> Upstream {
    Upstream::saying(json!({"id": "cus_1"})).await
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_trace_is_passed_on_without_a_collector_and_baggage_never() {
    let upstream = well().await;
    let setup = Setup::against(&upstream.base_url())
        .variable("FINTECTURE_APP_ID", APP_ID)
        .variable("FINTECTURE_PRIVATE_KEY", &KEYS.pkcs8);
    let mut pipe = setup.pipe();
    pipe.initialize("2025-11-25").await;
    get(&mut pipe, json!({"traceparent": PARENT, "tracestate": "a=1,b=2", "baggage": "name=canary"})).await;
    get(&mut pipe, json!({})).await;
    get(&mut pipe, json!({"traceparent": "00-nonsense-01", "tracestate": "a=1", "baggage": "name=canary"}))
        .await;
    get(&mut pipe, json!({"traceparent": PARENT, "tracestate": "a=1\r\nx-evil: 1"})).await;
    let requests = upstream.requests().await;
    let sent: Vec<_> = requests
        .iter()
        .map(|request| (header(request, "traceparent"), header(request, "tracestate")))
        .collect();
    let expected = [(Some(PARENT), Some("a=1,b=2")), (None, None), (None, None), (Some(PARENT), None)];
    assert_eq!(sent, expected);
    for request in &requests {
        assert!(header(request, "baggage").is_none() && header(request, "signature").is_some());
        assert!(!header(request, "signature").unwrap().contains("trace"), "it is not part of what is signed");
    }
    pipe.process.signal(Signal::SIGTERM);
    let (_, log) = pipe.process.ended().await;
    assert!(log.contains(&format!("trace_id=\"{TRACE}\"")) && log.contains("principal=\"local\""), "{log}");
}

/// A call over HTTP at the revision without a handshake, with a context in its headers.
async fn post(server: &HttpServer, meta: Value) {
    let arguments = json!({"action": "get", "customer_id": "cus_1"});
    let call = json!({"name": "manage_customers", "arguments": arguments, "_meta": meta});
    let answer = stateless_request(server, "tools/call", call)
        .header("traceparent", PARENT.replace("b7ad6b7169203331", "1111111111111111"))
        .header("baggage", "name=canary")
        .send()
        .await
        .unwrap();
    let status = answer.status();
    let body = answer.text().await.unwrap();
    assert!(status == StatusCode::OK && body.contains("cus_1"), "{status}: {body}");
}

#[tokio::test]
async fn the_message_says_its_trace_before_the_headers_do() {
    let upstream = well().await;
    let server = Setup::against(&upstream.base_url()).http().await;
    post(&server, json!({})).await;
    post(&server, json!({"traceparent": PARENT})).await;
    let requests = upstream.requests().await;
    let sent: Vec<_> = requests.iter().map(|request| header(request, "traceparent").unwrap()).collect();
    assert_eq!(sent, [PARENT.replace("b7ad6b7169203331", "1111111111111111").as_str(), PARENT]);
    assert!(requests.iter().all(|request| header(request, "baggage").is_none()));
}

#[tokio::test]
async fn a_collector_gets_a_span_for_the_call_and_one_for_each_attempt() {
    let collector = Collector::start().await;
    let upstream = Upstream::answering(ResponseTemplate::new(503)).await;
    let mut pipe = Setup::against(&upstream.base_url())
        .variable("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address())
        .variable("OTEL_EXPORTER_OTLP_HEADERS", "api-key=key-of-collector")
        .pipe();
    pipe.initialize("2025-11-25").await;
    let arguments = json!({"action": "get", "customer_id": "cus_1"});
    let call = json!({"name": "manage_customers", "arguments": arguments,
        "_meta": {"traceparent": PARENT, "tracestate": "a=1"}});
    pipe.request("tools/call", call).await;
    pipe.close();
    let (status, log) = pipe.process.ended().await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(!log.contains("key-of-collector"), "{log}");

    assert_eq!(collector.header("api-key").as_deref(), Some("key-of-collector"));
    let resource = collector.resource();
    assert_eq!(resource["service.name"], "fintecture-mcp");
    assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(resource["deployment.environment.name"], "sandbox");

    let spans = collector.spans();
    assert!(spans.iter().all(|span| hex(&span.trace_id) == TRACE), "one trace, the caller's");
    let (calls, attempts): (Vec<_>, Vec<_>) =
        spans.iter().partition(|span| hex(&span.parent_span_id) == "b7ad6b7169203331");
    let [call] = calls[..] else { panic!("one call: {calls:?}") };
    assert_eq!(call.name, "tools/call manage_customers get");
    let said = words(&call.attributes);
    let expected = [
        ("error.type", "tool_error"),
        ("fintecture_mcp.action", "get"),
        ("fintecture_mcp.outcome", "upstream_unavailable"),
        ("gen_ai.operation.name", "execute_tool"),
        ("gen_ai.tool.name", "manage_customers"),
        ("mcp.method.name", "tools/call"),
    ];
    assert_eq!(said, expected.map(|(name, word)| (name.to_owned(), word.to_owned())).into());

    let requests = upstream.requests().await;
    assert_eq!((attempts.len(), requests.len()), (3, 3));
    for (number, (attempt, request)) in attempts.iter().zip(&requests).enumerate() {
        assert_eq!(attempt.parent_span_id, call.span_id);
        assert!(
            attempt.name.starts_with("GET /") && attempt.name.contains("{{customer_id}}"),
            "{}",
            attempt.name
        );
        let passed_on = format!("00-{TRACE}-{}-01", hex(&attempt.span_id));
        assert_eq!(header(request, "traceparent"), Some(passed_on.as_str()));
        assert_eq!(header(request, "tracestate"), Some("a=1"));
        let said = words(&attempt.attributes);
        assert_eq!(said["http.request.method"], "GET");
        assert_eq!(said["http.response.status_code"], "503");
        assert_eq!(said["error.type"], "503");
        assert_eq!(said["server.address"], "127.0.0.1");
        let resent = (number > 0).then(|| number.to_string());
        assert_eq!(said.get("http.request.resend_count"), resent.as_ref());
        assert!(said["http.request.header.x-request-id"].contains(header(request, "x-request-id").unwrap()));
    }
}

/// What spans may say: nothing else is ever exported.
const ALLOWED: [&str; 15] = [
    "error.type",
    "fintecture_mcp.action",
    "fintecture_mcp.operation",
    "fintecture_mcp.outcome",
    "gen_ai.operation.name",
    "gen_ai.tool.name",
    "http.request.header.x-request-id",
    "http.request.method",
    "http.request.resend_count",
    "http.response.status_code",
    "mcp.method.name",
    "server.address",
    "server.port",
    "url.template",
    "network.transport",
];

#[tokio::test]
async fn no_metric_and_no_span_holds_anybodys_data() {
    let echo = |status| {
        move |request: &Request| {
            let body = String::from_utf8_lossy(&request.body);
            let said = format!("{} {body} {:?}", request.url, request.headers);
            ResponseTemplate::new(status)
                .set_body_json(json!({"id": "cus_1", "data": [], "errors": [{"detail": said}]}))
        }
    };
    for status in [200, 422] {
        let collector = Collector::start().await;
        let upstream = Upstream::answering(echo(status)).await;
        let server = Setup::against(&upstream.base_url())
            .variable("FINTECTURE_APP_ID", APP_ID)
            .variable("FINTECTURE_PRIVATE_KEY", &KEYS.pkcs8)
            .variable("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address())
            .variable("RUST_LOG", "trace")
            .http()
            .await;
        let agent: Agent = server.agent().await;
        for (tool, arguments) in calls() {
            agent.call(tool, arguments).await;
        }
        let uri = "fintecture://customers/cus_1";
        let read = rmcp::model::ReadResourceRequestParams::new(uri);
        let _ = agent.client.read_resource(read).await;
        let text = http().get(server.url("/metrics")).send().await.unwrap().text().await.unwrap();
        assert!(text.contains("fintecture_mcp_calls_total{"), "there is something to look at: {text}");
        is_clean(&text);
        assert!(!text.contains("cus_1"), "{text}");
        server.process.signal(Signal::SIGTERM);
        let (status, log) = server.process.ended().await;
        assert_eq!(status.code(), Some(0), "{log}");
        is_clean(&log);
        is_clean(&collector.text());
        assert!(!collector.text().contains("cus_1"), "no id of a customer leaves in a span");
        let spans = collector.spans();
        let names: BTreeSet<_> = spans.iter().map(|span| span.name.as_str()).collect();
        assert!(names.contains("tools/call manage_bank_accounts create"), "{names:?}");
        assert!(names.contains("resources/read manage_customers get"), "{names:?}");
        for span in &spans {
            let said: Vec<_> = words(&span.attributes).into_keys().collect();
            assert!(said.iter().all(|name| ALLOWED.contains(&name.as_str())), "{said:?}");
            assert!(span.events.is_empty() && span.links.is_empty());
            assert!(span.status.as_ref().is_none_or(|status| status.message.is_empty()));
        }
    }
}

#[tokio::test]
async fn a_collector_that_is_gone_or_hangs_costs_nothing_but_its_spans() {
    let (_port, nobody) = nobody();
    let hanging = Faulty::with(Fault::Hang).await;
    for collector in [nobody, hanging.base_url()] {
        let upstream = well().await;
        let mut pipe =
            Setup::against(&upstream.base_url()).variable("OTEL_EXPORTER_OTLP_ENDPOINT", &collector).pipe();
        pipe.initialize("2025-11-25").await;
        get(&mut pipe, json!({})).await;
        pipe.close();
        let (status, log) = pipe.process.ended().await;
        assert_eq!(status.code(), Some(0), "{log}");
        let told = ["takes no spans", "the last spans were not taken"];
        assert!(told.iter().any(|told| log.contains(told)), "the operator is told: {log}");
    }
}

#[tokio::test]
async fn a_setting_that_would_lose_traces_is_refused() {
    let variables =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")];
    let ended = run(&["serve"], &variables).await;
    assert_eq!((ended.code, ended.stderr.lines().count()), (Some(2), 2), "{}", ended.stderr);
}
