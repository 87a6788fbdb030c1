//! What goes out to the upstream, exactly.

use std::collections::HashSet;

use serde_json::{Value, json};
use uuid::Uuid;
use wiremock::{Request, ResponseTemplate};

use crate::support::operations;
use crate::support::setup::{Setup, TOKEN};
use crate::support::upstream::Upstream;
use crate::support::wire::stateless_request;

fn target(request: &Request) -> String {
    let query = request.url.query().map_or_else(String::new, |query| format!("?{query}"));
    format!("{}{query}", request.url.path())
}

#[tokio::test]
async fn each_operation() {
    let upstream = Upstream::saying(Value::Null).await;
    let agent = Setup::against(&upstream.base_url()).agent().await;
    let mut ids = HashSet::new();
    for operation in operations::all() {
        upstream.now_answering(ResponseTemplate::new(200).set_body_json(operation.plain_answer())).await;
        agent.good(operation.tool, operation.arguments.clone()).await;
        let requests = upstream.requests().await;
        let [request] = requests.as_slice() else { panic!("one call, one request: {}", operation.name) };
        assert_eq!(request.method.as_str(), operation.method, "{}", operation.name);
        assert_eq!(target(request), operation.target);
        let body = if request.body.is_empty() { Value::Null } else { request.body_json().unwrap() };
        assert_eq!(body, operation.body, "{}", operation.name);
        let header = |name: &str| request.headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
        assert_eq!(header("accept"), Some("application/json"));
        assert_eq!(header("content-type"), operation.writes().then_some("application/json"));
        assert_eq!(header("user-agent"), Some(concat!("fintecture-mcp/", env!("CARGO_PKG_VERSION"))));
        let id: Uuid = header("x-request-id").unwrap().parse().unwrap();
        assert_eq!(id.get_version_num(), 4);
        assert!(ids.insert(id), "each request has an id of its own");
        let mut names: Vec<&str> = request.headers.keys().map(wiremock::http::HeaderName::as_str).collect();
        names.sort_unstable();
        let written = [
            "accept",
            "authorization",
            "content-length",
            "content-type",
            "host",
            "user-agent",
            "x-request-id",
        ];
        let read = ["accept", "authorization", "host", "user-agent", "x-request-id"];
        assert_eq!(names, if operation.writes() { written.as_slice() } else { &read });
    }
}

#[tokio::test]
async fn optional_arguments_that_are_not_given_are_not_sent() {
    let upstream = Upstream::saying(json!({"data": []})).await;
    let agent = Setup::against(&upstream.base_url()).agent().await;
    agent.good("manage_customers", json!({"action": "list"})).await;
    let requests = upstream.requests().await;
    assert_eq!(
        target(&requests[0]),
        "/v1/customers?page%5Bsize%5D=20",
        "the size is sent to know the last page"
    );
    upstream.now_answering(ResponseTemplate::new(200).set_body_json(json!({"id": "v"}))).await;
    agent.good("verify_identity", json!({"action": "start", "customer_id": "c"})).await;
    let account =
        json!({"action": "create", "customer_id": "c", "iban": "NO9386011117947", "holder_name": "N"});
    agent.good("manage_bank_accounts", account).await;
    let requests = upstream.requests().await;
    assert_eq!(requests[0].body_json::<Value>().unwrap(), json!({}));
    assert_eq!(
        requests[1].body_json::<Value>().unwrap(),
        json!({"iban": "NO9386011117947", "holder_name": "N"})
    );
}

/// A base URL with a path: what a company's own proxy has.
#[tokio::test]
async fn a_path_of_the_base_url_stays_in_front() {
    let upstream = Upstream::saying(json!({"id": "cus_1"})).await;
    for suffix in ["/proxy/fintecture", "/proxy/fintecture/"] {
        let agent = Setup::against(&format!("{}{suffix}", upstream.base_url())).agent().await;
        agent.good("manage_customers", json!({"action": "get", "customer_id": "cus_1"})).await;
    }
    for request in upstream.requests().await {
        assert_eq!(request.url.path(), "/proxy/fintecture/v1/customers/cus_1");
    }
}

/// Passing a caller's token on is forbidden by the protocol's security guidance.
#[tokio::test]
async fn no_inbound_header_reaches_the_upstream() {
    let upstream = Upstream::saying(json!({"id": "cus_1"})).await;
    let server = Setup::against(&upstream.base_url()).http().await;
    let call = json!({"name": "manage_customers", "arguments": {"action": "get", "customer_id": "cus_1"}});
    let answer = stateless_request(&server, "tools/call", call)
        .header("authorization", "Bearer inbound-canary")
        .header("cookie", "inbound-canary=1")
        .header("x-request-id", "inbound-canary")
        .header("x-forwarded-for", "192.0.2.1")
        .header("traceparent", "00-inbound")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let requests = upstream.requests().await;
    let [request] = requests.as_slice() else { panic!("the call was carried out") };
    assert_eq!(request.headers["authorization"], format!("Bearer {TOKEN}"));
    assert!(!format!("{:?}", request.headers).contains("inbound"), "{:?}", request.headers);
    assert_eq!(request.headers.get("x-forwarded-for"), None);
}

/// A proxy of the surroundings would see the token in clear.
#[tokio::test]
async fn loopback_is_never_reached_through_a_proxy() {
    let proxy = Upstream::saying(json!({"id": "proxied"})).await;
    let upstream = Upstream::saying(json!({"id": "cus_1"})).await;
    let mut setup = Setup::against(&upstream.base_url()).variable("NO_PROXY", "").variable("no_proxy", "");
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        setup = setup.variable(name, &proxy.base_url());
    }
    let get = json!({"action": "get", "customer_id": "cus_1"});
    assert_eq!(setup.agent().await.good("manage_customers", get).await["customer"]["id"], "cus_1");
    assert_eq!(proxy.count().await, 0);
}

/// The shipped files, some words replaced, in a folder of their own.
fn capabilities(replacements: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/capabilities")).unwrap() {
        let path = entry.unwrap().path();
        let mut text = std::fs::read_to_string(&path).unwrap();
        for (from, to) in replacements {
            text = text.replace(from, to);
        }
        std::fs::write(folder.path().join(path.file_name().unwrap()), text).unwrap();
    }
    folder
}

#[tokio::test]
async fn a_capability_file_changes_the_path_and_the_words_and_never_the_host() {
    let elsewhere = Upstream::saying(json!({"id": "cus_1"})).await;
    let upstream = Upstream::saying(json!({"data": []})).await;
    let folder = capabilities(&[
        ("/bank-accounts", "/bank_accounts"),
        ("https://api-sandbox.fintecture.com", &elsewhere.base_url()),
        ("Lists, adds and reads the bank accounts of one customer.", "Our own words."),
    ]);
    let setup = Setup::against(&upstream.base_url());
    let agent = setup.flag("--capabilities").flag(folder.path().to_str().unwrap()).agent().await;
    agent.good("manage_bank_accounts", json!({"action": "list", "customer_id": "cus_1"})).await;
    assert_eq!(upstream.requests().await[0].url.path(), "/v1/customers/cus_1/bank_accounts");
    assert_eq!(elsewhere.count().await, 0, "baseUri is informative");
    let tools = agent.client.list_all_tools().await.unwrap();
    let words = tools.iter().find(|tool| tool.name == "manage_bank_accounts").unwrap().description.clone();
    assert!(words.unwrap().contains("Our own words."));
}
