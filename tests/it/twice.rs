//! A message in which a member stands twice: whoever looked at it before us may have seen the other one, so that it is
//! refused over every wire, whichever way its call would have gone.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::http_server::{HttpServer, http};
use crate::support::in_time;
use crate::support::setup::Setup;
use crate::support::upstream::Upstream;
use crate::support::wire::{OLDER, STATELESS, Wire, stateless};

/// The revision that has batches.
const REVISION: &str = OLDER[1];

/// A write and a read, each of which names two, and a member within a member.
fn ambiguous() -> [String; 5] {
    let account = json!({"action": "create", "customer_id": "cus_1", "iban": "IBAN", "holder_name": "Ada"});
    let account = call("manage_bank_accounts", &account);
    let customer = call("manage_customers", &json!({"action": "get", "customer_id": "cus_1"}));
    let twice = |account: &str| {
        account.replace(
            r#""iban":"IBAN""#,
            r#""iban":"FR7630006000011234567890189","ib\u0061n":"DE89370400440532013000""#,
        )
    };
    let unread = r#"{"x":{"$serde_json::private::RawValue":"no json"},"#;
    [
        twice(&account),
        twice(&account.replacen('{', unread, 1)),
        account.replace(r#""IBAN""#, r#"{"$serde_json::private::RawValue":"\"DE89370400440532013000\""}"#),
        customer.replace(r#""customer_id":"#, r#""customer_id":"cus_2","customer_id":"#),
        customer.replace(r#""_meta":{"#, r#""_meta":{"example.com/of":{"whom":1,"whom":2},"#),
    ]
}

fn call(tool: &str, arguments: &Value) -> String {
    let params = stateless(json!({"name": tool, "arguments": arguments}));
    json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}).to_string()
}

fn assert_is_refused(answer: &Value, what: &str) {
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(7), &json!(-32600)), "{what}: {answer}");
    assert_eq!(
        answer["error"]["message"], "a member stands in it twice, or has a name that no member may have",
        "{what}"
    );
}

/// The answer to a text, sent as it stands.
async fn answer(wire: &mut Wire, text: &str) -> Value {
    let post = match wire {
        Wire::Stdio(pipe) => {
            pipe.write(text).await;
            return pipe.read().await.unwrap();
        }
        Wire::LegacySse { messages, .. } => http().post(messages.clone()),
        Wire::Http { server, session, .. } => {
            post_to(server).header("mcp-session-id", session.as_deref().unwrap())
        }
    };
    let post = post.header("content-type", "application/json").body(text.to_owned());
    let said = in_time(in_time(post.send()).await.unwrap().text()).await.unwrap();
    // The answers to a batch may come one after the other.
    serde_json::from_str(&said).unwrap_or_else(|_| {
        let events = said.lines().filter_map(|line| line.strip_prefix("data:"));
        events.filter_map(|data| serde_json::from_str::<Value>(data).ok()).collect()
    })
}

fn post_to(server: &HttpServer) -> reqwest::RequestBuilder {
    http().post(server.url("/mcp")).header("accept", "application/json, text/event-stream")
}

#[tokio::test]
async fn it_is_refused_over_every_wire_and_nothing_is_sent() {
    let upstream = Upstream::saying(json!({"id": "cus_1"})).await;
    let setup = Setup::against(&upstream.base_url());
    let server = Arc::new(setup.http().await);
    let wires = [
        ("stdio", Wire::Stdio(Box::new(setup.pipe()))),
        ("http", Wire::http(Arc::clone(&server))),
        ("legacy sse", Wire::legacy_sse(&server).await),
    ];
    for (name, mut wire) in wires {
        wire.initialize(REVISION).await;
        for text in ambiguous() {
            assert_is_refused(&answer(&mut wire, &text).await, &format!("{name}: {text}"));
        }
    }
    for text in ambiguous() {
        let is_account = text.contains("manage_bank_accounts");
        let post = post_to(&server)
            .header("content-type", "application/json")
            .header("mcp-protocol-version", STATELESS)
            .header("mcp-method", "tools/call")
            .header("mcp-name", if is_account { "manage_bank_accounts" } else { "manage_customers" })
            .body(text.clone());
        let refused: Value = in_time(in_time(post.send()).await.unwrap().json()).await.unwrap();
        assert_is_refused(&refused, &format!("{STATELESS}: {text}"));
    }
    assert_eq!(upstream.requests().await.len(), 0);
}

/// One of a batch is refused alone.
#[tokio::test]
async fn it_is_refused_in_a_batch() {
    let upstream = Upstream::saying(json!({"id": "cus_1"})).await;
    let setup = Setup::against(&upstream.base_url());
    let server = Arc::new(setup.http().await);
    for mut wire in [Wire::Stdio(Box::new(setup.pipe())), Wire::http(server)] {
        wire.initialize(REVISION).await;
        for text in ambiguous() {
            let batch = format!(r#"[{text},{{"jsonrpc":"2.0","id":8,"method":"ping"}}]"#);
            let answers = answer(&mut wire, &batch).await;
            let of = |id: u64| answers.as_array().unwrap().iter().find(|answer| answer["id"] == id).unwrap();
            assert_is_refused(of(7), &text);
            assert_eq!(of(8)["result"], json!({}));
        }
    }
    assert_eq!(upstream.requests().await.len(), 0);
}
