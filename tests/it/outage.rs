//! An upstream that is away, or as good as: every call is answered within its time, and the first call after it is back
//! succeeds, without a restart. And an upstream whose tokens end early: one is fetched, however many calls need it.

use std::time::Duration;

use fintecture_mcp::fintecture::CALL_BUDGET;
use fintecture_mcp::simulator::{self, Operation, SimulatorConfig};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::support::contract::Answer;
use crate::support::faults::{Fault, Faulty, answer, nobody};
use crate::support::local::{Local, failing_simulator};

/// Longest time for one request: short, since these upstreams use up all of it.
const PATIENCE: Duration = Duration::from_secs(1);

/// Makes so many reads, or writes that all differ, at the same moment. Each is answered within its budget.
async fn calls(server: &Local, count: usize, call: fn(usize) -> (&'static str, Value)) -> Vec<Answer> {
    let mut running = JoinSet::new();
    for number in 0..count {
        let server = server.clone();
        running.spawn(async move {
            let (tool, arguments) = call(number);
            let answer = timeout(CALL_BUDGET, server.call(tool, &arguments)).await;
            answer.expect("answered within its time budget")
        });
    }
    running.join_all().await
}

fn read(_: usize) -> (&'static str, Value) {
    ("manage_customers", json!({"action": "get", "customer_id": "sim_cus_ada"}))
}

fn write(number: usize) -> (&'static str, Value) {
    let name = format!("Outage {number}");
    ("verify_identity", json!({"action": "start", "customer_id": "sim_cus_noor", "expected_name": name}))
}

/// Enough calls to open the breaker, and to fill every place in the queue, while the upstream is away.
async fn none_succeeds(server: &Local) {
    for call in [read, write] {
        for answer in calls(server, 300, call).await {
            assert!(["upstream_unavailable", "outcome_unknown", "rate_limited"].contains(&answer.kind()));
        }
    }
}

async fn one_succeeds(server: &Local) {
    let [answer] = calls(server, 1, read).await.try_into().unwrap();
    assert_eq!(answer.good()["customer"]["id"], "sim_cus_ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_token_for_a_thousand_calls() {
    // The first token has ended when it arrives, whatever it says; any call that shows it is told 401.
    let simulator = failing_simulator(&["short-token=1ms#1"], 0).await;
    let server = Local::with_application(&simulator.base_url(), Duration::from_secs(10));
    for answer in calls(&server, 1_000, read).await {
        answer.good();
    }
    assert_eq!(simulator.requests(Operation::AccessToken), 2, "the first, and one in its place");
    for answer in calls(&server, 1_000, read).await {
        answer.good();
    }
    assert_eq!(simulator.requests(Operation::AccessToken), 2, "it is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_upstream() {
    let (port, base_url) = nobody();
    let server = Local::with_token(&base_url, PATIENCE);
    none_succeeds(&server).await;
    let simulator = simulator::start(port.listen(1024).unwrap(), SimulatorConfig::default()).unwrap();
    one_succeeds(&server).await;
    simulator.shutdown().await.unwrap();
}

/// Connections are taken, and nothing is ever said: as behind a firewall that swallows everything.
#[tokio::test(flavor = "multi_thread")]
async fn a_black_hole() {
    comes_back_from(Fault::Hang).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trickle() {
    comes_back_from(Fault::Trickle).await;
}

async fn comes_back_from(fault: Fault) {
    let upstream = Faulty::with(fault).await;
    let server = Local::with_token(&upstream.base_url(), PATIENCE);
    none_succeeds(&server).await;
    upstream.now(Fault::Bytes(answer("200 OK", br#"{"id":"sim_cus_ada"}"#)));
    one_succeeds(&server).await;
}

/// The token endpoint is part of the upstream: waiting for it counts, and so does waiting for another call's wait.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_endpoint_that_trickles() {
    let upstream = Faulty::with(Fault::Trickle).await;
    let server = Local::with_application(&upstream.base_url(), PATIENCE);
    none_succeeds(&server).await;
}
