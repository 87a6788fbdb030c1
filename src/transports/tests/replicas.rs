//! Sessions that another replica takes up, through a store that both share.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use super::call;
use super::principals::{Ask, Replica, whole};
use crate::store::{Store, faulty::Faulty};
use crate::transports::{HttpConfig, HttpLimits};

fn replica(store: &Store, limits: &HttpLimits) -> Replica {
    let (store, limits) = (store.clone(), limits.clone());
    Replica::new(&HttpConfig { store, limits, shares_sessions: true, ..HttpConfig::default() })
}

fn replicas<const N: usize>(limits: &HttpLimits) -> [Replica; N] {
    let store = Store::memory();
    std::array::from_fn(|_| replica(&store, limits))
}

async fn delete(replica: &Replica, ask: Ask<'_>) -> u16 {
    replica.send(ask, (Method::DELETE, "/mcp"), &[], &Value::Null).await.status().as_u16()
}

#[tokio::test]
async fn a_session_goes_on_at_another_replica_with_its_revision() {
    for (revision, batches) in [("2025-03-26", true), ("2025-11-25", false)] {
        let [one, other, third] = replicas(&HttpLimits::default());
        let session = one.open("alice", revision).await;
        let own = Ask { who: "alice", session: Some(&session) };
        one.end.cancel();
        let answered = whole(other.post(own, &call(1, "echo")).await).await;
        assert!(answered.0 == 200 && answered.1.contains("by_http"), "{answered:?}");
        // The very first message there is a batch.
        let batch = whole(third.post(own, &json!([call(1, "echo"), call(2, "echo")])).await).await;
        assert_eq!(batch.0, if batches { 200 } else { 400 }, "{batch:?}");
        assert_eq!(batch.1.matches("by_http").count(), if batches { 2 } else { 0 }, "{batch:?}");
    }
}

#[tokio::test]
async fn two_messages_at_once_take_a_session_up_together() {
    let [one, other] = replicas(&HttpLimits::default());
    let session = one.open("alice", "2025-11-25").await;
    let own = Ask { who: "alice", session: Some(&session) };
    let (first, second) = (call(1, "echo"), call(2, "echo"));
    let (first, second) = tokio::join!(other.post(own, &first), other.post(own, &second));
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (200, 200));
}

#[tokio::test]
async fn another_principal_finds_it_at_no_replica() {
    let [one, other] = replicas(&HttpLimits::default());
    let session = one.open("alice", "2025-11-25").await;
    let foreign = Ask { who: "mallory", session: Some(&session) };
    let unknown = Ask { who: "mallory", session: Some("00000000-0000-4000-8000-000000000000") };
    for method in [Method::POST, Method::GET, Method::DELETE] {
        let body = if method == Method::POST { call(1, "echo") } else { Value::Null };
        let send = |ask| other.send(ask, (method.clone(), "/mcp"), &[], &body);
        let refused = whole(send(foreign).await).await;
        assert_eq!(refused, whole(send(unknown).await).await, "{method}");
        assert_eq!(refused.0, 404, "{method}");
    }
    let own = Ask { who: "alice", session: Some(&session) };
    assert_eq!(other.post(own, &call(1, "echo")).await.status(), 200, "and it was not ended");
}

#[tokio::test]
async fn what_its_client_has_ended_is_taken_up_nowhere() {
    let [one, other] = replicas(&HttpLimits::default());
    let session = one.open("alice", "2025-11-25").await;
    let own = Ask { who: "alice", session: Some(&session) };
    assert_eq!(delete(&one, own).await, 202);
    assert_eq!(other.post(own, &call(1, "echo")).await.status(), 404);
    // Ended at a replica that never served it.
    let session = one.open("alice", "2025-11-25").await;
    let own = Ask { who: "alice", session: Some(&session) };
    assert_eq!(delete(&other, own).await, 202);
    assert_eq!(delete(&other, own).await, 404);
}

#[tokio::test]
async fn a_session_that_is_taken_up_counts() {
    let limits = HttpLimits { sessions: 1, ..HttpLimits::default() };
    let [one, other] = replicas(&limits);
    let session = one.open("alice", "2025-11-25").await;
    other.open("bob", "2025-11-25").await;
    let full = other.post(Ask { who: "alice", session: Some(&session) }, &call(1, "echo")).await;
    assert_eq!(full.status(), 503);
    assert!(full.headers().contains_key("retry-after"));
}

#[tokio::test(start_paused = true)]
async fn a_session_in_use_stays_there_for_others_and_an_idle_one_does_not() {
    let limits = HttpLimits { session_idle: Duration::from_mins(10), ..HttpLimits::default() };
    let [one, other] = replicas(&limits);
    let used = one.open("alice", "2025-11-25").await;
    let left = one.open("alice", "2025-11-25").await;
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_mins(4)).await;
        let own = Ask { who: "alice", session: Some(&used) };
        assert_eq!(one.post(own, &call(1, "echo")).await.status(), 200);
    }
    for (session, status) in [(used, 200), (left, 404)] {
        let own = Ask { who: "alice", session: Some(&session) };
        assert_eq!(other.post(own, &call(1, "echo")).await.status(), status);
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_store_sessions_go_on_where_they_are() {
    let faulty = Faulty::default();
    let (store, shared) = (faulty.store(), faulty.beside().store());
    let (one, other) = (replica(&store, &HttpLimits::default()), replica(&shared, &HttpLimits::default()));
    let before = one.open("alice", "2025-11-25").await;
    faulty.goes();
    let meanwhile = one.open("alice", "2025-11-25").await;
    for session in [&before, &meanwhile] {
        let own = Ask { who: "alice", session: Some(session) };
        assert_eq!(one.post(own, &call(1, "echo")).await.status(), 200);
    }
    let elsewhere = other.open("alice", "2025-11-25").await;
    let own = Ask { who: "alice", session: Some(&elsewhere) };
    let refused = one.post(own, &call(1, "echo")).await;
    assert_eq!(refused.status(), 503, "it may well exist, so it is no 404");
    assert!(refused.headers().contains_key("retry-after"));

    faulty.comes_back();
    assert_eq!(one.post(own, &call(1, "echo")).await.status(), 200);
    // What was opened meanwhile is kept at its next use.
    tokio::time::sleep(Duration::from_secs(11)).await;
    let own = Ask { who: "alice", session: Some(&meanwhile) };
    assert_eq!(one.post(own, &call(1, "echo")).await.status(), 200);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(other.post(own, &call(1, "echo")).await.status(), 200);
}
