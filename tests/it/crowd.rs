//! Many clients at once: each sees its own customer, and none waits for ever.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::agent::Agent;
use crate::support::http_server::HttpServer;
use crate::support::in_time;
use crate::support::setup::Setup;

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
