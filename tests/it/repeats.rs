//! The same write within ten minutes is one request to the upstream, whoever sends it, and however it is spelled.

use std::sync::Arc;

use fintecture_mcp::simulator::{self, Operation, SimulatorConfig};
use futures_util::future::join_all;
use serde_json::{Map, Value, json};
use wiremock::ResponseTemplate;

use crate::support::contract::Contract;
use crate::support::faults::{Fault, Faulty, answer, nobody};
use crate::support::in_time;
use crate::support::operations::{self, named};
use crate::support::setup::Setup;
use crate::support::simulator::simulator;
use crate::support::upstream::Upstream;
use crate::support::wire::{Wire, stateless};

/// The first result as those get it who call again.
fn again(mut first: Value) -> Value {
    first["repeated"] = json!(true);
    first
}

fn backwards(arguments: &Value) -> Value {
    let reversed: Map<String, Value> = arguments.as_object().unwrap().clone().into_iter().rev().collect();
    Value::Object(reversed)
}

#[tokio::test]
async fn each_write_again_is_answered_from_the_first() {
    let upstream = Upstream::saying(json!({"id": "new", "data": []})).await;
    let agent = Setup::against(&upstream.base_url()).agent().await;
    let mut writes: Vec<_> = operations::all().into_iter().filter(operations::Operation::writes).collect();
    writes.push(operations::create_with_external_id());
    for write in writes {
        let first = agent.good(write.tool, write.arguments.clone()).await;
        assert_eq!(first.get("repeated"), None);
        let sent = upstream.count().await;
        for arguments in [write.arguments.clone(), backwards(&write.arguments)] {
            assert_eq!(agent.good(write.tool, arguments).await, again(first.clone()), "{}", write.name);
        }
        assert_eq!(upstream.count().await, sent, "{}: not even a look-up", write.name);
    }
    // Nothing of this is for reads.
    let get = named("getCustomerById");
    for _ in 0..2 {
        upstream.now_answering(ResponseTemplate::new(200).set_body_json(json!({"id": "cus_1"}))).await;
        assert_eq!(agent.good(get.tool, get.arguments.clone()).await.get("repeated"), None);
        assert_eq!(upstream.count().await, 1);
    }
}

#[tokio::test]
async fn another_spelling_is_the_same_write() {
    let simulator = simulator(&[]).await;
    let agent = Setup::against(&simulator.base_url()).agent().await;
    let account = json!({"action": "create", "customer_id": "sim_cus_noor", "iban": "FR7630006000011234567890189",
        "holder_name": "Noor Haddad", "bic": "AGRIFRPP"});
    let first = agent.good("manage_bank_accounts", account).await;
    for spelled in [
        json!({"bic": "agrifrpp", "holder_name": "Noor Haddad", "iban": "fr76 3000 6000 0112 3456 7890 189",
            "customer_id": "sim_cus_noor", "action": "create"}),
        json!({"action": "create", "customer_id": "sim_cus_noor", "iban": "FR76 30006000 01123456 7890189",
            "holder_name": "Noor Haddad", "bic": "AGRIFRPP", "currency": null}),
        json!({"action": "create", "customer_id": "sim_cus_noor", "iban": "FR7630006000011234567890189",
            "holder_name": "Noor Haddad", "bic": "AGRIFRPP", "currency": "", "account_id": null}),
    ] {
        assert_eq!(agent.good("manage_bank_accounts", spelled).await, again(first.clone()));
    }
    let customer = json!({"action": "create", "first_name": "Ada", "last_name": "Byron", "email": "a@example.com",
        "phone": "+33612345678"});
    let first = agent.good("manage_customers", customer.clone()).await;
    let mut spaced = backwards(&customer);
    spaced["phone"] = json!("+33 6 12 34 56 78");
    spaced["external_id"] = Value::Null;
    assert_eq!(agent.good("manage_customers", spaced).await, again(first));
    assert_eq!(simulator.requests(Operation::CreateCustomerBankAccount), 1);
    assert_eq!(simulator.requests(Operation::CreateCustomer), 1);
    assert_eq!(simulator.effects().len(), 2);
}

#[tokio::test]
async fn different_arguments_are_different_writes() {
    let simulator = simulator(&[]).await;
    let agent = Setup::against(&simulator.base_url()).agent().await;
    let account = json!({"action": "create", "customer_id": "sim_cus_noor", "iban": "FR7630006000011234567890189",
        "holder_name": "Noor Haddad"});
    let mut variants = vec![account.clone()];
    for (name, value) in [
        ("customer_id", "sim_cus_ada"),
        ("iban", "NO9386011117947"),
        ("holder_name", "noor haddad"),
        ("bic", "AGRIFRPP"),
        ("currency", "EUR"),
    ] {
        let mut variant = account.clone();
        variant[name] = json!(value);
        variants.push(variant);
    }
    // Where one text ends and the next begins counts, too.
    for (first, last) in [("Ada Byron", "Lovelace"), ("Ada", "Byron Lovelace")] {
        let customer =
            json!({"action": "create", "first_name": first, "last_name": last, "email": "a@example.com"});
        assert_eq!(agent.good("manage_customers", customer).await.get("repeated"), None);
    }
    let count = variants.len();
    for variant in variants {
        assert_eq!(agent.good("manage_bank_accounts", variant).await.get("repeated"), None);
    }
    assert_eq!(simulator.effects().len(), count + 2);
}

#[tokio::test]
async fn an_unknown_outcome_again_says_from_when_it_would_be_sent() {
    let simulator = simulator(&["reset-after@writes"]).await;
    let agent = Setup::against(&simulator.base_url()).agent().await;
    let start = json!({"action": "start", "customer_id": "sim_cus_ada"});
    let mut first = agent.call("verify_identity", start.clone()).await;
    assert_eq!(first.kind(), "outcome_unknown");
    assert_eq!(first.body.get("repeated"), None);
    let mut again = agent.call("verify_identity", start.clone()).await;
    assert_eq!(again.body["repeated"], true);
    let hint = again.body["error"]["hint"].take();
    let said = first.body["error"]["hint"].take();
    let added =
        hint.as_str().unwrap().strip_prefix(said.as_str().unwrap()).expect("the first hint, and more");
    let when = added.strip_prefix(" The same arguments would be sent again from ").unwrap();
    let when = httpdate::parse_http_date(when.strip_suffix(" on.").unwrap()).unwrap();
    assert!(when > std::time::SystemTime::now(), "{added}");
    again.body.as_object_mut().unwrap().shift_remove("repeated");
    assert_eq!(again, first, "everything else is as it was, the request id included");
    assert_eq!(simulator.requests(Operation::InitiateCustomerVerification), 1);
    assert_eq!(simulator.effects().len(), 1);
}

#[tokio::test]
async fn what_was_refused_is_sent_again_at_once() {
    let upstream = Upstream::saying(Value::Null).await;
    let agent = Setup::against(&upstream.base_url()).agent().await;
    for status in [400, 401, 403, 404, 409, 422, 429] {
        for write in operations::all().iter().filter(|operation| operation.writes()) {
            upstream.now_answering(ResponseTemplate::new(status)).await;
            for times in 1..=3 {
                let answer = agent.call(write.tool, write.arguments.clone()).await;
                assert_eq!(answer.body["error"]["outcome"], "not_applied", "{status}");
                assert_eq!(answer.body.get("repeated"), None, "{status}");
                assert_eq!(upstream.count().await, times, "{} {status}", write.name);
            }
        }
    }
    let create = named("createCustomer");
    upstream.now_answering(ResponseTemplate::new(201).set_body_json(json!({"id": "new"}))).await;
    let good = agent.good(create.tool, create.arguments).await;
    assert_eq!(good.get("repeated"), None, "and then it goes through");
}

#[tokio::test]
async fn what_never_left_is_sent_again_at_once() {
    let (socket, base_url) = nobody();
    let agent = Setup::against(&base_url).agent().await;
    let start = json!({"action": "start", "customer_id": "sim_cus_ada"});
    let error = agent.error("verify_identity", start.clone()).await;
    assert_eq!((&error["kind"], &error["outcome"]), (&json!("upstream_unavailable"), &json!("not_applied")));
    let simulator = simulator::start(socket.listen(64).unwrap(), SimulatorConfig::default()).unwrap();
    let good = agent.good("verify_identity", start).await;
    assert_eq!(good.get("repeated"), None);
    assert_eq!(simulator.effects().len(), 1);
}

#[tokio::test]
async fn fifty_at_once_are_one_request() {
    for (fault, kind) in [("latency=200ms@writes", None), ("hang-after@writes", Some("outcome_unknown"))] {
        let simulator = simulator(&[fault]).await;
        let agent = Setup::against(&simulator.base_url()).impatient().agent().await;
        let start = json!({"action": "start", "customer_id": "sim_cus_ada"});
        let answers = join_all((0..50).map(|_| agent.call("verify_identity", start.clone()))).await;
        let (repeated, first): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|answer| answer.body.get("repeated").is_some());
        assert_eq!((first.len(), repeated.len()), (1, 49));
        assert_eq!(simulator.requests(Operation::InitiateCustomerVerification), 1);
        assert_eq!(simulator.effects().len(), 1);
        for answer in &repeated {
            assert_eq!(answer.body["verification"], first[0].body["verification"]);
            assert_eq!(answer.body["error"]["request_id"], first[0].body["error"]["request_id"]);
            assert_eq!(answer.body["error"]["kind"].as_str(), kind);
        }
    }
}

/// Without authentication everybody is one principal.
#[tokio::test]
async fn two_clients_over_http_are_one_principal() {
    let simulator = simulator(&[]).await;
    let server = Setup::against(&simulator.base_url()).http().await;
    let (one, other) = (server.agent().await, server.agent_over_legacy_sse().await);
    let start = json!({"action": "start", "customer_id": "sim_cus_ada"});
    let first = one.good("verify_identity", start.clone()).await;
    assert_eq!(first.get("repeated"), None);
    assert_eq!(other.good("verify_identity", start.clone()).await, again(first.clone()));
    drop(one);
    assert_eq!(server.agent().await.good("verify_identity", start).await, again(first), "after it left, too");
    assert_eq!(simulator.effects().len(), 1);
}

/// A client that gives up leaves its write behind: who asks again gets what became of it.
#[tokio::test]
async fn a_write_outlives_the_client_that_sent_it() {
    let mut upstream = Faulty::with(Fault::Hang).await;
    let setup = Setup::against(&upstream.base_url()).variable("FINTECTURE_TIMEOUT_SECONDS", "45");
    let server = Arc::new(setup.http().await);
    let tools = Wire::http(Arc::clone(&server)).request("tools/list", stateless(json!({}))).await;
    let contract = Contract::of(tools["result"]["tools"].as_array().unwrap());
    let start = json!({"name": "verify_identity", "arguments": {"action": "start", "customer_id": "cus_1"}});
    let call = |server: &Arc<_>| {
        let (server, start) = (Arc::clone(server), start.clone());
        tokio::spawn(async move { Wire::http(server).request("tools/call", stateless(start)).await })
    };
    let leaving = call(&server);
    upstream.has_got(1).await;
    leaving.abort();
    assert!(leaving.await.unwrap_err().is_cancelled(), "its connection is closed");
    let asking = call(&server);
    // Others are served meanwhile.
    server.agent().await.error("verify_identity", json!({"action": "nonsense"})).await;
    upstream.now(Fault::Bytes(answer("200 OK", br#"{"id":"ver_1"}"#)));
    let answer = contract.check("verify_identity", &in_time(asking).await.unwrap()["result"]).good();
    assert_eq!(answer["verification"]["id"], "ver_1");
    assert_eq!(answer["repeated"], true);
    assert_eq!(upstream.count(), 1);
}

#[tokio::test]
async fn a_cancelled_write_goes_on_and_is_told_of() {
    let mut upstream = Faulty::with(Fault::Hang).await;
    let setup = Setup::against(&upstream.base_url()).variable("FINTECTURE_TIMEOUT_SECONDS", "45");
    let mut pipe = setup.pipe();
    pipe.initialize("2025-11-25").await;
    let start = json!({"name": "verify_identity", "arguments": {"action": "start", "customer_id": "cus_1"}});
    let first = pipe.send("tools/call", start.clone()).await;
    upstream.has_got(1).await;
    let cancelled =
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": first}});
    pipe.write(&cancelled.to_string()).await;
    let second = pipe.send("tools/call", start).await;
    upstream.now(Fault::Bytes(answer("200 OK", br#"{"id":"ver_1"}"#)));
    let answer = loop {
        // Whether a cancelled call is answered is the protocol's affair.
        let answer = pipe.read().await.expect("the call is answered");
        if answer["id"] == second {
            break answer;
        }
        assert_eq!(answer["id"], first);
    };
    let answer = pipe.check("verify_identity", &answer).good();
    assert_eq!(answer["verification"]["id"], "ver_1");
    assert_eq!(answer["repeated"], true);
    assert_eq!(upstream.count(), 1);
}
