//! Answers that are late, wrong or spoilt, as a client sees them.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use super::harness::{World, send};
use crate::simulator::fault::NAMES;

const FORM: &str = "grant_type=client_credentials&app_id=app-1";

fn create(world: &World, external_id: &str) -> RequestBuilder {
    let body =
        json!({"first_name": "A", "last_name": "B", "email": "a@example.com", "external_id": external_id});
    world.request(Method::POST, "/v1/customers").bearer_auth("t").json(&body)
}

fn token(world: &World) -> RequestBuilder {
    let request = world.request(Method::POST, "/oauth/accesstoken").basic_auth("app-1", Some("s"));
    request.header("content-type", "application/x-www-form-urlencoded").body(FORM)
}

#[tokio::test]
async fn a_status_comes_before_or_after_the_effect() {
    for (fault, status, created) in
        [("status=503", 503, 0), ("status-after=502", 502, 1), ("status=418", 418, 0)]
    {
        let world = World::failing(&[fault], 0).await;
        let answer = send(create(&world, "x")).await;
        assert_eq!((answer.status.as_u16(), world.created().len()), (status, created), "{fault}");
        assert_eq!(answer.body["errors"][0]["code"], "ordered_fault");
    }
}

#[tokio::test]
async fn a_redirection_leads_nowhere() {
    let world = World::failing(&["status=307#1"], 0).await;
    assert_eq!(send(create(&world, "x")).await.status, StatusCode::NOT_FOUND);
    assert!(world.created().is_empty());
}

#[tokio::test]
async fn latency_comes_before_the_effect() {
    let world = World::failing(&["latency=200ms"], 0).await;
    let waiting = tokio::spawn(create(&world, "x").send());
    world.failed(1).await;
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished() && world.created().is_empty());
    world.pass(200);
    assert_eq!(waiting.await.unwrap().unwrap().status(), StatusCode::CREATED);
    assert_eq!(world.created().len(), 1);
}

#[tokio::test]
async fn too_many_requests_say_when_to_come_again() {
    for (fault, retry_after) in [
        ("rate-limit=2s", "2"),
        ("rate-limit=1.2s", "2"),
        ("rate-limit=0s", "0"),
        ("rate-limit-date=2s", "Fri, 15 Jan 2027 08:00:02 GMT"),
        ("rate-limit-date=1.2s", "Fri, 15 Jan 2027 08:00:02 GMT"),
    ] {
        let world = World::failing(&[fault], 0).await;
        let answer = send(create(&world, "x")).await;
        assert_eq!(
            (answer.status, answer.header("retry-after")),
            (StatusCode::TOO_MANY_REQUESTS, retry_after)
        );
        assert!(world.created().is_empty());
    }
}

#[tokio::test]
async fn a_truncated_body_is_no_body() {
    for (fault, length) in [("truncate", true), ("truncate-chunked", false)] {
        let world = World::failing(&[fault], 0).await;
        let mut response = create(&world, "x").send().await.unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(response.content_length().is_some(), length);
        assert!(response.chunk().await.unwrap().unwrap().starts_with(b"{\"id\":\"sim_cus_"));
        response.chunk().await.unwrap_err();
        assert_eq!(world.created().len(), 1);
    }
}

#[tokio::test]
async fn a_spoilt_body_is_whole_but_not_json() {
    async fn parts(response: Response) -> (StatusCode, String, Vec<u8>) {
        let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
        (response.status(), content_type, response.bytes().await.unwrap().to_vec())
    }
    for (fault, content_type, start) in [
        ("garbage", "application/json", &b"\x00\xff"[..]),
        ("html", "text/html; charset=utf-8", b"<!DOCTYPE html>"),
        ("half-json", "application/json", b"{\"id\":\"sim_cus_"),
        ("empty", "application/json", b""),
    ] {
        let world = World::failing(&[fault], 0).await;
        let (status, said, body) = parts(create(&world, "x").send().await.unwrap()).await;
        assert_eq!((status, said.as_str()), (StatusCode::CREATED, content_type), "{fault}");
        assert!(body.starts_with(start) && serde_json::from_slice::<Value>(&body).is_err(), "{fault}");
        let (status, _, body) =
            parts(world.request(Method::GET, "/v1/customers").bearer_auth("t").send().await.unwrap()).await;
        assert!(status == StatusCode::OK && serde_json::from_slice::<Value>(&body).is_err(), "{fault}");
        assert_eq!(world.created().len(), 1);
    }
}

#[tokio::test]
async fn a_trickle_is_slow_and_whole() {
    let world = World::failing(&["trickle=10B/s"], 0).await;
    let before = world.now();
    world.hurry();
    let response = create(&world, "x").send().await.unwrap();
    let length = response.content_length().unwrap();
    let body: Value = response.json().await.unwrap();
    assert_eq!(world.created(), [body["id"].as_str().unwrap()]);
    assert_eq!(world.now().duration_since(before).as_millis(), i128::from(length) * 100);
}

#[tokio::test]
async fn a_good_token_is_refused_as_often_as_ordered() {
    let world = World::failing(&["expire-token#1@writes"], 0).await;
    world.get("/v1/customers", "CustomerList").await;
    let refused = send(create(&world, "x")).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refused.header("www-authenticate"), r#"Bearer error="invalid_token""#);
    assert!(world.created().is_empty());
    assert_eq!(send(create(&world, "x")).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_token_may_end_earlier_than_it_says() {
    let world = World::failing(&["short-token=5s#1"], 0).await;
    let answer = send(token(&world)).await;
    assert_eq!(answer.body["expires_in"], 3600);
    let get = || {
        let token = answer.body["access_token"].as_str().unwrap();
        send(world.request(Method::GET, "/v1/customers").bearer_auth(token))
    };
    world.pass(4_999);
    assert_eq!(get().await.status, StatusCode::OK);
    world.pass(1);
    assert_eq!(get().await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_token_endpoint_fails_when_it_is_named() {
    let world = World::failing(&["status=500", "status=503@token"], 0).await;
    assert_eq!(send(token(&world)).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(send(create(&world, "x")).await.status, StatusCode::INTERNAL_SERVER_ERROR);
    let world = World::failing(&["latency=5s@token"], 0).await;
    let waiting = tokio::spawn(token(&world).send());
    world.failed(1).await;
    assert!(!waiting.is_finished());
    world.pass(5_000);
    assert_eq!(waiting.await.unwrap().unwrap().status(), StatusCode::OK);
    assert_eq!(send(create(&world, "x")).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_wrong_request_is_refused_whatever_the_faults() {
    let world = World::failing(&["status=503"], 0).await;
    assert_eq!(send(world.request(Method::GET, "/v1/customers")).await.status, StatusCode::UNAUTHORIZED);
    let put = world.request(Method::PUT, "/v1/customers").bearer_auth("t");
    assert_eq!(send(put).await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(send(world.request(Method::GET, "/nowhere")).await.status, StatusCode::NOT_FOUND);
}

/// What became of one request after another: the status, or 0 for a reset.
async fn story(seed: u64) -> Vec<u16> {
    let faults = ["status=503:0.2", "reset-after:0.2@writes", "rate-limit=1s:0.2@reads", "reset-before:0.1"];
    let world = World::failing(&faults, seed).await;
    let mut story = Vec::new();
    for number in 0..40 {
        let path = format!("/v1/customers?page[number]={}", number % 7);
        for request in
            [create(&world, &number.to_string()), world.request(Method::GET, &path).bearer_auth("t")]
        {
            story.push(request.send().await.map_or(0, |response| response.status().as_u16()));
        }
    }
    let done: u64 = world.simulator.faults_done().iter().map(|(_, count)| count).sum();
    let good = story.iter().filter(|status| [200, 201].contains(*status)).count();
    assert_eq!(usize::try_from(done).unwrap() + good, story.len());
    story
}

#[tokio::test]
async fn a_seed_replays() {
    let (first, again, other) = (story(5).await, story(5).await, story(6).await);
    assert_eq!(first, again);
    assert_ne!(first, other);
    assert!([0, 200, 201, 429, 503].iter().all(|status| first.contains(status)), "{first:?}");
}

/// What became of each of many writes at once, by `external_id`: what the client saw, and how often it took effect.
async fn rush(seed: u64) -> BTreeMap<String, (u16, bool, usize)> {
    let world = World::failing(
        &[
            "reset-before:0.1",
            "reset-after:0.1",
            "late-commit=1s:0.1",
            "status-after=502:0.1",
            "half-json:0.1",
        ],
        seed,
    )
    .await;
    let writes = (0..300).map(|number| {
        let (name, request) = (number.to_string(), create(&world, &number.to_string()));
        async move {
            let Ok(response) = request.send().await else { return (name, (0, false)) };
            (name, (response.status().as_u16(), response.json::<Value>().await.is_ok()))
        }
    });
    let answers: Vec<_> = stream::iter(writes).buffer_unordered(32).collect().await;
    world.pass(1_000);
    world.simulator.settled().await;
    let effects = world.simulator.effects();
    let count = |name: &str| effects.iter().filter(|one| one.external_id.as_deref() == Some(name)).count();
    answers.into_iter().map(|(name, (status, json))| (name.clone(), (status, json, count(&name)))).collect()
}

#[tokio::test]
async fn a_seed_replays_many_clients_and_effects_are_as_promised() {
    let first = rush(11).await;
    assert_eq!(first, rush(11).await);
    assert_ne!(first, rush(12).await);
    for (name, outcome) in &first {
        let promised = [(0, false, 0), (0, false, 1), (502, true, 1), (201, false, 1), (201, true, 1)];
        assert!(promised.contains(outcome), "{name}: {outcome:?}");
    }
}

#[test]
fn every_fault_is_documented() {
    let documents = [
        include_str!("../mod.rs"),
        include_str!("../../cli/simulator.rs"),
        include_str!("../../../docs/simulator.md"),
    ];
    for document in documents {
        for name in NAMES {
            let shown = [format!("{name}="), format!("`{name}`"), format!(" {name} ")];
            assert!(shown.iter().any(|shown| document.contains(shown)), "{name}");
        }
    }
}
