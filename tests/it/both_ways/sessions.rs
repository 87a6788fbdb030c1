//! Calls within a session: of Streamable HTTP, and of legacy SSE, whose wire is that of stdio, too.

use fintecture_mcp::calls::CallsConfig;
use serde_json::{Value, json};

use super::requests::{self, Named, Sent};
use super::ways::{Ways, hello};
use super::{everything, tells_everything_the_same};
use crate::support::upstream::Upstream;
use crate::support::wire::OLDER;

fn named() -> Value {
    json!({"name": "a \"client\"", "version": "1"})
}

/// The one that is given no links.
fn nameless() -> Value {
    json!({"name": "mcp", "version": "0.1.0"})
}

#[tokio::test]
async fn every_action_and_every_error_is_told_the_same_in_sessions() {
    for (revision, client) in
        OLDER.map(|revision| (revision, named())).into_iter().chain([(OLDER[3], nameless())])
    {
        let upstream = Upstream::answering(everything()).await;
        let config = || CallsConfig { masks_personal_data: revision == OLDER[2], ..CallsConfig::default() };
        let ways = Ways::before(&upstream, config).await.in_sessions(&hello(revision, &client)).await;
        tells_everything_the_same(&upstream, &ways).await;
    }
}

#[tokio::test]
async fn every_action_and_every_error_is_told_the_same_over_legacy_sse() {
    for revision in OLDER {
        let upstream = Upstream::answering(everything()).await;
        let mut ways = Ways::before(&upstream, CallsConfig::default).await.over_streams().await;
        ways.greet(&hello(revision, &named())).await;
        tells_everything_the_same(&upstream, &ways).await;
    }
}

/// Right, each in another way.
fn taken(get: &Sent) -> Vec<Named> {
    let sent = [
        ("as it is", get.clone()),
        ("nothing in _meta", get.with("/params/_meta", json!({}))),
        ("null for _meta", get.with("/params/_meta", Value::Null)),
        ("a client's own in _meta", get.with("/params/_meta", json!({"example.com/id": "x", "more": [1]}))),
        ("a trace", get.with("/params/_meta", json!({"traceparent": "none", "tracestate": 1}))),
        ("no arguments", get.without("/params/arguments")),
        ("null for arguments", get.with("/params/arguments", Value::Null)),
        ("a tool with an escape", get.spelled("\"manage_customers\"", br#""manage\u005fcustomers""#)),
        ("a method with an escape", get.spelled("tools/call", br"tools\/call")),
        ("deep", get.with("/params/arguments/page", requests::nested(124))),
        ("long", get.with("/params/arguments/page", json!("x".repeat(1_000_000)))),
        ("id", get.spelled("\"id\":7", b"\"id\":\"\xc3\xa9\\n\"")),
        ("id", get.spelled("\"id\":7", b"\"id\":1.0")),
    ];
    sent.map(|(what, sent)| (what.to_owned(), sent)).into()
}

/// Wrong, or what the short way leaves to rmcp.
fn left(get: &Sent) -> Vec<Named> {
    let mut sent: Vec<Named> = Vec::new();
    let mut add = |what: &str, it: Sent| sent.push((what.to_owned(), it));
    for key in ["progressToken", "io.modelcontextprotocol/related-task", "io.modelcontextprotocol/clientInfo"]
    {
        let values = [json!(1), json!({}), json!({"name": "x", "version": "1"})];
        for value in values {
            add(&format!("{key} {value}"), get.with("/params/_meta", json!({key: value})));
        }
    }
    for (place, value) in [
        ("/params/name", json!("manage_loans")),
        ("/params/name", json!(1)),
        ("/params/arguments", json!([])),
        ("/params/_meta", json!([])),
        ("/params/task", json!({"ttl": 1})),
        ("/params/inputResponses", json!({})),
        ("/params/requestState", json!("x")),
        ("/params/more", json!(1)),
        ("/more", json!(1)),
        ("/method", json!("tools/list")),
        ("/method", json!("nothing")),
        ("/params", json!([])),
        ("/jsonrpc", json!("1.0")),
        ("/id", json!(1.5)),
        ("/id", json!([])),
        ("/params/arguments/wait_seconds", json!(1)),
        ("/params/arguments/page", requests::nested(125)),
    ] {
        add(place, get.with(place, value));
    }
    for (member, other) in [
        ("\"id\":", "8"),
        ("\"method\":", "\"tools/call\""),
        ("\"name\":", "\"x\""),
        ("\"customer_id\":", "\"cus_2\""),
    ] {
        add(&format!("{member} twice"), get.spelled(member, format!("{member}{other},{member}").as_bytes()));
    }
    sent
}

#[tokio::test]
async fn every_odd_call_of_a_session_is_answered_the_same() {
    let upstream = Upstream::saying(json!({"id": "cus_1", "data": []})).await;
    for (number, revision) in OLDER.into_iter().enumerate() {
        let hello = hello(revision, &named());
        let ways = Ways::before(&upstream, CallsConfig::default).await.in_sessions(&hello).await;
        answers_the_same(&ways).await;
        let get = ways.get();
        let version = |values: &[&[u8]]| get.headed("mcp-protocol-version", values);
        assert!(ways.takes(&version(&[])), "a client need not say the revision");
        ways.answer(&version(&[])).await;
        let other = OLDER[(number + 1) % OLDER.len()].as_bytes();
        for values in [
            &[other][..],
            &[revision.as_bytes(), revision.as_bytes()],
            &[b""],
            &[b"\xff"],
            &[b"2027-01-01"],
            &[b"2026-07-28"],
        ] {
            assert!(!ways.takes(&version(values)), "{values:?}");
            ways.answer(&version(values)).await;
        }
        for sent in [
            get.headed("accept", &[b"application/json"]),
            get.headed("accept", &[b"*/*"]),
            get.headed("accept", &[b"application/json;q=0.5, text/event-stream"]),
        ] {
            assert!(!ways.takes(&sent));
            ways.answer(&sent).await;
        }
        let nobodys = get.headed("mcp-session-id", &[b"nobody's"]);
        assert_eq!(ways.answer(&nobodys).await.status, 404);
    }
}

#[tokio::test]
async fn every_odd_call_over_legacy_sse_is_answered_the_same() {
    let upstream = Upstream::saying(json!({"id": "cus_1", "data": []})).await;
    for revision in [OLDER[0], OLDER[1], OLDER[3]] {
        let mut ways = Ways::before(&upstream, CallsConfig::default).await.over_streams().await;
        ways.greet(&hello(revision, &named())).await;
        answers_the_same(&ways).await;
    }
}

/// What is odd in a session, and what would be odd without one.
async fn answers_the_same(ways: &Ways) {
    let get = ways.get();
    for (what, sent) in taken(&get) {
        assert!(ways.takes(&sent), "{what}: it is left to rmcp");
        assert_eq!(ways.answer(&sent).await.status, 200, "{what}");
    }
    for (what, sent) in left(&get) {
        assert!(!ways.takes(&sent), "{what}: it is taken");
        ways.answer(&sent).await;
    }
    let Some(revision) = get.headers.get("mcp-protocol-version").and_then(|it| it.to_str().ok()) else {
        panic!("a revision")
    };
    let (mut took, mut left) = (0, 0);
    for (_, sent) in requests::taken().into_iter().chain(requests::left()) {
        let sent = sent.of_a_session(revision);
        let count = if ways.takes(&sent) { &mut took } else { &mut left };
        *count += 1;
        ways.answer(&sent).await;
    }
    assert!(took > 20 && left > 50, "{took} were taken, {left} left");
}

/// Nothing was agreed before the handshake, a call right behind it is right, and after another one rmcp alone knows what
/// holds.
#[tokio::test]
async fn a_call_has_the_same_answer_before_and_after_each_handshake() {
    let upstream = Upstream::saying(json!({"id": "cus_1"})).await;
    let mut ways = Ways::before(&upstream, CallsConfig::default).await.over_streams().await;
    let get = ways.get();
    assert!(!ways.takes(&get));
    assert!(ways.answer(&get).await.body.contains("error"));
    ways.greet(&hello(OLDER[2], &named())).await;
    let first = ways.answer(&get).await;
    assert!(ways.takes(&get) && first.body.contains("resource_link"));
    let again = hello(OLDER[0], &named()).to_string();
    ways.answer(&get.body(again.clone())).await;
    let then = ways.answer(&get).await;
    assert!(!then.body.contains("resource_link"), "the first revision has no links: {}", then.body);

    let ways = Ways::before(&upstream, CallsConfig::default).await;
    let ways = ways.in_sessions(&hello(OLDER[2], &named())).await;
    let get = ways.get();
    assert_eq!(ways.answer(&get).await.body, first.body);
    ways.answer(&get.headed("mcp-protocol-version", &[]).body(again)).await;
    assert_eq!(ways.answer(&get).await.body, then.body);
}
