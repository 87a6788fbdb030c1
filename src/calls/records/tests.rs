use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use serde_json::json;

use super::*;
use crate::store::faulty::Faulty;

const WRITE: Key = [1; 32];

fn records(store: &Faulty) -> Records {
    Records::new(&store.store()).unwrap()
}

fn reply(words: &str) -> Reply {
    Reply { body: json!({ "said": words }), is_error: false }
}

fn said(entry: &Entered) -> &str {
    match entry {
        Entered::Mine(_) => "mine",
        Entered::Ended(reply, _) => reply.body["said"].as_str().unwrap(),
        Entered::UnderWay => "under way",
        Entered::Left => "left",
        Entered::Unknown(_) => "unknown",
        Entered::Forgotten(_) => "forgotten",
    }
}

async fn enter(records: &Records) -> Entered {
    records.enter(&WRITE, &CancellationToken::new(), &reply("lost")).await
}

async fn mine(records: &Records) -> Lease {
    match enter(records).await {
        Entered::Mine(lease) => lease,
        other => panic!("{}", said(&other)),
    }
}

#[test]
fn one_process_alone_needs_no_records() {
    assert!(Records::new(&Store::memory()).is_none());
}

#[tokio::test(start_paused = true)]
async fn what_one_replica_sent_another_one_does_not() {
    let store = Faulty::default();
    let (one, other) = (records(&store), records(&store));
    let lease = mine(&one).await;
    let waits = tokio::spawn(async move { enter(&other).await });
    // As long as its owner is there, it is waited for, though it takes longer than a lease.
    sleep(Duration::from_secs(40)).await;
    assert!(!waits.is_finished());
    assert_eq!(lease.let_leave().await, Ok(true));
    lease.end(Some(reply("done"))).await;
    assert_eq!(said(&waits.await.unwrap()), "done");
    sleep(KEPT_FOR.saturating_sub(Duration::from_secs(1))).await;
    assert_eq!(said(&enter(&one).await), "done");
    sleep(Duration::from_secs(1)).await;
    mine(&one).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_not_applied_is_anybodys_at_once() {
    let store = Faulty::default();
    let lease = mine(&records(&store)).await;
    assert_eq!(lease.let_leave().await, Ok(true));
    lease.end(None).await;
    mine(&records(&store)).await;
}

#[tokio::test(start_paused = true)]
async fn nobody_is_kept_waiting_for_ever() {
    let store = Faulty::default();
    let _lease = mine(&records(&store)).await;
    let began = Instant::now();
    assert_eq!(said(&enter(&records(&store)).await), "under way");
    assert!(began.elapsed() >= JOINED_FOR);
    let given_up = CancellationToken::new();
    given_up.cancel();
    let left = records(&store).enter(&WRITE, &given_up, &reply("lost")).await;
    assert_eq!(said(&left), "left");
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_dies_before_it_sends_lets_go() {
    let store = Faulty::default();
    drop(mine(&records(&store)).await);
    let began = Instant::now();
    mine(&records(&store)).await;
    assert!(began.elapsed() >= LEASE);
}

#[tokio::test(start_paused = true)]
async fn what_a_dead_replica_may_have_sent_is_not_sent_again() {
    let store = Faulty::default();
    let lease = mine(&records(&store)).await;
    assert_eq!(lease.let_leave().await, Ok(true));
    drop(lease);
    // Whoever waits for it may die, too, and another one goes on waiting.
    for _ in 0..3 {
        let waits = enter(&records(&store)).now_or_never();
        assert!(waits.is_none());
        sleep(LEASE / 3).await;
    }
    let began = Instant::now();
    for _ in 0..2 {
        assert_eq!(said(&enter(&records(&store)).await), "lost");
    }
    assert!(began.elapsed() < LEASE, "nobody waits for a dead one again from the beginning");
}

#[tokio::test(start_paused = true)]
async fn who_could_not_tell_a_store_that_was_gone_is_not_taken_for_dead() {
    let store = Faulty::default();
    let lease = mine(&records(&store)).await;
    assert_eq!(lease.let_leave().await, Ok(true));
    store.goes();
    sleep(LEASE * 2).await;
    store.comes_back();
    let other = records(&store);
    let waits = tokio::spawn(async move { enter(&other).await });
    sleep(COMES_BACK * 2).await;
    assert!(!waits.is_finished(), "its owner is there, and says so again");
    lease.end(Some(reply("done"))).await;
    assert_eq!(said(&waits.await.unwrap()), "done");
}

#[tokio::test(start_paused = true)]
async fn who_was_taken_for_dead_and_knows_better_is_believed() {
    let store = Faulty::default();
    let lease = mine(&records(&store)).await;
    assert_eq!(lease.let_leave().await, Ok(true));
    lease.beats.abort();
    assert_eq!(said(&enter(&records(&store)).await), "lost");
    lease.end(Some(reply("done"))).await;
    assert_eq!(said(&enter(&records(&store)).await), "done");
}

#[tokio::test(start_paused = true)]
async fn whose_lease_ran_out_sends_nothing() {
    let store = Faulty::default();
    let slow = mine(&records(&store)).await;
    slow.beats.abort();
    sleep(LEASE).await;
    assert_eq!(slow.let_leave().await, Ok(false), "nobody else has it yet");
    let next = mine(&records(&store)).await;
    assert_eq!(slow.let_leave().await, Ok(false));
    // Nor does it end what is another's.
    slow.end(None).await;
    assert_eq!(next.let_leave().await, Ok(true));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_lost_its_memory_lets_nothing_leave_and_is_told_how_it_ended() {
    let store = Faulty::default();
    let lease = mine(&records(&store)).await;
    store.forgets();
    assert_eq!(lease.let_leave().await, Ok(false));
    lease.end(None).await;

    let lease = mine(&records(&store)).await;
    assert_eq!(lease.let_leave().await, Ok(true));
    store.forgets();
    lease.end(Some(reply("done"))).await;
    assert_eq!(said(&enter(&records(&store)).await), "done");
}

#[tokio::test(start_paused = true)]
async fn what_a_store_may_have_forgotten_is_not_sent() {
    let store = Faulty::default();
    store.knows_that_it_forgot(KEPT_FOR);
    assert_eq!(said(&enter(&records(&store)).await), "forgotten");
    store.comes_back();
    mine(&records(&store)).await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_gone_hears_later_how_it_ended() {
    let store = Faulty::default();
    let lease = mine(&records(&store)).await;
    assert_eq!(lease.let_leave().await, Ok(true));
    store.goes();
    lease.end(Some(reply("done"))).await;
    assert_eq!(said(&enter(&records(&store)).await), "unknown");
    sleep(Duration::from_mins(2)).await;
    store.comes_back();
    sleep(TELL_AGAIN * 2).await;
    assert_eq!(said(&enter(&records(&store)).await), "done");
}

/// Wherever the store goes, with or without having done the last thing: what two replicas send is sent once at most,
/// and who is told that nothing was sent is told the truth.
#[tokio::test(start_paused = true)]
async fn wherever_the_store_fails_nothing_is_sent_twice() {
    for (after, is_done, dies) in
        (0..20).flat_map(|n| [(n, false, false), (n, true, false), (n, false, true), (n, true, true)])
    {
        let store = Faulty::default();
        let sent = Arc::new(AtomicUsize::new(0));
        store.goes_after(after, is_done);
        let first = tokio::spawn(write(records(&store), Arc::clone(&sent), dies));
        sleep(Duration::from_secs(30)).await;
        store.comes_back();
        let mut answers = Vec::new();
        for _ in 0..4 {
            answers.push(tokio::spawn(write(records(&store), Arc::clone(&sent), false)));
        }
        let first = first.await.unwrap();
        for answer in answers {
            let answer = answer.await.unwrap();
            assert!(["done", "lost", "under way"].contains(&answer.as_str()), "{answer}");
        }
        let sent = sent.load(Ordering::SeqCst);
        assert!(sent <= 1, "{after} {is_done} {dies}: sent {sent} times");
        assert!(first != "done" || sent == 1, "{after} {is_done} {dies}: {first}");
    }
}

/// A write as it goes through a replica, which may die right after it has sent it.
async fn write(records: Records, sent: Arc<AtomicUsize>, dies: bool) -> String {
    let lease = match enter(&records).await {
        Entered::Mine(lease) => lease,
        other => return said(&other).to_owned(),
    };
    sleep(Duration::from_secs(7)).await;
    if lease.let_leave().await != Ok(true) {
        lease.end(None).await;
        return "not sent".to_owned();
    }
    sent.fetch_add(1, Ordering::SeqCst);
    sleep(Duration::from_secs(7)).await;
    if dies {
        return "dead".to_owned();
    }
    lease.end(Some(reply("done"))).await;
    "done".to_owned()
}

#[tokio::test(start_paused = true)]
async fn what_must_be_alone_is_alone_on_all_replicas() {
    let store = Faulty::default();
    let time = Duration::from_secs(40);
    let one = records(&store).alone(&["customers", "a"], time).await.unwrap().unwrap();
    assert!(records(&store).alone(&["customers", "b"], time).await.unwrap().is_some());
    assert!(records(&store).alone(&["customers", "a"], time).await.unwrap().is_none());
    one.end(None).await;
    // Dead before it sends, it is gone with its lease; dead after that, it stays until no write can be on its way.
    let dead = records(&store).alone(&["customers", "a"], time).await.unwrap().unwrap();
    drop(dead);
    let dead = records(&store).alone(&["customers", "a"], time).await.unwrap().unwrap();
    assert_eq!(dead.let_leave().await, Ok(true));
    drop(dead);
    assert!(records(&store).alone(&["customers", "a"], time).await.unwrap().is_none());
    assert!(records(&store).alone(&["customers", "a"], ALONE).await.unwrap().is_some());
    store.goes();
    assert!(records(&store).alone(&["customers", "a"], time).await.is_err());
}
