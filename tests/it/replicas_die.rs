//! Three servers and their store, each killed in the middle of everything: no write happens twice, and nobody is told
//! otherwise than it was.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::sync::RwLock;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::support::agent::Agent;
use crate::support::in_time;
use crate::support::redis::Redis;
use crate::support::setup::Setup;
use crate::support::simulator::simulator;

const WRITES: usize = 30;
const CUSTOMER: &str = "sim_cus_noor";

/// What became of a write, as its client was told.
#[derive(Debug, PartialEq)]
enum Told {
    Done,
    Unknown,
}

#[tokio::test]
async fn no_write_happens_twice_whoever_dies() {
    let simulator = simulator(&["trickle=500B/s@writes"]).await;
    let mut redis = Redis::with(&["--appendonly", "yes"]).await;
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&key, "a key of a store, which is long enough").unwrap();
    let setup = Setup::against(&simulator.base_url()).flag("--store").flag(&redis.url());
    let setup = setup.flag("--store-key").flag(key.path().to_str().unwrap());
    let mut replicas = Vec::new();
    for _ in 0..3 {
        replicas.push(RwLock::new(setup.agent().await));
    }
    let replicas: Arc<Vec<RwLock<Agent>>> = Arc::new(replicas);

    let mut clients = JoinSet::new();
    for number in 0..WRITES {
        let replicas = Arc::clone(&replicas);
        clients.spawn(async move {
            // Not all at once: each death finds some of them on their way.
            sleep(Duration::from_millis(100) * u32::try_from(number).unwrap()).await;
            (number, write(&replicas, number).await)
        });
    }
    for round in 0..6 {
        sleep(Duration::from_millis(500)).await;
        if round % 3 == 2 {
            redis.kill().await;
            redis.revive().await;
            continue;
        }
        let dies = &replicas[round % 2];
        dies.read().await.process.as_ref().unwrap().signal(Signal::SIGKILL);
        *dies.write().await = setup.agent().await;
    }
    let told: HashMap<usize, Told> = in_time(clients.join_all()).await.into_iter().collect();

    let list = json!({"action": "list", "customer_id": CUSTOMER});
    let accounts = replicas[2].read().await.good("manage_bank_accounts", list).await;
    let mut happened: HashMap<&str, usize> = HashMap::new();
    for account in accounts["bank_accounts"].as_array().unwrap() {
        *happened.entry(account["holder_name"].as_str().unwrap()).or_default() += 1;
    }
    for number in 0..WRITES {
        let times = happened.get(name(number).as_str()).copied().unwrap_or_default();
        assert!(times <= 1, "write {number} happened {times} times");
        assert!(
            times == 1 || told[&number] == Told::Unknown,
            "write {number} did not happen, and was told of"
        );
    }
    assert!(told.values().filter(|told| **told == Told::Done).count() > WRITES / 2, "{told:?}");
}

fn name(number: usize) -> String {
    format!("Number {number}")
}

/// Calls one replica after the other with the same write, until one of them says what became of it.
async fn write(replicas: &[RwLock<Agent>], number: usize) -> Told {
    let arguments = json!({"action": "create", "customer_id": CUSTOMER, "iban": "FR7630006000011234567890189",
        "holder_name": name(number)});
    for attempt in 0.. {
        let replica = replicas[(number + attempt) % replicas.len()].read().await;
        let answer: Result<Value, _> = replica.try_call("manage_bank_accounts", arguments.clone()).await;
        drop(replica);
        let Ok(result) = answer else { continue };
        let body = &result["structuredContent"];
        match body.pointer("/error/outcome").and_then(Value::as_str) {
            None => return Told::Done,
            // Said while another replica is about it, too: then it is asked again, and there is an outcome.
            Some("unknown") if body["repeated"] == true => return Told::Unknown,
            Some(_) => sleep(Duration::from_millis(50)).await,
        }
    }
    unreachable!("it is asked until it is told")
}
