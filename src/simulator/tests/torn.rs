//! Connections that end, or never answer, as a client sees it.

use std::error::Error;
use std::io::ErrorKind;

use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::harness::World;
use crate::simulator::Operation;

fn create(world: &World) -> RequestBuilder {
    let body = json!({"first_name": "A", "last_name": "B", "email": "a@example.com", "external_id": "crm-9"});
    let request = world.request(Method::POST, "/v1/customers").bearer_auth("t").json(&body);
    request.header("X-Request-ID", "one")
}

/// The deepest I/O error that a client met.
fn io_error(error: &reqwest::Error) -> Option<ErrorKind> {
    let mut source = error.source();
    let mut kind = None;
    while let Some(error) = source {
        kind = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind).or(kind);
        source = error.source();
    }
    kind
}

#[tokio::test]
async fn without_faults_effects_are_recorded_and_requests_counted() {
    let world = World::start(None).await;
    let customer = create(&world).send().await.unwrap().json::<serde_json::Value>().await.unwrap();
    let path = format!("/v1/customers/{}/verification", customer["id"].as_str().unwrap());
    let verification = world.create(&path, &json!({}), "CustomerVerification").await;
    world.post_text("/v1/customers", "{}").await;
    let effects = world.simulator.effects();
    assert_eq!(
        world.created(),
        [customer["id"].as_str().unwrap(), verification.body["id"].as_str().unwrap()]
    );
    assert_eq!(effects[0].operation, Operation::CreateCustomer);
    assert_eq!(effects[0].request_id.as_deref(), Some("one"));
    assert_eq!(effects[0].external_id.as_deref(), Some("crm-9"));
    assert_eq!(effects[1].operation, Operation::InitiateCustomerVerification);
    assert_eq!((effects[1].request_id.as_deref(), effects[1].external_id.as_deref()), (None, None));
    let requests = Operation::ALL.map(|operation| world.simulator.requests(operation));
    assert_eq!(requests, [0, 2, 0, 0, 0, 0, 1, 0, 0, 0]);
}

#[tokio::test]
async fn a_reset_is_a_reset_and_not_an_answer() {
    for (fault, created) in [("reset-before", 0), ("reset-after", 1)] {
        let world = World::failing(&[fault], 0).await;
        let error = create(&world).send().await.unwrap_err();
        assert!(error.is_request() && error.status().is_none(), "{error:?}");
        assert_eq!(io_error(&error), Some(ErrorKind::ConnectionReset), "{error:?}");
        assert_eq!(world.created().len(), created, "{fault}");
        assert_eq!(world.simulator.requests(Operation::CreateCustomer), 1);
    }
}

#[tokio::test]
async fn no_byte_of_an_answer_comes_before_a_reset() {
    let world = World::failing(&["reset-after"], 0).await;
    let mut connection = TcpStream::connect(world.simulator.local_addr()).await.unwrap();
    connection
        .write_all(b"GET /v1/customers HTTP/1.1\r\nhost: a\r\nauthorization: Bearer t\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    assert_eq!(connection.read_to_end(&mut answer).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert!(answer.is_empty());
}

#[tokio::test]
async fn a_reset_ends_http2_too() {
    let world = World::failing(&["reset-after"], 0).await;
    let client = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let error = client.execute(create(&world).build().unwrap()).await.unwrap_err();
    assert!(error.is_request() && error.status().is_none(), "{error:?}");
    assert_eq!(world.created().len(), 1);
}

#[tokio::test]
async fn a_late_commit_takes_effect_after_the_connection_died() {
    let world = World::failing(&["late-commit=3s"], 0).await;
    let error = create(&world).send().await.unwrap_err();
    assert_eq!(io_error(&error), Some(ErrorKind::ConnectionReset));
    world.pass(2_999);
    tokio::task::yield_now().await;
    assert!(world.created().is_empty());
    world.pass(1);
    world.simulator.settled().await;
    let effects = world.simulator.effects();
    assert_eq!(effects.len(), 1);
    assert_eq!(effects[0].request_id.as_deref(), Some("one"));
    let found = world.get("/v1/customers?external_id=crm-9", "CustomerList").await;
    assert_eq!(found["data"][0]["id"], effects[0].id);
}

#[tokio::test]
async fn a_late_commit_of_a_wrong_request_takes_no_effect() {
    let world = World::failing(&["late-commit=3s"], 0).await;
    let wrong = world.request(Method::POST, "/v1/customers").bearer_auth("t").json(&json!({}));
    wrong.send().await.unwrap_err();
    world.pass(3_000);
    world.simulator.settled().await;
    assert!(world.created().is_empty());
}

#[tokio::test]
async fn a_hang_lasts_as_long_as_the_client_does() {
    for (fault, created) in [("hang", 0), ("hang-after", 1)] {
        let world = World::failing(&[fault], 0).await;
        let waiting = tokio::spawn(create(&world).send());
        world.failed(1).await;
        world.pass(1_000_000);
        while world.created().len() < created {
            tokio::task::yield_now().await;
        }
        assert!(!waiting.is_finished());
        waiting.abort();
        assert_eq!(world.created().len(), created, "{fault}");
        // Nothing hangs once the simulator ends.
        let waiting = tokio::spawn(create(&world).send());
        world.failed(2).await;
        world.simulator.shutdown().await.unwrap();
        waiting.await.unwrap().unwrap_err();
    }
}
