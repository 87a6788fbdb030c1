//! Tokens: fetched once, renewed once, and clear about which variable is wrong.

use std::sync::atomic::{AtomicUsize, Ordering};

use wiremock::matchers::{any, body_string, header, method, path_regex};
use wiremock::{Mock, ResponseTemplate};

use super::*;

/// A token endpoint that numbers its tokens, and an API that knows only the ones from `first_good` on.
async fn serve(world: &World, life: u64, first_good: usize) {
    let given = AtomicUsize::new(0);
    Mock::given(path_regex("accesstoken$"))
        .respond_with(move |_: &wiremock::Request| token(given.fetch_add(1, Ordering::SeqCst), life))
        .mount(&world.server)
        .await;
    Mock::given(path_regex("customers"))
        .respond_with(move |request: &wiremock::Request| {
            let bearer = request.headers["authorization"].to_str().unwrap();
            let number: usize = bearer.strip_prefix("Bearer token-").unwrap().parse().unwrap();
            if number < first_good { ResponseTemplate::new(401) } else { found() }
        })
        .mount(&world.server)
        .await;
}

#[tokio::test]
async fn a_token_is_asked_for_as_the_sdks_do_and_kept() {
    let world = World::with_application().await;
    Mock::given(method("POST"))
        .and(header("authorization", "Basic YXBwOmFwcC1zZWNyZXQ="))
        .and(header("content-type", "application/x-www-form-urlencoded"))
        .and(body_string("grant_type=client_credentials&app_id=app&scope=PIS"))
        .respond_with(token(7, 3600))
        .mount(&world.server)
        .await;
    Mock::given(header("authorization", "Bearer token-7")).respond_with(found()).mount(&world.server).await;
    for _ in 0..3 {
        assert!(world.get().await.is_ok());
    }
    assert_eq!(world.requests("/accesstoken").await.len(), 1);
}

#[tokio::test]
async fn a_thousand_calls_on_an_expired_token_fetch_one() {
    let world = World::with_application().await;
    serve(&world, 3600, 1).await;
    let calls = (0..1000).map(|_| world.get());
    let results = futures_util::future::join_all(calls).await;
    assert!(results.iter().all(Result::is_ok));
    // One for the first token, which the API has forgotten, and one for the next.
    assert_eq!(world.requests("/accesstoken").await.len(), 2);
}

#[tokio::test]
async fn a_write_goes_out_once_more_after_a_401_and_no_further() {
    let world = World::with_application().await;
    serve(&world, 3600, 1).await;
    assert!(world.create().await.is_ok());
    assert_eq!(world.requests("/customers").await.len(), 2);
    let world = World::with_application().await;
    serve(&world, 3600, usize::MAX).await;
    let failure = world.create().await.unwrap_err();
    assert_eq!((failure.kind, failure.reach), (FailureKind::Unauthorized, Reach::Refused));
    assert_eq!(world.requests("/customers").await.len(), 2);
}

#[tokio::test]
async fn a_static_token_is_not_tried_twice_unless_its_file_changed() {
    let world = World::with_token().await;
    serve(&world, 3600, 1).await;
    assert!(world.get().await.is_err());
    assert_eq!(world.requests("/c1").await.len(), 1);

    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    std::fs::write(&file, "token-0").unwrap();
    let server = MockServer::start().await;
    let world = World::new(server, Credentials::Token(Secret::from_file(&file).unwrap()), None);
    serve(&world, 3600, 1).await;
    std::fs::write(&file, "token-1\n").unwrap();
    assert!(world.get().await.is_ok());
    assert_eq!(world.requests("/c1").await.len(), 2);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires() {
    let world = World::with_application().await;
    serve(&world, 1, 0).await;
    assert!(world.get().await.is_ok());
    tokio::time::pause();
    tokio::time::advance(Duration::from_millis(600)).await;
    tokio::time::resume();
    assert!(world.get().await.is_ok());
    assert_eq!(world.requests("/accesstoken").await.len(), 2);
}

#[tokio::test]
async fn a_token_endpoint_that_fails_names_the_variable_and_nothing_is_sent() {
    let cases = [
        (ResponseTemplate::new(401), FailureKind::Unauthorized, "FINTECTURE_APP_SECRET"),
        (
            ResponseTemplate::new(400).set_body_string(r#"{"error":"invalid_scope"}"#),
            FailureKind::Unauthorized,
            "FINTECTURE_SCOPE",
        ),
        (ResponseTemplate::new(404), FailureKind::Rejected, "FINTECTURE_TOKEN_URL"),
        (ResponseTemplate::new(301), FailureKind::Unavailable, "FINTECTURE_TOKEN_URL"),
        (
            ResponseTemplate::new(200).set_body_string("<html>"),
            FailureKind::Unavailable,
            "FINTECTURE_TOKEN_URL",
        ),
        (ResponseTemplate::new(500), FailureKind::Unavailable, "token endpoint"),
    ];
    for (answer, kind, named) in cases {
        let world = World::with_application().await;
        Mock::given(path_regex("accesstoken$")).respond_with(answer).mount(&world.server).await;
        let failure = world.create().await.unwrap_err();
        assert_eq!((failure.kind, failure.reach), (kind, Reach::NotSent), "{named}");
        assert!(failure.reason.contains(named), "{}", failure.reason);
        assert!(world.requests("/customers").await.is_empty());
    }
}

#[tokio::test]
async fn calls_that_wait_for_a_failing_token_endpoint_share_its_failure() {
    let world = World::with_application().await;
    Mock::given(path_regex("accesstoken$"))
        .respond_with(ResponseTemplate::new(401))
        .mount(&world.server)
        .await;
    let results = futures_util::future::join_all((0..100).map(|_| world.get())).await;
    assert!(results.iter().all(Result::is_err));
    assert_eq!(world.requests("/accesstoken").await.len(), 1);
}

#[tokio::test]
async fn a_call_with_little_time_does_not_wait_for_anothers_token() {
    let world = World::with_application().await;
    Mock::given(any()).respond_with(found().set_delay(Duration::from_mins(1))).mount(&world.server).await;
    let hasty = CallContext::with_budget(Duration::from_millis(200));
    let hasty = async { world.fintecture.on_behalf_of(&hasty).customer(&"c1".parse().unwrap()).await };
    tokio::select! {
        biased;
        _ = world.get() => panic!("the patient one holds the token endpoint until its own time is up"),
        failure = hasty => {
            let failure = failure.unwrap_err();
            assert_eq!((failure.kind, failure.reach), (FailureKind::Unavailable, Reach::NotSent));
        }
    }
}

#[tokio::test]
async fn a_success_that_repeats_the_token_does_not_pass_it_on() {
    let token = "canary-token-of-some-length";
    let world = World::new(MockServer::start().await, Credentials::Token(Secret::fixed(token)), None);
    let echo = serde_json::json!({ "id": "c1", "debug": { "headers": [format!("Bearer {token}")] } });
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_body_json(echo))
        .mount(&world.server)
        .await;
    let fields = world.get().await.unwrap().into_fields();
    assert_eq!(fields["debug"]["headers"][0], "Bearer [secret]");
}
