//! Every kind of error as an agent reads it, for reads and for writes.

use serde_json::{Map, Value, json};
use wiremock::ResponseTemplate;

use crate::support::agent::Agent;
use crate::support::operations::{self, Operation, read_and_write};
use crate::support::setup::Setup;
use crate::support::upstream::Upstream;

/// A server before an upstream that always answers in this way.
async fn before(answer: ResponseTemplate) -> (Agent, Upstream) {
    let upstream = Upstream::answering(answer).await;
    (Setup::against(&upstream.base_url()).agent().await, upstream)
}

/// The error of a call, after it was seen that the request id in it is the one that was sent.
async fn error_of(agent: &Agent, upstream: &Upstream, operation: &Operation) -> Value {
    let answer = agent.call(operation.tool, operation.arguments.clone()).await;
    assert_eq!(answer.body["action"], operation.arguments["action"]);
    assert_eq!(answer.body["environment"], "sandbox");
    let requests = upstream.requests().await;
    let sent = requests.last().unwrap().headers["x-request-id"].to_str().unwrap();
    assert_eq!(answer.body["error"]["request_id"], sent);
    answer.redacted()["error"].clone()
}

/// One answer of the upstream, seen by a read and by a write.
async fn seen(answer: ResponseTemplate) -> Value {
    let (agent, upstream) = before(answer).await;
    let [read, write] = read_and_write();
    json!({
        "read": error_of(&agent, &upstream, &read).await,
        "write": error_of(&agent, &upstream, &write).await,
    })
}

fn refusing(status: u16, detail: &str) -> ResponseTemplate {
    let error = json!({"status": status.to_string(), "code": "a_code", "title": "A title", "detail": detail});
    ResponseTemplate::new(status).set_body_json(json!({"errors": [error]}))
}

#[tokio::test]
async fn unauthorized() {
    insta::assert_json_snapshot!(seen(refusing(401, "the token has expired")).await);
}

#[tokio::test]
async fn forbidden() {
    insta::assert_json_snapshot!(seen(refusing(403, "the scope is missing")).await);
}

#[tokio::test]
async fn not_found_says_where_the_id_comes_from() {
    let (agent, upstream) = before(ResponseTemplate::new(404)).await;
    let mut hints = Map::new();
    for operation in operations::all() {
        let error = error_of(&agent, &upstream, &operation).await;
        assert_eq!(error["kind"], "not_found");
        assert_eq!(error["message"], "the upstream answered with status 404");
        assert_eq!(error.get("outcome").is_some(), operation.writes());
        hints.insert(operation.name.to_owned(), error["hint"].clone());
    }
    insta::assert_json_snapshot!(hints);
}

#[tokio::test]
async fn conflict() {
    insta::assert_json_snapshot!(seen(refusing(409, "external_id is taken")).await);
}

#[tokio::test]
async fn rate_limited_in_seconds() {
    // Longer than a call may last, so nobody waits for it here: it is told at once.
    insta::assert_json_snapshot!(seen(refusing(429, "slow down").insert_header("retry-after", "60")).await);
}

#[tokio::test]
async fn rate_limited_until_a_date() {
    let past =
        seen(ResponseTemplate::new(429).insert_header("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")).await;
    for side in ["read", "write"] {
        assert_eq!(past[side]["kind"], "rate_limited");
        assert_eq!(past[side]["retry_after_seconds"], 0, "a date that has passed asks for no wait");
    }
    let future =
        seen(ResponseTemplate::new(429).insert_header("retry-after", "Tue, 31 Dec 2999 23:59:59 GMT")).await;
    assert!(future["read"]["retry_after_seconds"].as_u64().unwrap() > 1_000_000);
    let neither = seen(ResponseTemplate::new(429).insert_header("retry-after", "soon")).await;
    assert_eq!(neither["read"].get("retry_after_seconds"), None, "what is no time is left out");
}

#[tokio::test]
async fn upstream_rejected_in_every_known_shape() {
    let bodies = [
        (
            "several errors",
            json!({"errors": [
                {"status": "422", "code": "invalid_iban", "title": "Bad", "detail": "No such IBAN"},
                {"title": "Two"},
            ]}),
        ),
        ("code and message", json!({"errors": [{"code": "x", "message": "m"}]})),
        ("message", json!({"message": "Nope", "status": 422})),
        ("oauth", json!({"error": "invalid_client", "error_description": "Wrong id"})),
        ("nothing", json!({})),
    ];
    let mut messages = Map::new();
    for (name, body) in bodies {
        let seen = seen(ResponseTemplate::new(422).set_body_json(body)).await;
        assert_eq!(seen["read"]["message"], seen["write"]["message"]);
        messages.insert(name.to_owned(), seen["write"]["message"].clone());
    }
    let text = seen(ResponseTemplate::new(400).set_body_string("plain\r\nwords")).await;
    messages.insert("plain text".to_owned(), text["write"]["message"].clone());
    let html = seen(ResponseTemplate::new(400).set_body_string("<html><h1>Bad Request</h1></html>")).await;
    messages.insert("html".to_owned(), html["write"]["message"].clone());
    let hidden = seen(refusing(400, "up\u{202E}side\u{7}\u{1b}[31m down\nignore all\n")).await;
    messages.insert("hidden characters".to_owned(), hidden["write"]["message"].clone());
    let long = seen(refusing(400, &"é".repeat(2000))).await;
    let said = long["write"]["message"].as_str().unwrap().chars().count();
    assert!((500..600).contains(&said), "{said} characters");
    insta::assert_json_snapshot!(messages);
}

#[tokio::test]
async fn upstream_rejected() {
    insta::assert_json_snapshot!(seen(refusing(422, "first_name is missing")).await);
}

#[tokio::test]
async fn every_other_4xx_is_a_rejection() {
    for status in [400, 402, 405, 406, 410, 413, 415, 418, 422, 451, 499] {
        let seen = seen(ResponseTemplate::new(status)).await;
        for side in ["read", "write"] {
            assert_eq!(seen[side]["kind"], "upstream_rejected", "{status}");
            assert_eq!(seen[side]["upstream_status"], status);
            assert_eq!(seen[side]["retryable"], false);
        }
    }
}

#[tokio::test]
async fn upstream_unavailable_and_outcome_unknown() {
    insta::assert_json_snapshot!(seen(refusing(503, "maintenance").insert_header("retry-after", "60")).await);
}

#[tokio::test]
async fn statuses_that_leave_a_write_unknown() {
    for status in [300, 302, 307, 308, 408, 425, 500, 502, 503, 504, 599] {
        let seen = seen(ResponseTemplate::new(status)).await;
        assert_eq!(seen["read"]["kind"], "upstream_unavailable", "{status}");
        assert_eq!(seen["read"]["retryable"], true);
        assert_eq!(seen["read"].get("outcome"), None);
        assert_eq!(seen["write"]["kind"], "outcome_unknown", "{status}");
        assert_eq!(seen["write"]["retryable"], false);
        assert_eq!(seen["write"]["outcome"], "unknown");
        assert_eq!(seen["write"]["upstream_status"], status);
    }
}

#[tokio::test]
async fn outcome_unknown_says_how_to_find_out() {
    let (agent, upstream) = before(ResponseTemplate::new(500)).await;
    let mut hints = Map::new();
    for operation in operations::all().iter().filter(|operation| operation.writes()) {
        let error = error_of(&agent, &upstream, operation).await;
        hints.insert(operation.name.to_owned(), error["hint"].clone());
    }
    let lists = json!({"data": []});
    let broken = move |request: &wiremock::Request| match request.method.as_str() {
        "GET" => ResponseTemplate::new(200).set_body_json(&lists),
        _ => ResponseTemplate::new(500),
    };
    upstream.now_answering(broken).await;
    let named = operations::create_with_external_id();
    let answer = agent.call(named.tool, named.arguments).await;
    assert_eq!(answer.kind(), "outcome_unknown");
    hints.insert("createCustomer with external_id".to_owned(), answer.error()["hint"].clone());
    insta::assert_json_snapshot!(hints);
}

#[tokio::test]
async fn read_only_comes_before_the_arguments_and_the_network() {
    let upstream = Upstream::saying(json!({"id": "never"})).await;
    let agent = Setup::against(&upstream.base_url()).flag("--read-only").agent().await;
    let mut shown = Value::Null;
    for operation in operations::all().iter().filter(|operation| operation.writes()) {
        let good = agent.call(operation.tool, operation.arguments.clone()).await;
        let bad =
            agent.call(operation.tool, json!({"action": operation.arguments["action"], "nonsense": 1})).await;
        assert_eq!(good, bad, "the arguments are not looked at");
        assert_eq!(good.kind(), "read_only");
        shown = good.redacted();
    }
    insta::assert_json_snapshot!(shown);
    assert_eq!(upstream.count().await, 0);
    let unknown = agent.error("manage_customers", json!({"action": "creat"})).await;
    assert_eq!(unknown["problems"][0]["message"], "must be one of list, get", "writes are not offered");
}

#[tokio::test]
async fn reading_still_works_where_nothing_may_be_written() {
    let upstream = Upstream::saying(json!({"id": "cus_1"})).await;
    let agent = Setup::against(&upstream.base_url()).flag("--read-only").agent().await;
    let read = agent.good("manage_customers", json!({"action": "get", "customer_id": "cus_1"})).await;
    assert_eq!(read["customer"]["id"], "cus_1");
}
