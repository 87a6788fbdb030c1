//! Completion of ids: what it offers, and how little it costs the upstream.

use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use crate::support::pipe::Pipe;
use crate::support::setup::Setup;
use crate::support::upstream::Upstream;
use crate::support::wire::{self, OLDER, stateless};

const CUSTOMER: &str = "fintecture://customers/{customer_id}";
const ACCOUNT: &str = "fintecture://customers/{customer_id}/bank-accounts/{account_id}";

fn of_prompt(name: &str, argument: &str, typed: &str) -> Value {
    json!({"ref": {"type": "ref/prompt", "name": name}, "argument": {"name": argument, "value": typed}})
}

fn of_template(uri: &str, argument: &str, typed: &str) -> Value {
    json!({"ref": {"type": "ref/resource", "uri": uri}, "argument": {"name": argument, "value": typed}})
}

fn for_customer(mut request: Value, customer_id: &str) -> Value {
    request["context"] = json!({"arguments": {"customer_id": customer_id}});
    request
}

async fn ready(setup: Setup) -> Pipe {
    let mut pipe = setup.pipe();
    let about = pipe.initialize("2025-11-25").await;
    assert_eq!(about["capabilities"]["completions"], json!({}));
    pipe
}

async fn complete(pipe: &mut Pipe, request: Value) -> Value {
    let answer = pipe.request("completion/complete", request).await;
    assert!(answer.get("error").is_none(), "{answer}");
    answer["result"]["completion"].clone()
}

/// Lists of every kind, with so many customers a page.
fn lists(customers: usize) -> impl Fn(&Request) -> ResponseTemplate {
    move |request: &Request| {
        let ids: Vec<String> = if request.url.path().ends_with("/customers") {
            (0..customers).map(|number| format!("cus_{number}")).collect()
        } else if request.url.path().ends_with("/bank-accounts") {
            vec!["acc_1".to_owned(), "acc_2".to_owned()]
        } else {
            vec!["ver_1".to_owned()]
        };
        let records: Vec<Value> = ids.iter().map(|id| json!({"id": id, "first_name": "Ada"})).collect();
        ResponseTemplate::new(200).set_body_json(json!({"data": records}))
    }
}

#[tokio::test]
async fn hundreds_of_keys_cost_one_request() {
    let upstream = Upstream::answering(lists(3)).await;
    let mut pipe = ready(Setup::against(&upstream.base_url())).await;
    // All at once first: none waits for another, and none asks for itself.
    for number in 0..100 {
        let request = match number % 3 {
            0 => of_prompt("kyc_check", "customer_id", "cus"),
            1 => of_template(CUSTOMER, "customer_id", ""),
            _ => for_customer(
                of_prompt("explain_verification", "verification_id", ""),
                &format!("cus_{number}"),
            ),
        };
        pipe.send("completion/complete", request).await;
    }
    for _ in 0..100 {
        assert!(pipe.read().await.unwrap()["result"]["completion"]["values"].is_array());
    }
    for typed in ["c", "cu", "cus", "cus_", "cus_2"] {
        for _ in 0..100 {
            complete(&mut pipe, of_prompt("kyc_check", "customer_id", typed)).await;
        }
    }
    assert_eq!(upstream.count().await, 1);
}

#[tokio::test]
async fn ids_of_customers_with_a_count_that_is_right() {
    for (there, shown, total, has_more) in
        [(3, 3, json!(3), false), (0, 0, json!(0), false), (100, 100, Value::Null, true)]
    {
        let upstream = Upstream::answering(lists(there)).await;
        let mut pipe = ready(Setup::against(&upstream.base_url())).await;
        let found = complete(&mut pipe, of_prompt("review_verifications", "customer_id", "")).await;
        assert_eq!(found["values"].as_array().unwrap().len(), shown);
        assert_eq!(
            (found.get("total").cloned().unwrap_or_default(), &found["hasMore"]),
            (total, &json!(has_more))
        );
        let size = upstream.requests().await[0].url.query().unwrap().to_owned();
        assert!(size.contains("page%5Bsize%5D=100"), "{size}");
    }
}

#[tokio::test]
async fn ids_below_a_customer_need_to_know_which() {
    let cases = [
        (of_template(ACCOUNT, "account_id", "2"), json!(["acc_2"]), "/v1/customers/cus_1/bank-accounts"),
        (
            of_prompt("explain_verification", "verification_id", ""),
            json!(["ver_1"]),
            "/v1/customers/cus_1/verifications",
        ),
    ];
    for (request, expected, path) in cases {
        let upstream = Upstream::answering(lists(3)).await;
        let mut pipe = ready(Setup::against(&upstream.base_url())).await;
        for unknown in
            [request.clone(), for_customer(request.clone(), ""), for_customer(request.clone(), "../x")]
        {
            assert_eq!(complete(&mut pipe, unknown).await, json!({"values": []}));
        }
        assert_eq!(upstream.count().await, 0);
        assert_eq!(complete(&mut pipe, for_customer(request, "cus_1")).await["values"], expected);
        assert_eq!(upstream.requests().await[0].url.path(), path);
    }
}

#[tokio::test]
async fn a_failing_upstream_is_asked_once_and_completes_nothing() {
    for status in [401, 429, 500, 503] {
        let upstream = Upstream::answering(ResponseTemplate::new(status)).await;
        let mut pipe = ready(Setup::against(&upstream.base_url())).await;
        for _ in 0..3 {
            assert_eq!(
                complete(&mut pipe, of_prompt("kyc_check", "customer_id", "")).await,
                json!({"values": []})
            );
        }
        assert_eq!(upstream.count().await, 1, "{status}");
    }
}

#[tokio::test]
async fn what_masking_would_hide_is_no_completion() {
    let ids = ["cus_1", "FR7630006000011234567890189", "a/b", "ada.byron@example.com", ""];
    let records: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
    let body = json!({"data": records.iter().take(4).collect::<Vec<_>>(), "meta": {"count": 4}});
    for (flag, expected) in [("full", json!(["cus_1", ids[1]])), ("masked", json!(["cus_1"]))] {
        let upstream = Upstream::saying(body.clone()).await;
        let setup = Setup::against(&upstream.base_url()).flag("--personal-data").flag(flag);
        let mut pipe = ready(setup).await;
        let found = complete(&mut pipe, of_prompt("kyc_check", "customer_id", "")).await;
        assert_eq!(found["values"], expected, "{flag}");
    }
}

#[tokio::test]
async fn the_simulator_offers_its_own_banks_and_nobody_else_does() {
    let request = of_prompt("onboard_customer", "provider_id", "sim-s");
    let mut pipe = ready(Setup::simulator()).await;
    assert_eq!(
        complete(&mut pipe, request.clone()).await,
        json!({"values": ["sim-slow"], "total": 1, "hasMore": false})
    );
    let upstream = Upstream::answering(lists(3)).await;
    let mut pipe = ready(Setup::against(&upstream.base_url())).await;
    assert_eq!(complete(&mut pipe, request).await["values"], json!([]));
    assert_eq!(
        complete(&mut pipe, of_prompt("onboard_customer", "first_name", "A")).await["values"],
        json!([])
    );
    assert_eq!(upstream.count().await, 0);
}

#[tokio::test]
async fn what_is_not_there_is_refused_with_what_is() {
    let mut pipe = ready(Setup::simulator()).await;
    for (request, names) in [
        (of_prompt("kyc", "customer_id", ""), "kyc_check"),
        (of_prompt("kyc_check", "verification_id", ""), "customer_id"),
        (of_template("fintecture://customers/cus_1", "customer_id", ""), CUSTOMER),
        (of_template(CUSTOMER, "account_id", ""), "customer_id"),
        (
            json!({"ref": {"type": "ref/other"}, "argument": {"name": "a", "value": ""}}),
            "completion/complete",
        ),
    ] {
        let refused = pipe.request("completion/complete", request).await;
        assert_eq!(refused["error"]["code"], -32602, "{refused}");
        assert!(refused["error"]["message"].as_str().unwrap().contains(names), "{refused}");
    }
}

#[tokio::test]
async fn on_each_way_in_with_and_without_a_handshake() {
    let request = of_prompt("kyc_check", "customer_id", "ada");
    for revision in OLDER {
        for (name, mut wire) in wire::each().await {
            wire.initialize(revision).await;
            let found = wire.request("completion/complete", request.clone()).await;
            assert_eq!(found["result"]["completion"]["values"], json!(["sim_cus_ada"]), "{name} {revision}");
        }
    }
    for (name, mut wire) in wire::each().await {
        let found = wire.request("completion/complete", stateless(request.clone())).await;
        assert_eq!(found["result"]["completion"]["values"], json!(["sim_cus_ada"]), "{name}");
        assert!(found["result"]["_meta"]["io.modelcontextprotocol/serverInfo"].is_object(), "{name}");
    }
}
