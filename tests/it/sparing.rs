//! How little of the upstream a call takes: its requests, side by side where one does not need the other's answer, over
//! no more connections than there are requests at a time.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::agent::Agent;
use crate::support::counting::Counting;
use crate::support::http_server::http;
use crate::support::local::Local;
use crate::support::operations;
use crate::support::setup::Setup;

const CUSTOMERS: &str = "manage_customers";
const VERIFY: &str = "verify_identity";

/// What the first page of a look-up of an `external_id` is asked for with.
const LOOK_UP: &str = "GET /v1/customers?page%5Bnumber%5D=1&page%5Bsize%5D=100&external_id=crm-1";

async fn world() -> (Counting, Agent) {
    let upstream = Counting::start().await;
    let agent = Setup::against(&upstream.base_url()).agent().await;
    (upstream, agent)
}

/// Calls of one action that take other requests than the one of its operation, in the order in which they leave.
fn longer_ways() -> Vec<(&'static str, Value, Vec<&'static str>)> {
    let create = operations::create_with_external_id();
    let started = |wait: u32| json!({"action": "start", "customer_id": "cus_1", "wait_seconds": wait});
    let got = json!({"action": "get", "customer_id": "cus_1", "verification_id": "ver_1", "wait_seconds": 9});
    let start = "POST /v1/customers/cus_1/verification";
    let dossier = vec![
        "GET /v1/customers/cus_1",
        "GET /v1/customers/cus_1/bank-accounts",
        "GET /v1/customers/cus_1/verifications",
    ];
    vec![
        (CUSTOMERS, create.arguments, vec![LOOK_UP, "POST /v1/customers"]),
        (VERIFY, started(0), vec![start]),
        // The same start again: it is not sent, and what is pending is looked at until it is decided.
        (VERIFY, started(9), vec!["GET /v1/customers/cus_1/verification/new"]),
        (VERIFY, got, vec!["GET /v1/customers/cus_1/verification/ver_1"]),
        (VERIFY, json!({"action": "dossier", "customer_id": "cus_1"}), dossier),
    ]
}

#[tokio::test]
async fn each_action_takes_the_requests_that_it_needs_over_one_connection_at_a_time() {
    let (upstream, agent) = world().await;
    let plain = operations::all().into_iter().map(|operation| {
        (operation.tool, operation.arguments, vec![format!("{} {}", operation.method, operation.target)])
    });
    let longer = longer_ways().into_iter().map(|(tool, arguments, requests)| {
        (tool, arguments, requests.into_iter().map(str::to_owned).collect())
    });
    for (tool, arguments, expected) in plain.chain(longer) {
        let before = upstream.requests().len();
        let most = if arguments["action"] == "dossier" { 3 } else { 1 };
        agent.good(tool, arguments.clone()).await;
        let mut asked = upstream.requests().split_off(before);
        if most > 1 {
            asked.sort();
        }
        assert_eq!(asked, expected, "{tool} {arguments}");
        let connections = upstream.connections();
        assert!(connections <= most, "{connections} connections up to {tool} {arguments}");
    }
}

/// A repeat, a call that is refused here, and everything that an agent may look at without a record of the upstream.
#[tokio::test]
async fn what_needs_no_request_takes_none() {
    let (upstream, agent) = world().await;
    let create = operations::named("createCustomer");
    agent.good(create.tool, create.arguments.clone()).await;
    assert_eq!(agent.good(create.tool, create.arguments).await["repeated"], true);
    agent.error(CUSTOMERS, json!({"action": "get", "customer_id": "../cus_1"})).await;
    agent.error(VERIFY, json!({"action": "dossier"})).await;
    agent.client.list_all_tools().await.unwrap();
    agent.client.list_all_prompts().await.unwrap();
    agent.client.list_all_resource_templates().await.unwrap();
    for resource in agent.client.list_all_resources().await.unwrap() {
        read(&agent, &resource.uri).await;
    }
    assert_eq!(upstream.requests(), ["POST /v1/customers"]);
}

async fn read(agent: &Agent, uri: &str) {
    agent.client.read_resource(rmcp::model::ReadResourceRequestParams::new(uri)).await.unwrap();
}

#[tokio::test]
async fn each_resource_of_a_record_takes_what_its_call_takes() {
    let (upstream, agent) = world().await;
    for (uri, requests) in [
        ("fintecture://customers/cus_1", 1),
        ("fintecture://customers/cus_1/bank-accounts/acc_1", 1),
        ("fintecture://customers/cus_1/verifications/ver_1", 1),
        ("fintecture://customers/cus_1/dossier", 3),
    ] {
        let before = upstream.requests().len();
        read(&agent, uri).await;
        assert_eq!(upstream.requests().len() - before, requests, "{uri}");
    }
    assert!(upstream.connections() <= 3, "{}", upstream.connections());
}

/// However many ids are asked for, in whatever order: see also `completions`.
#[tokio::test]
async fn completions_take_one_request_together() {
    let upstream = Counting::start().await;
    let mut pipe = Setup::against(&upstream.base_url()).pipe();
    pipe.initialize("2025-11-25").await;
    for (prompt, argument) in [
        ("kyc_check", "customer_id"),
        ("explain_verification", "verification_id"),
        ("onboard_customer", "provider_id"),
        ("review_verifications", "customer_id"),
    ] {
        let params = json!({
            "ref": {"type": "ref/prompt", "name": prompt}, "argument": {"name": argument, "value": ""},
            "context": {"arguments": {"customer_id": "cus_1"}},
        });
        let answer = pipe.request("completion/complete", params).await;
        assert!(answer["result"]["completion"]["values"].is_array(), "{answer}");
    }
    assert_eq!(upstream.requests(), ["GET /v1/customers?page%5Bsize%5D=100"]);
}

/// The upstream answers none of them before it has them all.
#[tokio::test]
async fn the_reads_of_a_dossier_run_side_by_side() {
    let (upstream, agent) = world().await;
    upstream.holds_until(3);
    agent.good(VERIFY, json!({"action": "dossier", "customer_id": "cus_1"})).await;
    assert_eq!(upstream.requests().len(), 3);
    assert!(upstream.connections() <= 3, "{}", upstream.connections());
}

#[tokio::test]
async fn look_ups_of_different_customers_run_side_by_side() {
    let (upstream, agent) = world().await;
    let create = operations::create_with_external_id();
    let creates = (0..8).map(|number| {
        let mut arguments = create.another(number);
        arguments["external_id"] = json!(format!("crm-{number}"));
        agent.good(create.tool, arguments)
    });
    upstream.holds_until(8);
    join_all(creates).await;
    let requests = upstream.requests();
    let first = requests.iter().take(8).filter(|request| request.starts_with("GET")).count();
    assert_eq!((first, requests.len()), (8, 16), "{requests:?}");
}

/// The token of many calls at once is fetched once, before all of them.
#[tokio::test]
async fn a_burst_of_calls_fetches_one_token() {
    let upstream = Counting::start().await;
    let agent = Setup::application(&upstream.base_url()).agent().await;
    let gets = (0..8).map(|number| agent.good(CUSTOMERS, get(number)));
    join_all(gets).await;
    let requests = upstream.requests();
    let tokens = requests.iter().filter(|request| request.contains("/oauth/")).count();
    assert_eq!((tokens, requests.len()), (1, 9), "{requests:?}");
}

fn get(number: usize) -> Value {
    json!({"action": "get", "customer_id": format!("cus_{number}")})
}

/// Whoever comes while a connection is on its way back to the pool waits for that one, and opens no other.
#[tokio::test(flavor = "multi_thread")]
async fn a_burst_opens_no_more_connections_than_it_has_requests_at_a_time() {
    const IN_FLIGHT: usize = 8;
    const CALLS: usize = 200;
    let upstream = Counting::start().await;
    let server = Local::with_token(&upstream.base_url(), Duration::from_secs(10));
    let mut workers = JoinSet::new();
    for worker in 0..IN_FLIGHT {
        let server = server.clone();
        workers.spawn(async move {
            for number in 0..CALLS {
                let number = worker * CALLS + number;
                let result = server.call(CUSTOMERS, &get(number)).await.good();
                assert_eq!(result["customer"]["id"], format!("cus_{number}"));
            }
        });
    }
    workers.join_all().await;
    assert_eq!(upstream.requests().len(), IN_FLIGHT * CALLS);
    let connections = upstream.connections();
    assert!(connections <= IN_FLIGHT, "{connections} connections for {IN_FLIGHT} requests at a time");
}

/// The server serves connections on a thread a core, each with connections to the upstream of its own: together they keep
/// to the same bound, also where every call comes over a connection that the server has not seen before.
#[tokio::test(flavor = "multi_thread")]
async fn the_threads_of_a_server_keep_to_that_together() {
    const IN_FLIGHT: usize = 6;
    const CALLS: usize = 25;
    let upstream = Counting::start().await;
    let server = Arc::new(Setup::against(&upstream.base_url()).http().await);
    let mut clients = JoinSet::new();
    for client in 0..IN_FLIGHT {
        let server = Arc::clone(&server);
        clients.spawn(async move {
            for number in 0..CALLS {
                let url = server.url("/v1/tools/manage_customers");
                let answer = http().post(url).json(&get(client * CALLS + number)).send().await.unwrap();
                assert_eq!(answer.status(), 200);
            }
        });
    }
    clients.join_all().await;
    assert_eq!(upstream.requests().len(), IN_FLIGHT * CALLS);
    let connections = upstream.connections();
    assert!(connections <= IN_FLIGHT, "{connections} connections for {IN_FLIGHT} requests at a time");
}
