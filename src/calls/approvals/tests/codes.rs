//! The code: right, wrong, too often wrong, and many at once.

use super::*;

async fn guess(approvals: &Arc<Approvals>, id: &ApprovalId, code: &str) -> Result<Proof, CodeRefused> {
    approvals.prove_by_code(id, code.to_owned()).await
}

async fn wrong(approvals: &Arc<Approvals>, id: &ApprovalId) -> CodeRefused {
    guess(approvals, id, "not the code").await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn the_code_brings_a_proof() {
    let approvals = with_code();
    let ticket = opened(&approvals, 1).await;
    let proof = guess(&approvals, &ticket.id, CODE).await.unwrap();
    assert_eq!(view(&approvals, &ticket.id, &proof).await.question, question());
}

#[tokio::test(start_paused = true)]
async fn five_wrong_codes_end_an_approval() {
    let approvals = with_code();
    let (ticket, other) = (opened(&approvals, 1).await, opened(&approvals, 2).await);
    let before = proven(&approvals, &ticket.id).await;
    for left in (1..5).rev() {
        assert_eq!(wrong(&approvals, &ticket.id).await, CodeRefused::Wrong { left });
    }
    // A right one between does not start the count anew.
    proven(&approvals, &ticket.id).await;
    assert_eq!(wrong(&approvals, &ticket.id).await, CodeRefused::Locked);
    assert_eq!(guess(&approvals, &ticket.id, CODE).await.unwrap_err(), CodeRefused::Locked);
    assert_eq!(view(&approvals, &ticket.id, &before).await.phase, Phase::Locked);
    assert_eq!(approvals.standing(&[1; 32]).await.unwrap(), Standing::Unknown);
    assert!(guess(&approvals, &other.id, CODE).await.is_ok(), "another approval is not touched");
}

#[tokio::test(start_paused = true)]
async fn twenty_wrong_codes_in_an_hour_close_the_way_for_an_hour() {
    let approvals = with_code();
    for write in 0..4 {
        let ticket = opened(&approvals, write).await;
        for _ in 0..5 {
            wrong(&approvals, &ticket.id).await;
        }
        pass(MINUTE).await;
    }
    let ticket = opened(&approvals, 9).await;
    let closed = CodeRefused::Closed { retry_after_seconds: 59 * 60 };
    assert_eq!(guess(&approvals, &ticket.id, CODE).await.unwrap_err(), closed);
    pass(58 * MINUTE).await;
    let ticket = opened(&approvals, 9).await;
    assert!(matches!(guess(&approvals, &ticket.id, CODE).await, Err(CodeRefused::Closed { .. })));
    pass(MINUTE).await;
    assert!(guess(&approvals, &ticket.id, CODE).await.is_ok());
    assert_eq!(wrong(&approvals, &ticket.id).await, CodeRefused::Wrong { left: 4 }, "and the count is new");
}

#[tokio::test(start_paused = true)]
async fn wrong_codes_of_longer_ago_do_not_count() {
    let approvals = with_code();
    for _ in 0..5 {
        for write in 0..2 {
            let ticket = opened(&approvals, write).await;
            for _ in 0..4 {
                wrong(&approvals, &ticket.id).await;
            }
        }
        pass(61 * MINUTE).await;
    }
    let ticket = opened(&approvals, 1).await;
    assert!(guess(&approvals, &ticket.id, CODE).await.is_ok());
}

/// A hundred guesses at once: no more than five are looked at for one approval, the right one among the others or not.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn guesses_at_the_same_moment_are_no_more_than_the_limit() {
    let approvals = with_code();
    let ticket = opened(&approvals, 1).await;
    let guesses = (0..100).map(|_| {
        let (approvals, id) = (Arc::clone(&approvals), ticket.id.clone());
        tokio::spawn(async move { wrong(&approvals, &id).await })
    });
    let refused = futures_util::future::join_all(guesses).await;
    let looked_at = refused
        .iter()
        .map(|refused| refused.as_ref().unwrap())
        .filter(|refused| matches!(refused, CodeRefused::Wrong { .. }))
        .count();
    assert_eq!(looked_at, 4, "the fifth ends the approval");
    assert_eq!(guess(&approvals, &ticket.id, CODE).await.unwrap_err(), CodeRefused::Locked);
}

#[test]
fn guesses_count_before_they_are_looked_at() {
    let mut one = guesses::Guesses::default();
    assert_eq!((0..10).filter(|_| one.begin()).count(), 5);
    assert!(!one.end(true));
    assert!(one.begin(), "a right one gives its place back");
    assert!((0..4).all(|_| !one.end(false)));
    assert!(one.end(false));

    let now = clock::now();
    let mut all = guesses::AllGuesses::default();
    assert_eq!((0..50).filter(|_| all.begin(now).is_ok()).count(), 20);
    assert!((0..19).all(|_| !all.end(false, now)));
    assert!(all.begin(now).is_err());
    assert!(all.end(false, now));
    assert_eq!(all.begin(now), Err(Duration::from_hours(1)));
}

/// Who leaves before the answer has guessed all the same.
#[tokio::test]
async fn a_guess_counts_when_its_visitor_leaves() {
    let approvals = with_code();
    let ticket = opened(&approvals, 1).await;
    for _ in 0..5 {
        let mut guessing = Box::pin(guess(&approvals, &ticket.id, "not the code"));
        let _ = futures_util::poll!(guessing.as_mut());
    }
    tokio::time::timeout(Duration::from_secs(30), approvals.decided(&ticket.id)).await.unwrap().unwrap();
    assert_eq!(guess(&approvals, &ticket.id, CODE).await.unwrap_err(), CodeRefused::Locked);
}

#[tokio::test(start_paused = true)]
async fn no_code_is_looked_at_where_none_is_set_or_nothing_waits() {
    let (approvals, _) = with_browser();
    let ticket = opened(&approvals, 1).await;
    assert_eq!(guess(&approvals, &ticket.id, CODE).await.unwrap_err(), CodeRefused::NoCode);
    assert_eq!(guess(&approvals, &ticket.id, "").await.unwrap_err(), CodeRefused::NoCode);

    let approvals = with_code();
    let unknown = ApprovalId::parse(&"A".repeat(22)).unwrap();
    assert_eq!(guess(&approvals, &unknown, CODE).await.unwrap_err(), CodeRefused::Unknown);
    let ticket = opened(&approvals, 1).await;
    answered(&approvals, &ticket.id, Decision::Approve).await;
    assert_eq!(guess(&approvals, &ticket.id, CODE).await.unwrap_err(), CodeRefused::Over);
    assert_eq!(wrong(&approvals, &ticket.id).await, CodeRefused::Over, "and it does not count");
}
