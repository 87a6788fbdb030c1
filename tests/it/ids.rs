//! An id goes into a path: one that could change the path is refused, and never cleaned.

use serde_json::{Value, json};

use crate::support::operations;
use crate::support::setup::Setup;
use crate::support::upstream::Upstream;

/// Those of the known attacks on servers that build URLs from tool arguments, and their relatives.
fn hostile() -> Vec<String> {
    let mut ids: Vec<String> = [
        "..",
        ".",
        "../x",
        "%2e%2e",
        "%2E%2E%2F",
        "..%2f",
        "a/b",
        "a\\b",
        "/",
        "//",
        "?",
        "?a=b",
        "#",
        "a#b",
        "a?b",
        "\0",
        "a\0b",
        "\r\n",
        "a\r\nX-Injected: 1",
        " ",
        "a b",
        " a",
        "a ",
        "\t",
        "é",
        "ａ",
        "a;b",
        "a@b",
        "a:b",
        "a.b",
        "a%20b",
        "+",
        "*",
        "..;/",
        "\u{202E}a",
        "\u{FEFF}a",
        "http://example.com",
        "@example.com",
    ]
    .map(str::to_owned)
    .into();
    ids.push("a".repeat(65));
    ids.push("a".repeat(10 * 1024));
    ids.push("../".repeat(4 * 1024));
    ids
}

#[tokio::test]
async fn every_id_of_every_action_is_checked() {
    let upstream = Upstream::saying(json!({"id": "never"})).await;
    let agent = Setup::against(&upstream.base_url()).agent().await;
    let mut tried = Vec::new();
    for operation in operations::all() {
        let good = operation.arguments.as_object().unwrap();
        let ids = ["customer_id", "account_id", "verification_id", "provider_id"];
        for name in good.keys().filter(|name| ids.contains(&name.as_str())) {
            tried.push(format!("{} {name}", operation.name));
            for id in hostile() {
                let mut arguments = good.clone();
                arguments.insert(name.clone(), json!(id));
                let error = agent.error(operation.tool, Value::Object(arguments)).await;
                assert_eq!(error["kind"], "invalid_input", "{} {name} {id:?}", operation.name);
                let problems = error["problems"].as_array().unwrap();
                assert_eq!(problems.len(), 1, "{error}");
                assert_eq!(problems[0]["field"], *name);
                assert!(id.len() < 3 || !error.to_string().contains(&id), "what is wrong is not quoted back");
            }
        }
    }
    assert_eq!(upstream.count().await, 0);
    insta::assert_snapshot!(tried.join("\n"), @r"
    getCustomerById customer_id
    listAllCustomerBankAccounts customer_id
    createCustomerBankAccount customer_id
    getBankAccountById customer_id
    getBankAccountById account_id
    initiateCustomerVerification customer_id
    initiateCustomerVerification provider_id
    listAllCustomerVerifications customer_id
    getCustomerVerificationById customer_id
    getCustomerVerificationById verification_id
    ");
}

#[tokio::test]
async fn an_empty_id_is_missing_where_required_and_absent_where_optional() {
    let upstream = Upstream::saying(json!({"id": "ver_1"})).await;
    let agent = Setup::against(&upstream.base_url()).agent().await;
    for operation in operations::all() {
        for name in ["customer_id", "account_id", "verification_id"] {
            let mut arguments = operation.arguments.as_object().unwrap().clone();
            if arguments.contains_key(name) {
                arguments.insert(name.to_owned(), json!(""));
                let error = agent.error(operation.tool, Value::Object(arguments)).await;
                assert_eq!(error["problems"][0]["field"], name);
            }
        }
    }
    assert_eq!(upstream.count().await, 0);
    let start = json!({"action": "start", "customer_id": "cus_1", "provider_id": ""});
    agent.good("verify_identity", start).await;
    let requests = upstream.requests().await;
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].body_json::<Value>().unwrap(), json!({}));
}

#[tokio::test]
async fn a_plain_id_goes_out_as_it_is() {
    let upstream = Upstream::saying(json!({"id": "x"})).await;
    let agent = Setup::against(&upstream.base_url()).agent().await;
    for id in ["a", "-", "_", "--__", "0", "sim_Cus-1", &"Z".repeat(64)] {
        agent.good("manage_customers", json!({"action": "get", "customer_id": id})).await;
        let requests = upstream.requests().await;
        assert_eq!(requests.last().unwrap().url.path(), format!("/v1/customers/{id}"));
    }
}
