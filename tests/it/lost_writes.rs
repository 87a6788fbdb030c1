//! The answer to the creation of a customer was lost: only one that was not there before, and has what was sent, counts.

use std::sync::atomic::{AtomicBool, Ordering};

use fintecture_mcp::simulator::Operation;
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use crate::support::customers::{Pages, World, lost, others, written};
use crate::support::operations::create_with_external_id;
use crate::support::setup::Setup;
use crate::support::simulator::simulator;
use crate::support::upstream::Upstream;

/// The answer was lost, and the customer was not there before: with the fields that were sent it is this write's.
#[tokio::test]
async fn a_lost_write_that_took_effect_is_found() {
    for fault in ["reset-after", "status-after=502", "garbage", "truncate", "hang-after"] {
        let simulator = simulator(&[&format!("{fault}@createCustomer")]).await;
        let agent = Setup::against(&simulator.base_url()).impatient().agent().await;
        let create = create_with_external_id();
        let result = agent.good(create.tool, create.arguments).await;
        let [effect] = &simulator.effects()[..] else { panic!("{fault}: one customer was made") };
        assert_eq!(result["customer"]["id"], effect.id, "{fault}");
        assert_eq!(result["customer"]["external_id"], "crm-1");
        insta::allow_duplicates! { insta::assert_snapshot!(result["hint"].as_str().unwrap(), @"The upstream's answer to the write was lost; this customer was then found by its external_id, with the fields that were sent."); }
        assert_eq!(simulator.requests(Operation::CreateCustomer), 1, "{fault}");
    }
    // A field that the upstream adds changes nothing, and neither does the page on which the customer stands.
    let mut more = written();
    more["status"] = json!("new");
    let world =
        World::new(Pages { before: vec![others(1)], after: vec![others(1), vec![more]] }, lost()).await;
    assert_eq!(world.create().await.good()["customer"]["id"], "cus_new");
    assert_eq!(world.asked().await, [1, 2, 0, 1, 2]);
}

/// Somebody else may have made it at the same moment.
#[tokio::test]
async fn a_customer_with_other_fields_proves_nothing() {
    for (field, value) in [
        ("first_name", json!("Someone")),
        ("last_name", json!(null)),
        ("email", json!("ADA@example.com")),
        ("company_name", json!("Byron")),
        ("phone", json!("+33612345679")),
    ] {
        let mut other = written();
        other[field] = value;
        let world = World::new(Pages { after: vec![vec![other]], ..Pages::default() }, lost()).await;
        let error = world.create().await.error();
        assert_eq!(
            (&error["kind"], &error["outcome"]),
            (&json!("outcome_unknown"), &json!("unknown")),
            "{field}"
        );
        assert_eq!(error.get("customer_id"), None);
        assert_eq!(world.asked().await, [1, 0, 1], "{field}");
    }
}

/// A write may take effect late.
#[tokio::test]
async fn absence_proves_nothing() {
    for fault in ["reset-before", "late-commit=600s", "status=500"] {
        let simulator = simulator(&[&format!("{fault}@createCustomer")]).await;
        let agent = Setup::against(&simulator.base_url()).agent().await;
        let create = create_with_external_id();
        let error = agent.error(create.tool, create.arguments).await;
        assert_eq!(
            (&error["kind"], &error["outcome"]),
            (&json!("outcome_unknown"), &json!("unknown")),
            "{fault}"
        );
        assert_eq!(error["retryable"], false);
        assert!(
            error["hint"].as_str().unwrap().contains("manage_customers list with the same external_id"),
            "{error}"
        );
        assert_eq!(simulator.requests(Operation::CreateCustomer), 1, "{fault}");
        assert!(simulator.effects().is_empty(), "{fault}");
    }
}

#[tokio::test]
async fn a_second_look_up_that_fails_proves_nothing() {
    let upstream = Upstream::answering(ResponseTemplate::new(200).set_body_json(json!({"data": []}))).await;
    let agent = Setup::against(&upstream.base_url()).agent().await;
    let is_written = AtomicBool::new(false);
    upstream
        .now_answering(move |request: &Request| {
            let is_write = request.method.as_str() == "POST";
            if is_write || is_written.load(Ordering::SeqCst) {
                is_written.store(true, Ordering::SeqCst);
                return ResponseTemplate::new(500);
            }
            ResponseTemplate::new(200).set_body_json(json!({"data": []}))
        })
        .await;
    let create = create_with_external_id();
    let error = agent.error(create.tool, create.arguments).await;
    assert_eq!((&error["kind"], &error["outcome"]), (&json!("outcome_unknown"), &json!("unknown")));
    assert_eq!(upstream.count().await, 1 + 1 + 3);
}

/// A refusal is certain: there is nothing to look for.
#[tokio::test]
async fn a_refused_write_is_not_looked_for() {
    let world =
        World::new(Pages { after: vec![vec![written()]], ..Pages::default() }, ResponseTemplate::new(422))
            .await;
    let error = world.create().await.error();
    assert_eq!((&error["kind"], &error["outcome"]), (&json!("upstream_rejected"), &json!("not_applied")));
    assert_eq!(world.asked().await, [1, 0]);
}

/// What is found then may have been there before, on a page that was not read.
#[tokio::test]
async fn after_a_look_up_that_was_cut_short_nothing_is_looked_for_again() {
    let pages: Vec<Vec<Value>> = (1..=25).map(others).collect();
    let world = World::new(Pages { before: pages, after: vec![vec![written()]] }, lost()).await;
    assert_eq!(world.create().await.kind(), "outcome_unknown");
    assert_eq!(world.asked().await, (1..=20).chain([0]).collect::<Vec<_>>(), "nothing is looked for again");
}
