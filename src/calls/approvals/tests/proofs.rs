//! Windows of the person's browser: their keys, the proofs they bring, and what those are good for.

use super::*;

fn key_of(address: &str) -> &str {
    address.split_once("?key=").unwrap().1
}

#[tokio::test(start_paused = true)]
async fn a_window_is_opened_with_a_key_that_stands_nowhere_else() {
    let (approvals, notes) = with_browser();
    let ticket = opened(&approvals, 1).await;
    let addresses = notes.opened();
    let key = key_of(&addresses[0]);
    assert_eq!(addresses, [format!("{}?key={key}", ticket.url)]);
    assert_eq!(key.len(), 43, "256 bits");
    assert!(!format!("{ticket:?}").contains(key));
    opened(&approvals, 1).await;
    assert_eq!(notes.opened().len(), 1, "the same call again opens no more windows");
}

#[tokio::test(start_paused = true)]
async fn a_key_works_once() {
    let (approvals, notes) = with_browser();
    let ticket = opened(&approvals, 1).await;
    let address = notes.opened()[0].clone();
    assert!(approvals.prove_by_key(&ticket.id, "no key").await.unwrap().is_none());
    assert!(approvals.prove_by_key(&ticket.id, key_of(&address)).await.unwrap().is_some());
    assert!(approvals.prove_by_key(&ticket.id, key_of(&address)).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_key_works_for_its_own_approval_and_for_two_minutes() {
    let (approvals, notes) = with_browser();
    let (one, other) = (opened(&approvals, 1).await, opened(&approvals, 2).await);
    let key = notes.opened()[0].clone();
    assert!(approvals.prove_by_key(&other.id, key_of(&key)).await.unwrap().is_none());
    pass(2 * MINUTE).await;
    assert!(approvals.prove_by_key(&one.id, key_of(&key)).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_key_is_good_for_nothing_once_the_approval_is_over() {
    let (approvals, notes) = with_browser();
    let ticket = opened(&approvals, 1).await;
    assert!(approvals.answered_in_client(&[1; 32]).await.unwrap());
    assert!(approvals.prove_by_key(&ticket.id, key_of(&notes.opened()[0])).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn without_proof_one_more_window_is_opened_after_half_a_minute_and_then_none() {
    let (approvals, notes) = with_browser();
    let ticket = opened(&approvals, 1).await;
    pass(Duration::from_secs(29)).await;
    assert_eq!(notes.opened().len(), 1);
    pass(Duration::from_secs(1)).await;
    let windows = notes.opened();
    assert_eq!(windows.len(), 2);
    assert_ne!(key_of(&windows[0]), key_of(&windows[1]));
    for _ in 0..9 {
        pass(MINUTE).await;
        opened(&approvals, 1).await;
    }
    assert_eq!(notes.opened().len(), 2);
    assert_eq!(approvals.standing(&[1; 32]).await.unwrap(), Standing::Waiting(ticket));
}

/// A link preview spends the key and drops the cookie.
#[tokio::test(start_paused = true)]
async fn a_spent_key_is_no_proof_until_the_proof_comes_back() {
    let (approvals, notes) = with_browser();
    let ticket = opened(&approvals, 1).await;
    let proof = approvals.prove_by_key(&ticket.id, key_of(&notes.opened()[0])).await.unwrap().unwrap();
    pass(Duration::from_secs(30)).await;
    assert_eq!(notes.opened().len(), 2);
    drop(proof);

    let ticket = opened(&approvals, 2).await;
    let proof = approvals.prove_by_key(&ticket.id, key_of(&notes.opened()[2])).await.unwrap().unwrap();
    view(&approvals, &ticket.id, &proof).await;
    pass(Duration::from_secs(30)).await;
    assert_eq!(notes.opened().len(), 3, "who has come needs no second window");
}

#[tokio::test(start_paused = true)]
async fn no_window_is_opened_for_what_is_decided_or_gone() {
    let (approvals, notes) = with_browser();
    opened(&approvals, 1).await;
    assert!(approvals.answered_in_client(&[1; 32]).await.unwrap());
    opened(&approvals, 2).await;
    drop(approvals);
    pass(MINUTE).await;
    assert_eq!(notes.opened().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_task_that_waits_for_a_proof_ends_with_the_wait() {
    let (approvals, notes) = with_browser();
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let ticket = opened(&approvals, 1).await;
    assert_eq!(tasks(), before + 1);
    let proof = approvals.prove_by_key(&ticket.id, key_of(&notes.opened()[0])).await.unwrap().unwrap();
    view(&approvals, &ticket.id, &proof).await;
    pass(Duration::ZERO).await;
    assert_eq!(tasks(), before);

    opened(&approvals, 2).await;
    pass(Duration::from_secs(30)).await;
    assert_eq!(tasks(), before);
}

#[tokio::test(start_paused = true)]
async fn without_proof_there_is_nothing_to_see_and_nothing_to_press() {
    let approvals = with_code();
    let ticket = opened(&approvals, 1).await;
    let proof = proven(&approvals, &ticket.id).await;
    let token = view(&approvals, &ticket.id, &proof).await.token;
    for visitor in [None, Some(""), Some("forged"), Some(ticket.id.as_str()), Some(token.as_str())] {
        assert!(matches!(
            approvals.sight(&ticket.id, visitor).await.unwrap(),
            Sight::Unproven { is_over: false, .. }
        ));
        let pressed = approvals.decide(&ticket.id, visitor, &token, Decision::Approve).await;
        assert_eq!(pressed, Err(PressRefused::Unproven));
    }
    assert!(matches!(approvals.standing(&[1; 32]).await.unwrap(), Standing::Waiting(_)));
}

#[tokio::test(start_paused = true)]
async fn a_proof_and_a_token_serve_one_approval_and_one_another() {
    let approvals = with_code();
    let (one, other) = (opened(&approvals, 1).await, opened(&approvals, 2).await);
    let first = proven(&approvals, &one.id).await;
    let second = proven(&approvals, &one.id).await;
    let elsewhere = proven(&approvals, &other.id).await;
    let token = async |proof| view(&approvals, &one.id, proof).await.token;

    assert!(matches!(
        approvals.sight(&one.id, Some(elsewhere.as_str())).await.unwrap(),
        Sight::Unproven { .. }
    ));
    let press = async |proof: &Proof, token: &str| {
        approvals.decide(&one.id, Some(proof.as_str()), token, Decision::Approve).await
    };
    assert_eq!(press(&elsewhere, &token(&first).await).await, Err(PressRefused::Unproven));
    let of_other = view(&approvals, &other.id, &elsewhere).await.token;
    for wrong in ["", "forged", &of_other, &token(&second).await] {
        assert_eq!(press(&first, wrong).await, Err(PressRefused::Foreign), "{wrong}");
    }
    assert!(press(&first, &token(&first).await).await.is_ok());
    assert_eq!(
        press(&first, &token(&first).await).await,
        Err(PressRefused::Over),
        "a press is not pressed again"
    );
    assert!(matches!(approvals.standing(&[2; 32]).await.unwrap(), Standing::Waiting(_)));
}

#[tokio::test(start_paused = true)]
async fn a_press_after_the_use_brings_nothing_back() {
    let approvals = with_code();
    let ticket = opened(&approvals, 1).await;
    let proof = answered(&approvals, &ticket.id, Decision::Approve).await;
    let token = view(&approvals, &ticket.id, &proof).await.token;
    let _taken = approvals.take(&[1; 32]).await.unwrap().unwrap();
    let again = approvals.decide(&ticket.id, Some(proof.as_str()), &token, Decision::Approve).await;
    assert_eq!(again, Err(PressRefused::Over));
    assert!(approvals.take(&[1; 32]).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn of_many_proofs_the_oldest_goes() {
    let approvals = with_code();
    let ticket = opened(&approvals, 1).await;
    let first = proven(&approvals, &ticket.id).await;
    for _ in 0..7 {
        proven(&approvals, &ticket.id).await;
    }
    view(&approvals, &ticket.id, &first).await;
    proven(&approvals, &ticket.id).await;
    assert!(matches!(
        approvals.sight(&ticket.id, Some(first.as_str())).await.unwrap(),
        Sight::Unproven { .. }
    ));
}
