//! KYC stories: which name is compared with which, and when the verdict shows.

use serde_json::{Value, json};

use super::harness::World;
use crate::simulator::provider;

async fn verify(world: &World, customer: &str, body: &Value) -> (String, Value) {
    let path = format!("/v1/customers/{customer}/verification");
    let started = world.create(&path, body, "CustomerVerification").await;
    (format!("{path}/{}", started.id()), started.body)
}

async fn account_verified(world: &World, key: &str) -> bool {
    let path = format!("/v1/customers/sim_cus_{key}/bank-accounts/sim_acc_{key}");
    world.get(&path, "CustomerBankAccount").await["verified"].as_bool().unwrap()
}

#[tokio::test]
async fn a_holder_of_the_same_name_is_verified_and_so_is_the_account() {
    let world = World::start(None).await;
    for (key, expected_name) in [
        ("ada", json!("BYRON, Ada")),
        ("zoe", json!("Zoe Muller Lefevre")),
        ("zoe", Value::Null),
        ("engines", json!("Analytical Engines")),
        ("engines", Value::Null),
    ] {
        let mut body = json!({"provider_id": "bnpparibas", "expected_name": expected_name});
        if expected_name.is_null() {
            body.as_object_mut().unwrap().remove("expected_name");
        }
        let (_, verdict) = verify(&world, &format!("sim_cus_{key}"), &body).await;
        assert_eq!(verdict["status"], "verified", "{key} {expected_name}: {verdict}");
        assert_eq!(verdict["provider_id"], "bnpparibas");
        assert_eq!(verdict["verified_at"], "2027-01-15T08:00:00Z");
        assert!(account_verified(&world, key).await);
    }
}

#[tokio::test]
async fn another_holder_is_unverified() {
    let world = World::start(None).await;
    let (_, verdict) = verify(&world, "sim_cus_charles", &json!({})).await;
    assert_eq!(verdict["status"], "unverified");
    assert_eq!(verdict["provider_id"], provider::INSTANT);
    assert!(verdict["match_score"].as_f64().unwrap() < 0.85);
    assert!(verdict["verified_at"].is_null());
    assert!(!account_verified(&world, "charles").await);

    let holder = json!({"expected_name": "Georgiana Whitmore"});
    assert_eq!(verify(&world, "sim_cus_charles", &holder).await.1["match_score"], 1.0);
    assert!(account_verified(&world, "charles").await);
}

#[tokio::test]
async fn without_an_account_the_customer_stands_for_themself() {
    let world = World::start(None).await;
    assert_eq!(verify(&world, "sim_cus_noor", &json!({})).await.1["status"], "verified");
    let other = json!({"expected_name": "Grace Hopper"});
    assert_eq!(verify(&world, "sim_cus_noor", &other).await.1["status"], "unverified");
}

#[tokio::test]
async fn only_the_account_of_that_holder_is_verified() {
    let world = World::start(None).await;
    let body = json!({"iban": "NO9386011117947", "holder_name": "Somebody Else"});
    let second = world.create("/v1/customers/sim_cus_ada/bank-accounts", &body, "CustomerBankAccount").await;
    verify(&world, "sim_cus_ada", &json!({})).await;
    assert!(account_verified(&world, "ada").await);
    let path = format!("/v1/customers/sim_cus_ada/bank-accounts/{}", second.id());
    assert_eq!(world.get(&path, "CustomerBankAccount").await["verified"], false);
}

#[tokio::test]
async fn a_slow_bank_decides_after_three_seconds() {
    let world = World::start(None).await;
    let (path, started) = verify(&world, "sim_cus_ada", &json!({"provider_id": provider::SLOW})).await;
    assert_eq!(started["status"], "pending");
    assert!(started["match_score"].is_null());
    world.pass(2_999);
    assert_eq!(world.get(&path, "CustomerVerification").await, started);
    assert!(!account_verified(&world, "ada").await);
    world.pass(1);
    let decided = world.get(&path, "CustomerVerification").await;
    assert_eq!((&decided["status"], &decided["match_score"]), (&json!("verified"), &json!(1.0)));
    assert_eq!(decided["verified_at"], "2027-01-15T08:00:03Z");
    assert!(account_verified(&world, "ada").await);
}

#[tokio::test]
async fn failed_and_never_stay_as_they_are() {
    let world = World::start(None).await;
    for (provider_id, status) in [(provider::FAILED, "failed"), (provider::NEVER, "pending")] {
        let (path, started) = verify(&world, "sim_cus_ada", &json!({"provider_id": provider_id})).await;
        assert_eq!(started["status"], status);
        assert!(started["match_score"].is_null());
        world.pass(86_400_000);
        assert_eq!(world.get(&path, "CustomerVerification").await, started);
    }
    assert!(!account_verified(&world, "ada").await);
}
