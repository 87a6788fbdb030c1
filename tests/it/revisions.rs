//! Every protocol revision that clients speak today, on each way in.

use serde_json::{Value, json};

use crate::support::contract::Contract;
use crate::support::http_server::http;
use crate::support::in_time;
use crate::support::wire::{self, OLDER, STATELESS, Wire, stateless};

fn get_ada() -> Value {
    json!({"name": "manage_customers", "arguments": {"action": "get", "customer_id": "sim_cus_ada"}})
}

/// The result of a call, held against the output schema that the same connection lists.
fn check(tools: &Value, call: &Value) -> Value {
    let contract = Contract::of(tools["result"]["tools"].as_array().unwrap());
    contract.check("manage_customers", &call["result"]).good()
}

#[tokio::test]
async fn with_a_handshake() {
    for revision in OLDER {
        for (name, mut wire) in wire::each().await {
            let about = wire.initialize(revision).await;
            assert_eq!(
                about["protocolVersion"], revision,
                "{name} answers in the revision that was asked for"
            );
            assert_eq!(about["serverInfo"]["name"], "fintecture-mcp");
            let tools = wire.request("tools/list", json!({})).await;
            let call = wire.request("tools/call", get_ada()).await;
            assert_eq!(check(&tools, &call)["customer"]["first_name"], "Ada", "{name} {revision}");
            assert_eq!(wire.request("ping", json!({})).await["result"], json!({}), "{name} {revision}");
        }
    }
}

#[tokio::test]
async fn an_unknown_revision_is_answered_with_a_known_one() {
    for (name, mut wire) in wire::each().await {
        let about = wire.initialize("2199-01-01").await;
        assert!(OLDER.contains(&about["protocolVersion"].as_str().unwrap()), "{name}: {about}");
    }
}

#[tokio::test]
async fn without_a_handshake() {
    for (name, mut wire) in wire::each().await {
        let discovered = wire.request("server/discover", stateless(json!({}))).await;
        let versions = &discovered["result"]["supportedVersions"];
        assert!(
            versions.as_array().is_some_and(|all| all.contains(&json!(STATELESS))),
            "{name}: {discovered}"
        );
        let tools = wire.request("tools/list", stateless(json!({}))).await;
        let call = wire.request("tools/call", stateless(get_ada())).await;
        assert_eq!(check(&tools, &call)["customer"]["first_name"], "Ada", "{name}");
    }
}

/// Clients that negotiate ask first, and shake hands when they find an older server, or want one.
#[tokio::test]
async fn a_handshake_after_a_question() {
    for (name, mut wire) in wire::each().await {
        wire.request("server/discover", stateless(json!({}))).await;
        let about = wire.initialize("2025-06-18").await;
        assert_eq!(about["protocolVersion"], "2025-06-18", "{name}");
        let tools = wire.request("tools/list", json!({})).await;
        let call = wire.request("tools/call", get_ada()).await;
        assert_eq!(check(&tools, &call)["customer"]["last_name"], "Byron", "{name}");
    }
}

/// 2025-03-26, that revision alone, has batches.
#[tokio::test]
async fn a_batch() {
    for (name, mut wire) in wire::each().await {
        wire.initialize("2025-03-26").await;
        let tools = wire.request("tools/list", json!({})).await;
        let request = |id: u64, method: &str, params: Value| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let batch = json!([
            request(1, "tools/call", get_ada()),
            {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "none"}},
            request(2, "ping", json!({})),
            request(3, "no/such/method", json!({})),
        ]);
        let mut answers = wire.send(&batch, 3).await;
        answers.sort_by_key(|answer| answer["id"].as_u64());
        assert_eq!(check(&tools, &answers[0])["customer"]["first_name"], "Ada", "{name}");
        assert_eq!(answers[1]["result"], json!({}), "{name}");
        assert_eq!(answers[2]["error"]["code"], -32601, "{name}");
    }
}

#[tokio::test]
async fn a_batch_where_there_is_none() {
    for revision in ["2025-06-18", "2025-11-25"] {
        for (name, mut wire) in wire::each().await {
            wire.initialize(revision).await;
            let batch = json!([{"jsonrpc": "2.0", "id": 1, "method": "ping"}]);
            if let Wire::LegacySse { messages, .. } = &wire {
                let refused =
                    crate::support::http_server::http().post(messages.clone()).json(&batch).send().await;
                assert_eq!(refused.unwrap().status(), 400);
                continue;
            }
            let answers = wire.send(&batch, 1).await;
            assert_eq!(answers[0]["error"]["code"], -32600, "{name} {revision}");
        }
    }
}

/// What a client says of itself is kept as long as its session: it has a bound, and a session below it opens afterwards.
#[tokio::test]
async fn a_handshake_that_says_too_much() {
    const TOO_MUCH: &str = "initialize, or the _meta of a request, is larger than 64 KiB";
    let about = json!({"name": "n".repeat(70_000), "version": "1"});
    let handshake = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": &about});
    let meta = stateless(json!({"_meta": {"io.modelcontextprotocol/clientInfo": about}}));
    for (name, mut wire) in wire::each().await {
        for (method, params) in [("initialize", &handshake), ("tools/list", &meta)] {
            let answer = if let Wire::LegacySse { messages, .. } = &wire {
                let message = json!({"jsonrpc": "2.0", "id": method, "method": method, "params": params});
                let posted = in_time(http().post(messages.clone()).json(&message).send()).await.unwrap();
                assert_eq!(posted.status(), 400);
                posted.json().await.unwrap()
            } else {
                wire.request(method, params.clone()).await
            };
            assert_eq!(
                (&answer["id"], &answer["error"]["message"]),
                (&json!(method), &json!(TOO_MUCH)),
                "{name}"
            );
        }
        wire.initialize("2025-11-25").await;
        assert!(wire.request("tools/list", json!({})).await["result"]["tools"].is_array(), "{name}");
    }
}
