//! `docs/errors.md` names every error that there is: each kind, code and status is reached here, and says of itself what
//! the page says of it.

use std::collections::{BTreeMap, BTreeSet};

use fintecture_mcp::rest::status;
use fintecture_mcp::tools::ErrorKind;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wiremock::ResponseTemplate;

use crate::support::agent::Agent;
use crate::support::browser::Browser;
use crate::support::faults::nobody;
use crate::support::http_server::{HttpServer, http};
use crate::support::in_time;
use crate::support::operations::{create_with_external_id, named, read_and_write};
use crate::support::person::{Can, Does, Lifecycle, Person};
use crate::support::redis::Redis;
use crate::support::setup::Setup;
use crate::support::tables::{page, table};
use crate::support::tokens::made;
use crate::support::upstream::Upstream;
use crate::support::wire::stateless;

const CODE: &str = "correct-horse-battery";

/// What an error says of itself.
#[derive(Debug, Default)]
struct Told {
    retryable: BTreeSet<bool>,
    outcomes: BTreeSet<String>,
}

/// Every error that was reached, by its kind.
#[derive(Default)]
struct Reached(BTreeMap<String, Told>);

impl Reached {
    fn add(&mut self, error: &Value, is_write: bool) {
        let told = self.0.entry(error["kind"].as_str().unwrap().to_owned()).or_default();
        told.retryable.insert(error["retryable"].as_bool().unwrap());
        let outcome = error.get("outcome").map(|outcome| outcome.as_str().unwrap().to_owned());
        assert_eq!(outcome.is_some(), is_write, "{error}");
        told.outcomes.extend(outcome);
        assert!(error["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "what to do next: {error}");
    }

    /// A read and a write, which must both fail.
    async fn by(&mut self, agent: &Agent) {
        let [read, _] = read_and_write();
        self.add(&agent.error(read.tool, read.arguments).await, false);
        self.by_writing(agent).await;
    }

    async fn by_writing(&mut self, agent: &Agent) {
        let [_, write] = read_and_write();
        self.add(&agent.error(write.tool, write.arguments).await, true);
    }
}

/// An answer of the upstream for each kind that is its own.
async fn from_the_upstream(reached: &mut Reached) {
    for status in [401, 403, 404, 409, 422, 429, 503] {
        let answer = ResponseTemplate::new(status).insert_header("retry-after", "60");
        let upstream = Upstream::answering(answer).await;
        reached.by(&Setup::against(&upstream.base_url()).agent().await).await;
    }
    let (_port, gone) = nobody();
    reached.by_writing(&Setup::against(&gone).agent().await).await;
    let another = Upstream::saying(json!({"id": "cus_other"})).await;
    let account = named("createCustomerBankAccount");
    let setup = Setup::against(&another.base_url()).variable("FINTECTURE_APPROVAL_CODE", CODE);
    let agent = setup.flag("--confirm-writes=always").agent().await;
    let error = agent.error(account.tool, account.arguments).await;
    assert_eq!(error["kind"], "upstream_unavailable", "{error}");
    reached.add(&error, true);
    let create = create_with_external_id();
    let known = json!({"id": "cus_9", "external_id": create.arguments["external_id"]});
    let upstream = Upstream::saying(json!({"data": [known]})).await;
    let agent = Setup::against(&upstream.base_url()).agent().await;
    let error = agent.error(create.tool, create.arguments).await;
    assert_eq!((&error["kind"], &error["customer_id"]), (&json!("conflict"), &json!("cus_9")));
    reached.add(&error, true);
}

/// This server's own refusals.
async fn from_here(reached: &mut Reached) {
    let agent = Setup::simulator().agent().await;
    reached.add(&agent.error("manage_customers", json!({"action": "get"})).await, false);
    reached.add(&agent.error("manage_customers", json!({"action": "create"})).await, true);
    reached.by_writing(&Setup::simulator().flag("--read-only").agent().await).await;

    let (token, line) = made("reader", "customers:read").await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens");
    std::fs::write(&path, line).unwrap();
    let server = Setup::simulator()
        .variable("FINTECTURE_ENVIRONMENT", "simulator")
        .flag(&format!("--auth-tokens={}", path.display()))
        .http()
        .await;
    reached.by_writing(&server.agent_with(&token).await).await;

    let mut redis = Redis::start().await;
    let key = dir.path().join("key");
    std::fs::write(&key, "canary-store-key-of-32-characters").unwrap();
    let upstream = Upstream::saying(json!({"id": "x"})).await;
    let agent = Setup::against(&upstream.base_url())
        .flag(&format!("--store={}", redis.url()))
        .flag(&format!("--store-key={}", key.display()))
        .agent()
        .await;
    redis.kill().await;
    reached.by_writing(&agent).await;
}

/// What a person says, or is still to say.
async fn from_people(reached: &mut Reached) {
    let [_, write] = read_and_write();
    let person = Person::who(Can::Forms, &[Does::Declines, Does::Dismisses]);
    let someone = person.on_stdio(&Setup::simulator(), Lifecycle::Handshake).await;
    for _ in 0..2 {
        reached.add(&someone.call(write.tool, write.arguments.clone()).await.error(), true);
    }
    let server = Setup::simulator()
        .variable("FINTECTURE_ENVIRONMENT", "simulator")
        .variable("FINTECTURE_APPROVAL_CODE", CODE)
        .flag("--confirm-writes=always")
        .http()
        .await;
    let agent = server.agent().await;
    let waits = agent.error(write.tool, write.arguments.clone()).await;
    reached.add(&waits, true);
    let address = waits["approval"]["url"].as_str().unwrap();
    let mut browser = Browser::new();
    browser.types(address, CODE).await;
    browser.presses(address, "decline").await;
    reached.by_writing(&agent).await;
}

#[tokio::test]
async fn every_kind_is_on_the_page_and_is_as_it_says() {
    let mut reached = Reached::default();
    from_the_upstream(&mut reached).await;
    from_here(&mut reached).await;
    from_people(&mut reached).await;
    let page = page("errors.md");
    let rows = table(&page, "## Kinds");
    let kinds: BTreeSet<&String> = rows[1..].iter().map(|row| &row[0]).collect();
    assert_eq!(kinds, reached.0.keys().collect::<BTreeSet<_>>());
    let statuses = ErrorKind::ALL.map(|kind| (kind.as_str(), status(kind).as_str().to_owned()));
    let told: BTreeMap<&str, String> =
        rows[1..].iter().map(|row| (row[0].as_str(), row[1].clone())).collect();
    assert_eq!(told, statuses.into());
    for row in &rows[1..] {
        let told = &reached.0[&row[0]];
        let retryable = match row[2].as_str() {
            "yes" => [true].into(),
            "no" => [false].into(),
            // A panic, after which nothing is worth another try, cannot be had for the asking.
            _ if row[0] == "internal" => told.retryable.clone(),
            _ => [true, false].into(),
        };
        assert_eq!(told.retryable, retryable, "{}", row[0]);
        if row[3] != "as it says" {
            assert_eq!(told.outcomes, BTreeSet::from([row[3].clone()]), "{}", row[0]);
        }
    }
}

#[tokio::test]
async fn every_code_is_on_the_page() {
    let mut codes = BTreeSet::new();
    let upstream = Upstream::answering(ResponseTemplate::new(503)).await;
    let setup = Setup::against(&upstream.base_url());
    let customer = json!({"uri": "fintecture://customers/cus_1"});
    let mut pipe = setup.pipe();
    pipe.initialize("2025-11-25").await;
    for line in ["no JSON", "[]"] {
        pipe.write(line).await;
        codes.insert(pipe.read().await.unwrap()["error"]["code"].as_i64().unwrap());
    }
    for (method, params) in [
        ("no/such/method", json!({})),
        ("tools/call", json!({"name": "no_such_tool"})),
        ("resources/read", customer.clone()),
        ("resources/read", json!({"uri": "fintecture://customers/cus_1/nothing"})),
    ] {
        codes.insert(pipe.request(method, params).await["error"]["code"].as_i64().unwrap());
    }
    let server = setup.http().await;
    let ask = async |headers: [(&str, &str); 2], params: Value| {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params});
        let request = http().post(server.url("/mcp")).header("accept", "application/json, text/event-stream");
        let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        let answer: Value = in_time(request.json(&body).send()).await.unwrap().json().await.unwrap();
        answer["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error: {answer}"))
    };
    let version = ("mcp-protocol-version", "2026-07-28");
    codes.insert(ask([version, ("mcp-method", "prompts/list")], stateless(json!({}))).await);
    let mut later = stateless(json!({}));
    later["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2099-01-01");
    codes.insert(ask([("mcp-protocol-version", "2099-01-01"), ("mcp-method", "tools/list")], later).await);

    let page = page("errors.md");
    let told = table(&page, "## Errors of the protocol");
    let told: BTreeSet<i64> = told[1..].iter().map(|row| row[0].parse().unwrap()).collect();
    assert_eq!(told, codes);
}

/// A head and perhaps the beginning of a body, in exactly these bytes. Returns the status of what comes back.
async fn raw(server: &HttpServer, request: &[u8]) -> u16 {
    let address = server.url("").replace("http://", "");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    // It may answer before it has read all.
    let _ = stream.write_all(request).await;
    let mut answer = vec![0; 12];
    in_time(stream.read_exact(&mut answer)).await.unwrap();
    String::from_utf8(answer).unwrap().rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn every_status_before_a_call_is_on_the_page() {
    let mut statuses = BTreeSet::new();
    let server = Setup::simulator()
        .variable("FINTECTURE_ENVIRONMENT", "simulator")
        .flag("--limit=body-seconds=1")
        .flag("--limit=sessions=1")
        .http()
        .await;
    let ask = async |method: Method, path: &str, headers: &[(&str, &str)], body: &str| {
        let mut request = http().request(method, server.url(path)).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        in_time(request.send()).await.unwrap().status().as_u16()
    };
    let (json, all) =
        (("content-type", "application/json"), ("accept", "application/json, text/event-stream"));
    let post = Method::POST;
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "page", "version": "1"}}});
    let hello = hello.to_string();
    assert_eq!(ask(post.clone(), "/mcp", &[json, all], &hello).await, 200);
    let refused = [
        ask(post.clone(), "/mcp", &[json, all], "no JSON").await,
        ask(post.clone(), "/mcp", &[json, all, ("origin", "https://evil.example")], &hello).await,
        ask(Method::GET, "/nothing", &[], "").await,
        ask(Method::PUT, "/mcp", &[json, all], &hello).await,
        ask(post.clone(), "/mcp", &[json, ("accept", "image/png")], &hello).await,
        ask(post.clone(), "/mcp", &[json, all], &"x".repeat(1024 * 1024 + 1)).await,
        ask(post.clone(), "/mcp", &[("content-type", "text/plain"), all], &hello).await,
        // There is one session already.
        ask(post.clone(), "/mcp", &[json, all], &hello).await,
        raw(&server, b"POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{").await,
        raw(&server, format!("GET /mcp HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "x".repeat(100_000)).as_bytes()).await,
    ];
    statuses.extend(refused);

    let (token, line) = made("one", "customers:read").await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens");
    std::fs::write(&path, line).unwrap();
    let with_tokens = Setup::simulator()
        .variable("FINTECTURE_ENVIRONMENT", "simulator")
        .flag(&format!("--auth-tokens={}", path.display()))
        .flag("--limit=sessions-per-principal=1")
        .http()
        .await;
    for _ in 0..2 {
        let request = http().post(with_tokens.url("/mcp")).header(all.0, all.1).header(json.0, json.1);
        let answer = in_time(request.bearer_auth(&token).body(hello.clone()).send()).await.unwrap();
        statuses.insert(answer.status().as_u16());
    }
    statuses.insert(in_time(http().get(with_tokens.url("/mcp")).send()).await.unwrap().status().as_u16());
    statuses.remove(&200);

    let page = page("errors.md");
    let told = table(&page, "## Before a call: HTTP statuses");
    let told: BTreeSet<u16> = told[1..].iter().map(|row| row[0].parse().unwrap()).collect();
    assert_eq!(told, statuses);
}

/// The page names those that do not say why in `{"error": "..."}`.
#[tokio::test]
async fn what_is_refused_before_a_call_says_why_but_for_what_the_page_names() {
    let server = Setup::simulator().variable("FINTECTURE_ENVIRONMENT", "simulator").http().await;
    let body = async |request: reqwest::RequestBuilder| {
        let answer = in_time(request.send()).await.unwrap();
        (answer.status().as_u16(), in_time(answer.text()).await.unwrap())
    };
    let put = async |path: &str| body(http().put(server.url(path))).await;
    let as_json =
        |text: &str| serde_json::from_str::<Value>(text).ok().is_some_and(|body| body["error"].is_string());
    for path in ["/openapi.json", "/v1/tools/manage_customers"] {
        let (status, text) = put(path).await;
        assert!(status == 405 && as_json(&text), "{path}: {status} {text}");
    }
    for path in ["/sse", "/messages", "/health/live", "/health/ready", "/metrics"] {
        assert_eq!(put(path).await, (405, String::new()), "{path}");
    }
    for (expected, (status, text)) in
        [(405, put("/mcp").await), (406, body(http().get(server.url("/mcp"))).await)]
    {
        assert!(status == expected && !text.is_empty() && !text.starts_with('{'), "{status} {text}");
    }
    let long = http().get(server.url("/mcp")).header("x", "x".repeat(100_000));
    assert_eq!(body(long).await, (431, String::new()));
    let (status, text) = body(http().get(server.url("/nothing"))).await;
    assert!(status == 404 && as_json(&text), "{status} {text}");
}
