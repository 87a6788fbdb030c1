//! What is sent again, and what never is.

use std::sync::atomic::{AtomicUsize, Ordering};

use wiremock::matchers::method;
use wiremock::{Mock, ResponseTemplate};

use super::*;

/// Answers in turn, the last one for ever.
async fn answer(world: &World, answers: Vec<ResponseTemplate>) {
    let turn = AtomicUsize::new(0);
    let respond = move |_: &wiremock::Request| {
        let turn = turn.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
        answers[turn].clone()
    };
    Mock::given(wiremock::matchers::any()).respond_with(respond).mount(&world.server).await;
}

#[tokio::test]
async fn a_read_is_tried_three_times_with_a_fresh_request_id_each() {
    let world = World::with_token().await;
    answer(
        &world,
        vec![ResponseTemplate::new(503), ResponseTemplate::new(200).set_body_string("<html>"), found()],
    )
    .await;
    assert_eq!(world.get().await.unwrap().id(), "c1");
    let requests = world.requests("/c1").await;
    let mut ids: Vec<_> = requests.iter().map(|request| request.headers["x-request-id"].clone()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    let seen = world.context.seen();
    assert_eq!((seen.attempts, seen.status), (3, Some(200)));
    assert_eq!(seen.request_id.unwrap(), ids[2].to_str().unwrap());
}

#[tokio::test]
async fn a_read_gives_up_after_three_attempts() {
    let world = World::with_token().await;
    answer(&world, vec![ResponseTemplate::new(500)]).await;
    let failure = world.get().await.unwrap_err();
    assert_eq!((failure.kind, failure.status), (FailureKind::Unavailable, Some(500)));
    assert_eq!(world.requests("/c1").await.len(), 3);
}

#[tokio::test]
async fn retry_after_is_waited_for_where_the_budget_allows() {
    let world = World::with_token().await;
    answer(&world, vec![ResponseTemplate::new(429).insert_header("Retry-After", "0"), found()]).await;
    assert!(world.get().await.is_ok());
    let world = World::with_token().await;
    answer(&world, vec![ResponseTemplate::new(429).insert_header("Retry-After", "3600"), found()]).await;
    let failure = world.get().await.unwrap_err();
    assert_eq!((failure.kind, failure.retry_after_seconds), (FailureKind::RateLimited, Some(3600)));
    assert_eq!(world.requests("/c1").await.len(), 1);
}

#[tokio::test]
async fn a_write_that_may_have_arrived_is_sent_once() {
    for status in [500, 502, 503, 408, 425, 429, 302, 404, 200] {
        let world = World::with_token().await;
        answer(&world, vec![ResponseTemplate::new(status)]).await;
        assert!(world.create().await.is_err(), "{status}");
        assert_eq!(world.requests("/customers").await.len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_write_that_never_left_is_tried_again_and_says_so() {
    let mut world = World::with_token().await;
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    world.fintecture =
        World::new(MockServer::start().await, Credentials::Token(Secret::fixed("t")), None).fintecture;
    let client = Client::new(ClientConfig {
        base_url: format!("http://{nobody}").parse().unwrap(),
        credentials: Credentials::Token(Secret::fixed("t")),
        signer: None,
        timeout: Duration::from_secs(5),
        requests_per_second: None,
        ca_file: None,
    });
    let capabilities = Capabilities::load(&Source::BuiltIn, &crate::tools::needs()).unwrap();
    world.fintecture = Fintecture::new(client.unwrap(), Arc::new(capabilities));
    let failure = world.create().await.unwrap_err();
    assert_eq!((failure.kind, failure.reach), (FailureKind::Unavailable, Reach::NotSent));
    assert_eq!(world.context.seen().attempts, 3);
}

#[tokio::test]
async fn after_twenty_failures_calls_fail_at_once_until_a_probe_succeeds() {
    let world = World::with_token().await;
    Mock::given(method("GET")).respond_with(ResponseTemplate::new(500)).mount(&world.server).await;
    for _ in 0..7 {
        world.get().await.unwrap_err();
    }
    let before = world.requests("/c1").await.len();
    assert!((20..=21).contains(&before), "{before} requests");
    let failures = futures_util::future::join_all((0..10).map(|_| world.get())).await;
    let refused = failures.into_iter().filter(|result| result.as_ref().unwrap_err().reach == Reach::NotSent);
    assert_eq!(refused.count(), 9, "one is the probe");
    assert_eq!(world.requests("/c1").await.len(), before + 1, "and is sent once");
    world.server.reset().await;
    answer(&world, vec![found()]).await;
    assert!(world.get().await.is_ok(), "the first call after it is back");
}

#[tokio::test]
async fn a_refusal_of_the_upstream_opens_no_breaker() {
    let world = World::with_token().await;
    answer(&world, vec![ResponseTemplate::new(404)]).await;
    for _ in 0..50 {
        assert_eq!(world.get().await.unwrap_err().kind, FailureKind::NotFound);
    }
}
