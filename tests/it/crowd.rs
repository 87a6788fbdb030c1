//! Many clients at once: each sees its own customer, and none waits for ever.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::agent::Agent;
use crate::support::contract::Contract;
use crate::support::faults::{Fault, Faulty, answer};
use crate::support::http_server::HttpServer;
use crate::support::in_time;
use crate::support::setup::Setup;
use crate::support::wire::{Wire, stateless};

/// Requests to the upstream at the same time; further ones wait for five seconds.
const PLACES: usize = 256;
/// Calls beyond that.
const TOO_MANY: usize = 20;
/// Clients that are connected at the same time.
const CLIENTS: usize = 200;

/// Creates a customer and reads it back. Returns its id, with the connection still open.
async fn one_client(agent: Agent, number: usize) -> (String, Agent) {
    let email = format!("client{number}@example.com");
    let create = json!({
        "action": "create", "first_name": "Client", "last_name": format!("Number {number}"), "email": email,
        "external_id": format!("crowd-{number}"),
    });
    let created = agent.good("manage_customers", create).await;
    assert_eq!(created["customer"]["email"], email, "another client's answer");
    let id = created["customer"]["id"].as_str().unwrap().to_owned();
    let read = agent.good("manage_customers", json!({"action": "get", "customer_id": id})).await;
    assert_eq!(read["customer"], created["customer"], "another client's answer");
    (id, agent)
}

async fn crowd<F>(connect: impl Fn(Arc<HttpServer>) -> F)
where
    F: Future<Output = Agent> + Send + 'static,
{
    let server = Arc::new(Setup::simulator().http().await);
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let agent = connect(Arc::clone(&server));
        clients.spawn(async move { one_client(agent.await, number).await });
    }
    let (ids, _connections): (Vec<String>, Vec<Agent>) =
        in_time(clients.join_all()).await.into_iter().unzip();
    let different: HashSet<&String> = ids.iter().collect();
    assert_eq!(different.len(), CLIENTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_streamable_http() {
    crowd(|server| async move { server.agent().await }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_legacy_sse() {
    crowd(|server| async move { server.agent_over_legacy_sse().await }).await;
}

/// An upstream that hangs must not let calls pile up without end: those beyond the cap are refused, unsent.
#[tokio::test(flavor = "multi_thread")]
async fn calls_beyond_the_cap_are_refused() {
    let mut upstream = Faulty::with(Fault::Hang).await;
    let setup = Setup::against(&upstream.base_url()).variable("FINTECTURE_TIMEOUT_SECONDS", "45");
    let server = Arc::new(setup.http().await);
    let tools = Wire::http(Arc::clone(&server)).request("tools/list", stateless(json!({}))).await;
    let contract = Contract::of(tools["result"]["tools"].as_array().unwrap());
    let mut calls = JoinSet::new();
    for number in 0..PLACES + TOO_MANY {
        let server = Arc::clone(&server);
        // Equal writes would be one.
        let arguments = json!({"action": "start", "customer_id": format!("cus_{number}")});
        let start = json!({"name": "verify_identity", "arguments": arguments});
        calls.spawn(async move { Wire::http(server).request("tools/call", stateless(start)).await });
    }
    upstream.has_got(PLACES).await;
    for _ in 0..TOO_MANY {
        let refused = in_time(calls.join_next()).await.unwrap().unwrap();
        let refused = contract.check("verify_identity", &refused["result"]).error();
        assert_eq!(refused["kind"], "rate_limited");
        assert_eq!(refused["retry_after_seconds"], 2);
        assert_eq!(refused["outcome"], "not_applied");
        assert_eq!(refused.get("upstream_status"), None, "the cap is our own");
    }
    assert_eq!(upstream.count(), PLACES, "what was refused was not sent");
    upstream.now(Fault::Bytes(answer("200 OK", br#"{"id":"ver_1"}"#)));
    for answer in in_time(calls.join_all()).await {
        contract.check("verify_identity", &answer["result"]).good();
    }
}
