//! Limits on calls: who is over theirs is told so at once, and nobody else notices.

use std::sync::Arc;

use fintecture_mcp::calls::{CallLimits, CallsConfig};
use fintecture_mcp::simulator::Operation;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::bank::Bank;
use crate::support::faults::{Fault, Faulty, answer};
use crate::support::in_time;
use crate::support::inside::{Inside, principal};
use crate::support::setup::Setup;
use crate::support::simulator::simulator;

const VERIFY: &str = "verify_identity";
const CUSTOMERS: &str = "manage_customers";
const ALL: &str = "customers:write bank-accounts:write verifications:write";

fn limited(limits: CallLimits) -> CallsConfig {
    CallsConfig { limits, ..CallsConfig::default() }
}

fn get() -> Value {
    json!({"action": "get", "customer_id": "sim_cus_ada"})
}

fn is_our_own(error: &Value) {
    assert_eq!((&error["kind"], &error["retryable"]), (&json!("rate_limited"), &json!(true)), "{error}");
    assert!(error["retry_after_seconds"].as_u64().unwrap() >= 1, "{error}");
    assert_eq!(error.get("upstream_status"), None, "{error}");
}

#[tokio::test]
async fn one_client_at_full_speed_is_limited_and_the_others_are_not() {
    const LIMIT: usize = 50;
    let simulator = simulator(&[]).await;
    let inside = Inside::before(
        &simulator.base_url(),
        // One for the list of tools that every agent asks for.
        limited(CallLimits { per_minute: 51, ..CallLimits::default() }),
    );
    let noisy = inside.agent(&principal("noisy", ALL)).await;
    let others = join_all((0..5).map(|number| {
        let inside = inside.clone();
        async move { inside.agent(&principal(&format!("other {number}"), ALL)).await }
    }))
    .await;
    let shouting = async {
        let mut refused = 0;
        for _ in 0..10 {
            for call in join_all((0..20).map(|_| noisy.call(CUSTOMERS, get()))).await {
                if call.is_error {
                    let error = call.error();
                    is_our_own(&error);
                    assert!(error["retry_after_seconds"].as_u64().unwrap() <= 60);
                    refused += 1;
                }
            }
        }
        refused
    };
    let working = join_all(others.iter().map(|other| async {
        for _ in 0..LIMIT {
            other.good(CUSTOMERS, get()).await;
        }
    }));
    let (refused, _) = in_time(async { tokio::join!(shouting, working) }).await;
    assert_eq!(refused, 200 - LIMIT);
    assert_eq!(simulator.requests(Operation::GetCustomerById), (5 * LIMIT + LIMIT) as u64);
    // A write says what became of it, and resources and lists count, too.
    let create = json!({"action": "create", "first_name": "Ada", "last_name": "B", "email": "a@example.com"});
    let error = noisy.error(CUSTOMERS, create).await;
    assert_eq!(error["outcome"], "not_applied");
    let uri = "fintecture://customers/sim_cus_ada";
    let read = noisy.client.read_resource(rmcp::model::ReadResourceRequestParams::new(uri));
    let error = in_time(read).await.unwrap_err().to_string();
    assert!(error.contains("as many calls in a minute"), "{error}");
    let error = in_time(noisy.client.list_all_prompts()).await.unwrap_err().to_string();
    assert!(error.contains("as many calls in a minute"), "{error}");
}

/// Else whoever is over their limit would go on with what is refused.
#[tokio::test]
async fn what_is_refused_for_another_reason_counts_and_so_does_what_needs_no_upstream() {
    let simulator = simulator(&[]).await;
    let config = limited(CallLimits { per_minute: 10, ..CallLimits::default() });
    let inside = Inside::before(&simulator.base_url(), config);
    let readers = ["one", "two", "three", "four"].map(|name| principal(name, "customers:read"));
    for (place, reader) in readers.iter().enumerate() {
        let agent = inside.agent(reader).await;
        let refused = async || match place {
            0 => agent.error(CUSTOMERS, json!({"action": "get"})).await["kind"].as_str().unwrap().to_owned(),
            1 => {
                let start = json!({"action": "create", "first_name": "A", "last_name": "B", "email": "a@example.com"});
                agent.error(CUSTOMERS, start).await["kind"].as_str().unwrap().to_owned()
            }
            2 => {
                let call = agent.client.call_tool(rmcp::model::CallToolRequestParams::new("no_such_tool"));
                in_time(call).await.unwrap_err().to_string()
            }
            _ => {
                let uri = "fintecture://capabilities/none";
                let read = agent.client.read_resource(rmcp::model::ReadResourceRequestParams::new(uri));
                in_time(read).await.unwrap_err().to_string()
            }
        };
        let is_over =
            |said: &str| said.contains("rate_limited") || said.contains("as many calls in a minute");
        for _ in 0..9 {
            let said = refused().await;
            assert!(!is_over(&said), "{said}");
        }
        for _ in 0..2 {
            let said = refused().await;
            // Arguments and rights stand before the limits, as the contract orders it.
            match place {
                0 => assert_eq!(said, "invalid_input"),
                1 => assert_eq!(said, "insufficient_scope"),
                _ => assert!(is_over(&said), "{place}: {said}"),
            }
        }
        assert_eq!(agent.error(CUSTOMERS, get()).await["kind"], "rate_limited", "{place}");
    }
    assert_eq!(simulator.requests(Operation::GetCustomerById), 0);
}

#[tokio::test]
async fn calls_under_way_have_places_of_each_and_of_all() {
    let mut upstream = Faulty::with(Fault::Hang).await;
    let limits = CallLimits { in_flight: 5, in_flight_per_principal: 3, ..CallLimits::default() };
    let inside = Inside::before(&upstream.base_url(), limited(limits));
    let [ada, bob] = [inside.agent(&principal("ada", ALL)).await, inside.agent(&principal("bob", ALL)).await];
    let (ada, bob) = (Arc::new(ada), Arc::new(bob));
    let call = |agent: &Arc<_>| {
        let agent: Arc<crate::support::agent::Agent> = Arc::clone(agent);
        tokio::spawn(async move { agent.call(CUSTOMERS, get()).await })
    };
    let mut running: Vec<_> = (0..3).map(|_| call(&ada)).collect();
    upstream.has_got(3).await;
    let error = ada.error(CUSTOMERS, get()).await;
    is_our_own(&error);
    assert!(error["message"].as_str().unwrap().contains("this client"), "{error}");
    running.extend((0..2).map(|_| call(&bob)));
    upstream.has_got(5).await;
    let error = bob.error(CUSTOMERS, get()).await;
    is_our_own(&error);
    assert!(error["message"].as_str().unwrap().contains("the server"), "{error}");
    upstream.now(Fault::Bytes(answer("200 OK", br#"{"id":"sim_cus_ada"}"#)));
    for call in running {
        in_time(call).await.unwrap().good();
    }
    ada.good(CUSTOMERS, get()).await;
    bob.good(CUSTOMERS, get()).await;
}

fn start(name: &str, customer: &str) -> Value {
    json!({"action": "start", "customer_id": customer, "expected_name": name})
}

#[tokio::test]
async fn verifications_of_a_customer_are_counted_when_they_are_sent() {
    let bank = Bank::undecided().await;
    let limits = CallLimits { verifications_per_day: 2, ..CallLimits::default() };
    let inside = Inside::before(&bank.base_url(), limited(limits));
    let [ada, bob] = [inside.agent(&principal("ada", ALL)).await, inside.agent(&principal("bob", ALL)).await];
    ada.good(VERIFY, start("One", "cus_1")).await;
    for _ in 0..3 {
        let again = ada.good(VERIFY, start("One", "cus_1")).await;
        assert_eq!(again["repeated"], true, "a repeat uses nothing up");
    }
    // Whoever starts it: it is the customer's name that is shown.
    bob.good(VERIFY, start("Two", "cus_1")).await;
    for agent in [&ada, &bob] {
        let error = agent.error(VERIFY, start("Three", "cus_1")).await;
        is_our_own(&error);
        assert_eq!(error["outcome"], "not_applied");
        let seconds = error["retry_after_seconds"].as_u64().unwrap();
        assert!((86_000..=86_400).contains(&seconds), "{error}");
        assert!(error["hint"].as_str().unwrap().contains("verify_identity list"), "{error}");
    }
    let again = ada.good(VERIFY, start("One", "cus_1")).await;
    assert_eq!(again["repeated"], true, "what was applied is not told to be not applied");
    ada.good(VERIFY, start("Three", "cus_2")).await;
}

#[tokio::test]
async fn a_start_that_the_upstream_refused_uses_nothing_up() {
    let simulator = simulator(&[]).await;
    let limits = CallLimits { verifications_per_day: 1, ..CallLimits::default() };
    let inside = Inside::before(&simulator.base_url(), limited(limits));
    let agent = inside.agent(&principal("ada", ALL)).await;
    for _ in 0..3 {
        assert_eq!(agent.error(VERIFY, start("Ada", "cus_none")).await["kind"], "not_found");
    }
    agent.good(VERIFY, start("Ada Byron", "sim_cus_ada")).await;
    assert_eq!(agent.error(VERIFY, start("Ada", "sim_cus_ada")).await["kind"], "rate_limited");
}

/// The flag reaches the calls of the running program.
#[tokio::test]
async fn limits_are_set_by_flag() {
    let setup = Setup::simulator().flag("--limit").flag("verifications-per-day=1");
    let agent = setup.agent().await;
    agent.good(VERIFY, start("Ada Byron", "sim_cus_ada")).await;
    is_our_own(&agent.error(VERIFY, start("Ada", "sim_cus_ada")).await);
    agent.good(VERIFY, start("Noor Haddad", "sim_cus_noor")).await;
}
