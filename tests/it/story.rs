//! A customer's identity is checked from the first call to the verdict, over each transport.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::agent::Agent;
use crate::support::in_time;
use crate::support::setup::Setup;

#[tokio::test]
async fn over_stdio() {
    story(&Setup::simulator().agent().await).await;
}

#[tokio::test]
async fn over_streamable_http() {
    let server = Setup::simulator().http().await;
    story(&server.agent().await).await;
}

#[tokio::test]
async fn over_legacy_sse() {
    let server = Setup::simulator().http().await;
    story(&server.agent_over_legacy_sse().await).await;
}

/// What a person at a payment company would do through their agent.
async fn story(agent: &Agent) {
    let id = new_customer(agent).await;
    attach_an_account(agent, &id).await;
    the_name_matches(agent, &id).await;
    another_name_does_not(agent, &id).await;
    a_slow_bank_decides_later(agent, &id).await;
    a_failed_check_is_told(agent, &id).await;
    let all = agent.good("verify_identity", json!({"action": "list", "customer_id": id})).await;
    let statuses: Vec<&Value> =
        all["verifications"].as_array().unwrap().iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, ["verified", "unverified", "verified", "failed"]);
}

async fn new_customer(agent: &Agent) -> String {
    let create = json!({
        "action": "create", "first_name": "Grace", "last_name": "Hopper", "email": "grace@example.com",
        "company_name": "Cobol SAS", "phone": "+33 6 12 34 56 78", "external_id": "crm-story",
    });
    let created = agent.good("manage_customers", create).await;
    assert_eq!(created["action"], "create");
    assert_eq!(created["environment"], "simulator");
    let id = created["customer"]["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("sim_"), "an id of the simulator says so: {id}");
    assert_eq!(created["customer"]["phone"], "+33612345678");

    let read = agent.good("manage_customers", json!({"action": "get", "customer_id": id})).await;
    assert_eq!(read["customer"], created["customer"]);
    let found = agent.good("manage_customers", json!({"action": "list", "external_id": "crm-story"})).await;
    assert_eq!(found["customers"], json!([created["customer"]]));
    assert_eq!(found["page"], json!({"number": 1, "size": 20, "count": 1}));
    id
}

async fn attach_an_account(agent: &Agent, customer: &str) {
    let create = json!({
        "action": "create", "customer_id": customer, "iban": "FR14 2004 1010 0505 0001 3M02 606",
        "holder_name": "Grace Hopper", "bic": "PSSTFRPP", "currency": "EUR",
    });
    let created = agent.good("manage_bank_accounts", create).await;
    let account = &created["bank_account"];
    assert_eq!(account["iban"], "FR1420041010050500013M02606");
    assert_eq!(account["holder_name"], "Grace Hopper");
    assert_eq!(created.get("hint"), None);
    let get = json!({"action": "get", "customer_id": customer, "account_id": account["id"]});
    assert_eq!(agent.good("manage_bank_accounts", get).await["bank_account"], *account);
    let listed = agent.good("manage_bank_accounts", json!({"action": "list", "customer_id": customer})).await;
    assert_eq!(listed["bank_accounts"], json!([account]));
}

/// Starts a verification, and reads it back once.
async fn verify(agent: &Agent, customer: &str, provider: &str, expected_name: Option<&str>) -> Value {
    let start = json!({
        "action": "start", "customer_id": customer, "provider_id": provider, "expected_name": expected_name,
    });
    let started = agent.good("verify_identity", start).await;
    let get = json!({
        "action": "get", "customer_id": customer, "verification_id": started["verification"]["id"],
    });
    let read = agent.good("verify_identity", get).await;
    assert_eq!(read["verification"]["id"], started["verification"]["id"]);
    started
}

async fn the_name_matches(agent: &Agent, customer: &str) {
    let verdict = verify(agent, customer, "sim-instant", Some("Grace Hopper")).await;
    assert_eq!(verdict["verification"]["status"], "verified");
    assert_eq!(verdict["verification"]["match_score"], 1.0);
    assert_eq!(verdict.get("hint"), None, "a verdict needs no advice");
}

async fn another_name_does_not(agent: &Agent, customer: &str) {
    let verdict = verify(agent, customer, "bnpparibas", Some("Zbigniew Wojciechowski")).await;
    assert_eq!(verdict["verification"]["status"], "unverified");
    assert!(verdict["verification"]["match_score"].as_f64().unwrap() < 0.85);
}

async fn a_slow_bank_decides_later(agent: &Agent, customer: &str) {
    let started = verify(agent, customer, "sim-slow", None).await;
    assert_eq!(started["verification"]["status"], "pending");
    assert!(started["hint"].as_str().unwrap().contains("verify_identity get"), "{started}");
    let get = json!({
        "action": "get", "customer_id": customer, "verification_id": started["verification"]["id"],
    });
    let decided = in_time(async {
        loop {
            let read = agent.good("verify_identity", get.clone()).await;
            if read["verification"]["status"] != "pending" {
                break read;
            }
            // The pause only spares the machine: the verdict is asked for until it is there.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    assert_eq!(decided["verification"]["status"], "verified");
    assert_eq!(decided.get("hint"), None);
}

async fn a_failed_check_is_told(agent: &Agent, customer: &str) {
    let verdict = verify(agent, customer, "sim-failed", None).await;
    assert_eq!(verdict["verification"]["status"], "failed");
    assert_eq!(verdict["verification"].get("match_score"), None, "a failed check has no score");
}
