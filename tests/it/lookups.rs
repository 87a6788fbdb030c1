//! A customer with an `external_id` is looked for before it is made: over all pages, compared exactly.

use fintecture_mcp::simulator::Operation;
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use crate::support::customers::{Pages, World, created, number, others, written};
use crate::support::operations::create_with_external_id;
use crate::support::setup::Setup;
use crate::support::simulator::simulator;
use crate::support::upstream::Upstream;

/// How the look-up asks.
const LOOK_UP: &str = "page%5Bnumber%5D=1&page%5Bsize%5D=100&external_id=crm-1";

#[tokio::test]
async fn it_asks_by_external_id_and_then_writes() {
    let world = World::new(Pages::default(), created()).await;
    let result = world.create().await.good();
    assert_eq!(result["customer"], written());
    assert_eq!(result.get("hint"), None);
    let requests = world.upstream.requests().await;
    let [look_up, write] = requests.as_slice() else { panic!("a look-up and a write: {}", requests.len()) };
    assert_eq!((look_up.url.path(), look_up.url.query()), ("/v1/customers", Some(LOOK_UP)));
    assert_eq!((write.url.path(), write.url.query()), ("/v1/customers", None));
    assert_eq!(write.body_json::<Value>().unwrap(), create_with_external_id().body);
    assert_ne!(look_up.headers["x-request-id"], write.headers["x-request-id"]);
}

#[tokio::test]
async fn an_existing_external_id_is_a_conflict_and_nothing_is_written() {
    let there = json!({"id": "cus_old", "external_id": "crm-1", "first_name": "Somebody"});
    let world = World::new(Pages { before: vec![vec![there]], ..Pages::default() }, created()).await;
    let answer = world.create().await;
    assert_eq!(world.asked().await, [1]);
    insta::assert_json_snapshot!(answer.body, @r#"
    {
      "action": "create",
      "environment": "sandbox",
      "error": {
        "kind": "conflict",
        "message": "a customer with this external_id exists already: nothing was written",
        "hint": "Read customer_id with manage_customers get, and work with that customer instead of creating it again.",
        "retryable": false,
        "customer_id": "cus_old",
        "outcome": "not_applied"
      }
    }
    "#);
    world.create().await.error();
    assert_eq!(world.asked().await, [1, 1], "what was not applied is not remembered");
}

/// An id is compared exactly, over all the pages of an upstream that ignores the filter.
#[tokio::test]
async fn similar_ids_are_not_the_same() {
    let ids = ["crm-10", "CRM-1", "crm-1 ", " crm-1", "xcrm-1", "crm", "crm-1\u{301}", "crm‑1", ""];
    let mut similar: Vec<Value> =
        ids.iter().map(|id| json!({"id": format!("cus{id:?}"), "external_id": id})).collect();
    similar.extend([
        json!({"id": "a", "external_id": null}),
        json!({"id": "crm-1"}),
        json!({"id": "b", "external_id": ["crm-1"]}),
    ]);
    let pages = vec![similar, others(2)];
    let world = World::new(Pages { before: pages.clone(), ..Pages::default() }, created()).await;
    world.create().await.good();
    assert_eq!(world.asked().await, [1, 2, 3, 0], "until a page is empty");

    let last = vec![json!({"id": "cus_old", "type": "customer", "attributes": {"external_id": "crm-1"}})];
    let pages = [pages, vec![last, others(4)]].concat();
    let world = World::new(Pages { before: pages, ..Pages::default() }, created()).await;
    let error = world.create().await.error();
    assert_eq!((&error["kind"], &error["customer_id"]), (&json!("conflict"), &json!("cus_old")));
    assert_eq!(world.asked().await, [1, 2, 3]);
}

/// An upstream that ignores the page, too, gives the same customers for ever.
#[tokio::test]
async fn a_page_that_brings_nothing_new_is_the_last() {
    let world =
        World::new(Pages { before: vec![others(1), others(1), others(3)], ..Pages::default() }, created())
            .await;
    assert_eq!(world.create().await.good().get("hint"), None);
    assert_eq!(world.asked().await, [1, 2, 0]);
}

#[tokio::test]
async fn after_twenty_pages_the_write_goes_on_and_says_so() {
    let pages: Vec<Vec<Value>> = (1..=25).map(others).collect();
    let world = World::new(Pages { before: pages.clone(), ..Pages::default() }, created()).await;
    let result = world.create().await.good();
    assert_eq!(result["customer"]["id"], "cus_new");
    assert_eq!(world.asked().await, (1..=20).chain([0]).collect::<Vec<_>>());
    insta::assert_snapshot!(result["hint"].as_str().unwrap(), @"The look-up of external_id before this write was cut short after 20 pages: the upstream seems to ignore the filter, so an older customer may have the same external_id.");
}

#[tokio::test]
async fn a_failed_look_up_writes_nothing_and_says_so() {
    let html = ResponseTemplate::new(200).set_body_string("<html></html>");
    for (answer, kind, tries) in [
        (ResponseTemplate::new(500), "upstream_unavailable", 3),
        (html, "upstream_unavailable", 3),
        (ResponseTemplate::new(400), "upstream_rejected", 1),
        (ResponseTemplate::new(401), "unauthorized", 1),
        (ResponseTemplate::new(403), "forbidden", 1),
        (ResponseTemplate::new(429).insert_header("retry-after", "60"), "rate_limited", 1),
    ] {
        let upstream = Upstream::answering(answer).await;
        let agent = Setup::against(&upstream.base_url()).agent().await;
        let create = create_with_external_id();
        let error = agent.error(create.tool, create.arguments).await;
        assert_eq!((&error["kind"], &error["outcome"]), (&json!(kind), &json!("not_applied")), "{error}");
        let requests = upstream.requests().await;
        assert_eq!(requests.len(), tries, "{kind}");
        assert!(requests.iter().all(|request| request.method.as_str() == "GET"), "{kind}");
    }
}

#[tokio::test]
async fn a_look_up_that_times_out_or_breaks_off_later_writes_nothing() {
    for (fault, tries) in
        [("hang@listAllCustomers", 3), ("half-json@listAllCustomers", 3), ("hang#2@listAllCustomers", 3)]
    {
        let simulator = simulator(&[fault]).await;
        let agent = Setup::against(&simulator.base_url()).impatient().agent().await;
        let create = create_with_external_id();
        let answer = agent.call(create.tool, create.arguments).await;
        assert_eq!(simulator.requests(Operation::ListAllCustomers), tries, "{fault}");
        if fault.contains('#') {
            answer.good();
            assert_eq!(simulator.effects().len(), 1, "the third try came back, and the write was sent");
            continue;
        }
        let error = answer.error();
        assert_eq!(
            (&error["kind"], &error["outcome"]),
            (&json!("upstream_unavailable"), &json!("not_applied"))
        );
        assert_eq!(error["retryable"], true);
        assert!(error["hint"].as_str().unwrap().contains("look-up before the write failed"), "{error}");
        assert_eq!(simulator.requests(Operation::CreateCustomer), 0, "{fault}");
    }
}

#[tokio::test]
async fn a_failure_on_the_second_page_is_one() {
    let answers = |request: &Request| match number(request) {
        1 => ResponseTemplate::new(200).set_body_json(json!({"data": others(1)})),
        _ => ResponseTemplate::new(503),
    };
    let upstream = Upstream::answering(answers).await;
    let agent = Setup::against(&upstream.base_url()).agent().await;
    let create = create_with_external_id();
    let error = agent.error(create.tool, create.arguments).await;
    assert_eq!((&error["kind"], &error["outcome"]), (&json!("upstream_unavailable"), &json!("not_applied")));
    assert_eq!(upstream.count().await, 1 + 3);
}
