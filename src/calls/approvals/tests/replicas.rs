//! Replicas that share a store are as one.

use super::*;

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
    for _ in 0..50 {
        let (one, other) = two();
        let ticket = opened(&one, 1).await;
        answered(&one, &ticket.id, Decision::Approve).await;
        let take = |approvals: Arc<Approvals>| tokio::spawn(async move { approvals.take(&[1; 32]).await });
        let (first, second) = futures_util::join!(take(Arc::clone(&one)), take(Arc::clone(&other)));
        let taken: Vec<Taken> =
            [first, second].into_iter().filter_map(|taken| taken.unwrap().unwrap()).collect();
        assert_eq!(taken.len(), 1);
        // It holds again for both.
        other.put_back(taken[0].clone()).await.unwrap();
        assert!(one.take(&[1; 32]).await.unwrap().is_some());
    }
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
