//! Links from results to the resources that they name.

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::setup::Setup;
use crate::support::upstream::Upstream;
use crate::support::wire::{self, OLDER, stateless};

fn call(tool: &str, arguments: &Value) -> Value {
    json!({"name": tool, "arguments": arguments})
}

fn list_customers() -> Value {
    call("manage_customers", &json!({"action": "list"}))
}

/// The blocks behind the text, which is the first and stays the same JSON.
fn links(answer: &Value) -> Vec<Value> {
    let result = &answer["result"];
    let (text, links) = result["content"].as_array().unwrap().split_first().unwrap();
    let said: Value = serde_json::from_str(text["text"].as_str().unwrap()).unwrap();
    assert_eq!(said, result["structuredContent"]);
    links.to_vec()
}

fn uris(answer: &Value) -> Vec<String> {
    links(answer).iter().map(|link| link["uri"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn revisions_that_know_links_get_them_and_the_others_do_not() {
    for revision in OLDER {
        for (name, mut wire) in wire::each().await {
            wire.initialize(revision).await;
            let answer = wire.request("tools/call", list_customers()).await;
            let expected = if revision >= "2025-06-18" { 6 } else { 0 };
            assert_eq!(links(&answer).len(), expected, "{name} {revision}");
        }
    }
    for (name, mut wire) in wire::each().await {
        let answer = wire.request("tools/call", stateless(list_customers())).await;
        for link in links(&answer) {
            assert_eq!(link["type"], "resource_link");
            let read = wire.request("resources/read", stateless(json!({"uri": link["uri"]}))).await;
            let text = read["result"]["contents"][0]["text"].as_str().unwrap();
            let read: Value = serde_json::from_str(text).unwrap();
            assert_eq!(read["customer"]["id"], link["name"], "{name}");
        }
    }
}

/// The adapters of `LangChain` turn links into messages that a model's API refuses, and do not say that it is they.
#[tokio::test]
async fn a_client_without_a_name_of_its_own_gets_none() {
    let mut pipe = Setup::simulator().pipe();
    let client = json!({"name": "mcp", "version": "0.1.0"});
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client});
    pipe.request("initialize", params).await;
    pipe.write(r#"{"jsonrpc": "2.0", "method": "notifications/initialized"}"#).await;
    let answer = pipe.request("tools/call", list_customers()).await;
    assert_eq!(links(&answer), Vec::<Value>::new());
}

#[tokio::test]
async fn one_record_has_one_link_and_a_long_list_has_twenty() {
    let records: Vec<Value> =
        (0..30).map(|number| json!({"id": format!("x_{number}"), "holder_name": "Ada Byron"})).collect();
    let upstream = Upstream::saying(json!({"data": records})).await;
    let mut pipe = Setup::against(&upstream.base_url()).pipe();
    pipe.initialize("2025-11-25").await;
    for (tool, place) in [
        ("manage_customers", ""),
        ("manage_bank_accounts", "/c_1/bank-accounts"),
        ("verify_identity", "/c_1/verifications"),
    ] {
        let mut arguments = json!({"action": "list", "customer_id": "c_1"});
        if tool == "manage_customers" {
            arguments["customer_id"] = json!(null);
        }
        let found = uris(&pipe.request("tools/call", call(tool, &arguments)).await);
        assert_eq!(found.len(), 20, "{tool}");
        assert_eq!(found[19], format!("fintecture://customers{place}/x_19"));
    }
    upstream
        .now_answering(ResponseTemplate::new(200).set_body_json(
            json!({"id": 7, "iban": "FR7630006000011234567890189", "holder_name": "Ada Byron"}),
        ))
        .await;
    let get = json!({"action": "get", "customer_id": "c_1", "account_id": "7"});
    let answer = pipe.request("tools/call", call("manage_bank_accounts", &get)).await;
    let expected = json!([{
        "type": "resource_link", "uri": "fintecture://customers/c_1/bank-accounts/7", "name": "7",
        "title": "Bank account 7", "mimeType": "application/json",
    }]);
    assert_eq!(json!(links(&answer)), expected, "nothing of the record but its id");
}

#[tokio::test]
async fn no_link_to_what_is_no_id_is_masked_is_somebody_elses_or_failed() {
    let iban = "FR7630006000011234567890189";
    let records = json!({"data": [
        {"id": "a/../b"}, {"id": "ada.byron@example.com"}, {"id": iban}, {"id": "x_1", "customer_id": "c_2"}, {"id": "x_2"},
    ]});
    for (flag, linked) in [("full", vec![iban, "x_2"]), ("masked", vec!["x_2"])] {
        let upstream = Upstream::saying(records.clone()).await;
        let mut pipe = Setup::against(&upstream.base_url()).flag("--personal-data").flag(flag).pipe();
        pipe.initialize("2025-11-25").await;
        let list = |customer_id: &str| {
            call("manage_bank_accounts", &json!({"action": "list", "customer_id": customer_id}))
        };
        let expected: Vec<String> =
            linked.iter().map(|id| format!("fintecture://customers/c_1/bank-accounts/{id}")).collect();
        assert_eq!(uris(&pipe.request("tools/call", list("c_1")).await), expected);
        // The agent sent this id itself; a link would show it again.
        let of_masked = uris(&pipe.request("tools/call", list(iban)).await);
        assert_eq!(of_masked.is_empty(), flag == "masked", "{of_masked:?}");
        upstream.now_answering(ResponseTemplate::new(404)).await;
        assert_eq!(uris(&pipe.request("tools/call", list("c_1")).await), Vec::<String>::new());
    }
}
