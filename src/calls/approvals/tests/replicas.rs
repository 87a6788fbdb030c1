//! Replicas that share a store are as one.

use super::*;
use crate::store::Change;

fn two() -> (Arc<Approvals>, Arc<Approvals>) {
    let store = Store::memory();
    (with_code_on(store.clone()), with_code_on(store))
}

#[tokio::test(start_paused = true)]
async fn a_page_of_one_replica_decides_about_a_write_that_waits_at_another() {
    let (one, other) = two();
    let ticket = opened(&one, 1).await;
    let waiting = tokio::spawn({
        let (one, id) = (Arc::clone(&one), ticket.id.clone());
        async move { one.decided(&id).await }
    });
    pass(MINUTE).await;
    assert!(!waiting.is_finished());
    assert_eq!(opened(&other, 1).await, ticket, "the same approval, wherever the call comes");
    let proof = proven(&one, &ticket.id).await;
    let token = view(&other, &ticket.id, &proof).await.token;
    assert_eq!(token, view(&one, &ticket.id, &proof).await.token);
    other.decide(&ticket.id, Some(proof.as_str()), &token, Decision::Approve).await.unwrap();
    waiting.await.unwrap().unwrap();
    assert_eq!(one.standing(&[1; 32]).await, Ok(Standing::Approved));
}

#[tokio::test]
async fn of_two_replicas_one_uses_an_approval_up() {
    for round in 0..50 {
        let (one, other) = two();
        let ticket = opened(&one, 1).await;
        answered(&one, &ticket.id, Decision::Approve).await;
        let take = |approvals: Arc<Approvals>| tokio::spawn(async move { approvals.take(&[1; 32]).await });
        let (first, second) = futures_util::join!(take(Arc::clone(&one)), take(Arc::clone(&other)));
        let (first, second) = (first.unwrap().unwrap(), second.unwrap().unwrap());
        assert_ne!(first.is_some(), second.is_some());
        // It holds again for both.
        let (who, taken) = if first.is_some() { (&one, first) } else { (&other, second) };
        who.put_back(taken.unwrap()).await.unwrap();
        let next = if round % 2 == 0 { &one } else { &other };
        assert!(next.take(&[1; 32]).await.unwrap().is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_used_an_approval_up_does_not_believe_a_store_that_says_otherwise() {
    let store = Store::memory();
    let one = with_code_on(store.clone());
    let ticket = opened(&one, 1).await;
    answered(&one, &ticket.id, Decision::Approve).await;
    let name = index::record(&ticket.id);
    let old: Record = store.get(&name).await.unwrap().unwrap();
    let taken = one.take(&[1; 32]).await.unwrap().unwrap();
    let bring_back = async || {
        let put = |_: Option<Record>| (Change::Put(old.clone(), MINUTE), ());
        store.update(&name, put).await.unwrap();
    };
    bring_back().await;
    assert_eq!(one.standing(&[1; 32]).await, Ok(Standing::Unknown));
    assert_eq!(one.take(&[1; 32]).await.unwrap(), None);
    // What this process puts back itself holds again.
    let used =
        |record: Option<Record>| (Change::Put(Record { phase: Phase::Used, ..record.unwrap() }, MINUTE), ());
    store.update(&name, used).await.unwrap();
    one.put_back(taken).await.unwrap();
    assert_eq!(one.standing(&[1; 32]).await, Ok(Standing::Approved));
    assert!(one.take(&[1; 32]).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_no_is_told_once_by_all_of_them() {
    let (one, other) = two();
    let ticket = opened(&one, 1).await;
    answered(&other, &ticket.id, Decision::Decline).await;
    assert_eq!(other.standing(&[1; 32]).await, Ok(Standing::Declined));
    assert_eq!(one.standing(&[1; 32]).await, Ok(Standing::Unknown));
    assert_ne!(opened(&one, 1).await.id, ticket.id);
}

#[tokio::test(start_paused = true)]
async fn places_and_guesses_are_counted_over_all_of_them() {
    let (one, other) = two();
    for write in 0..5 {
        opened(if write % 2 == 0 { &one } else { &other }, write).await;
    }
    assert!(matches!(other.open("local", [5; 32], question()).await, Err(Refused::TooMany { .. })));
    let id = opened(&one, 0).await.id;
    for guess in 0..4 {
        let replica = if guess % 2 == 0 { &one } else { &other };
        let left = 4 - guess;
        assert_eq!(
            replica.prove_by_code(&id, "wrong".into()).await.unwrap_err(),
            CodeRefused::Wrong { left }
        );
    }
    assert_eq!(one.prove_by_code(&id, "wrong".into()).await.unwrap_err(), CodeRefused::Locked);
    assert_eq!(other.prove_by_code(&id, CODE.into()).await.unwrap_err(), CodeRefused::Locked);
    opened(&other, 5).await;
}

/// A guess whose process died counts as a wrong one, and keeps nobody out for longer than that.
#[tokio::test(start_paused = true)]
async fn a_guess_that_was_never_ended_was_wrong() {
    let mut all = guesses::AllGuesses::default();
    assert_eq!((0..20).filter(|_| all.begin(clock::now()).is_ok()).count(), 20);
    pass(MINUTE).await;
    assert!(all.begin(clock::now()).is_err());
    pass(59 * MINUTE).await;
    assert!(all.begin(clock::now()).is_ok());
}
