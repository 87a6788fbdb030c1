//! A customer with an `external_id` is looked for before it is made, and again where the answer to the write was lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fintecture_mcp::simulator::Operation;
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use crate::support::agent::Agent;
use crate::support::contract::Answer;
use crate::support::operations::create_with_external_id;
use crate::support::setup::Setup;
use crate::support::simulator::simulator;
use crate::support::upstream::Upstream;

/// How the look-up asks.
const LOOK_UP: &str = "page%5Bnumber%5D=1&page%5Bsize%5D=100&external_id=crm-1";

/// A server before an upstream that ignores the filter.
struct World {
    agent: Agent,
    upstream: Upstream,
}

/// An upstream's pages of customers, before the write and after it.
#[derive(Clone, Default)]
struct Pages {
    before: Vec<Vec<Value>>,
    after: Vec<Vec<Value>>,
}

impl World {
    async fn new(pages: Pages, written: ResponseTemplate) -> Self {
        let is_written = Arc::new(AtomicBool::new(false));
        let upstream = Upstream::answering(move |request: &Request| {
            if request.method.as_str() == "POST" {
                is_written.store(true, Ordering::SeqCst);
                return written.clone();
            }
            let pages = if is_written.load(Ordering::SeqCst) { &pages.after } else { &pages.before };
            let page = pages.get(number(request) - 1).cloned().unwrap_or_default();
            ResponseTemplate::new(200).set_body_json(json!({"data": page, "meta": {"count": 1}}))
        })
        .await;
        Self { agent: Setup::against(&upstream.base_url()).agent().await, upstream }
    }

    async fn create(&self) -> Answer {
        let create = create_with_external_id();
        self.agent.call(create.tool, create.arguments).await
    }

    /// The numbers of the pages that were asked for, with `0` for the write.
    async fn asked(&self) -> Vec<usize> {
        let requests = self.upstream.requests().await;
        requests
            .iter()
            .map(|request| if request.method.as_str() == "POST" { 0 } else { number(request) })
            .collect()
    }
}

/// The page that a request asks for.
fn number(request: &Request) -> usize {
    let (_, number) = request.url.query_pairs().find(|(name, _)| name == "page[number]").unwrap();
    number.parse().unwrap()
}

/// A full page of customers whose ids nobody else has.
fn others(page: usize) -> Vec<Value> {
    (0..100)
        .map(|n| json!({"id": format!("cus_{page}_{n}"), "external_id": format!("crm-{page}{n}")}))
        .collect()
}

/// The customer that the write makes.
fn written() -> Value {
    let mut customer = create_with_external_id().body;
    customer["id"] = json!("cus_new");
    customer
}

fn created() -> ResponseTemplate {
    ResponseTemplate::new(201).set_body_json(written())
}

fn lost() -> ResponseTemplate {
    ResponseTemplate::new(502)
}

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
        "message": "a customer with this external_id exists already: nothing was sent",
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

    // What is found now may have been there before, on a page that was not read.
    let world = World::new(Pages { before: pages, after: vec![vec![written()]] }, lost()).await;
    assert_eq!(world.create().await.kind(), "outcome_unknown");
    assert_eq!(world.asked().await, (1..=20).chain([0]).collect::<Vec<_>>(), "nothing is looked for again");
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
