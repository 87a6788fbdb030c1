//! From the question to the write, and every other end.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_approval_is_used_once() {
    let approvals = with_code();
    assert_eq!(approvals.standing(&[1; 32]).await.unwrap(), Standing::Unknown);
    let ticket = opened(&approvals, 1).await;
    assert_eq!(ticket.url, format!("http://127.0.0.1:4000/approvals/{}", ticket.id));
    assert_eq!(approvals.standing(&[1; 32]).await.unwrap(), Standing::Waiting(ticket.clone()));
    assert!(approvals.take(&[1; 32]).await.unwrap().is_none(), "nobody has said yes yet");

    let proof = answered(&approvals, &ticket.id, Decision::Approve).await;
    assert_eq!(approvals.standing(&[1; 32]).await.unwrap(), Standing::Approved);
    assert_eq!(approvals.standing(&[1; 32]).await.unwrap(), Standing::Approved, "asking uses nothing up");
    assert!(
        approvals.take(&[2; 32]).await.unwrap().is_none(),
        "other arguments, or another principal, are another write"
    );
    assert!(approvals.take(&[1; 32]).await.unwrap().is_some());
    assert!(approvals.take(&[1; 32]).await.unwrap().is_none());
    assert_eq!(approvals.standing(&[1; 32]).await.unwrap(), Standing::Unknown);
    assert_eq!(view(&approvals, &ticket.id, &proof).await.phase, Phase::Used);
}

#[tokio::test(start_paused = true)]
async fn the_same_write_gets_the_approval_that_waits() {
    let approvals = with_code();
    let first = opened(&approvals, 1).await;
    pass(5 * MINUTE).await;
    assert_eq!(opened(&approvals, 1).await, first);
    assert_ne!(opened(&approvals, 2).await.id, first.id);
    let many = (0..50).map(|_| approvals.open("local", [3; 32], question()));
    let many = futures_util::future::join_all(many).await;
    assert!(many.iter().all(|ticket| ticket == &many[0]));
}

#[tokio::test(start_paused = true)]
async fn a_person_has_ten_minutes_to_answer() {
    let approvals = with_code();
    let ticket = opened(&approvals, 1).await;
    let proof = proven(&approvals, &ticket.id).await;
    let token = view(&approvals, &ticket.id, &proof).await.token;
    pass(Duration::from_secs(599)).await;
    assert!(matches!(approvals.standing(&[1; 32]).await.unwrap(), Standing::Waiting(_)));
    pass(Duration::from_secs(1)).await;
    assert_eq!(approvals.standing(&[1; 32]).await.unwrap(), Standing::Unknown);
    let late = approvals.decide(&ticket.id, Some(proof.as_str()), &token, Decision::Approve).await;
    assert_eq!(late, Err(PressRefused::Over));
    assert_eq!(view(&approvals, &ticket.id, &proof).await.phase, Phase::Expired);
    assert!(approvals.take(&[1; 32]).await.unwrap().is_none());
    assert_ne!(opened(&approvals, 1).await.id, ticket.id, "asked afresh");
}

#[tokio::test(start_paused = true)]
async fn a_call_has_ten_more_minutes() {
    let approvals = with_code();
    let ticket = opened(&approvals, 1).await;
    pass(9 * MINUTE).await;
    let proof = answered(&approvals, &ticket.id, Decision::Approve).await;
    assert_eq!(view(&approvals, &ticket.id, &proof).await.seconds_left, 600);
    pass(Duration::from_secs(599)).await;
    assert_eq!(approvals.standing(&[1; 32]).await.unwrap(), Standing::Approved);
    pass(Duration::from_secs(1)).await;
    assert!(approvals.take(&[1; 32]).await.unwrap().is_none());
    assert_eq!(approvals.standing(&[1; 32]).await.unwrap(), Standing::Unknown);
    assert_eq!(view(&approvals, &ticket.id, &proof).await.phase, Phase::Expired);
}

#[tokio::test(start_paused = true)]
async fn five_wait_for_one_principal() {
    let approvals = with_code();
    let first = opened(&approvals, 0).await;
    pass(MINUTE).await;
    for write in 1..5 {
        opened(&approvals, write).await;
    }
    let refused = approvals.open("local", [5; 32], question()).await;
    assert_eq!(refused, Err(Refused::TooMany { retry_after_seconds: 540 }));
    assert!(approvals.open("another", [6; 32], question()).await.is_ok());
    assert_eq!(opened(&approvals, 0).await, first, "what waits already is no new one");
    answered(&approvals, &first.id, Decision::Approve).await;
    opened(&approvals, 5).await;
}

#[tokio::test(start_paused = true)]
async fn declined_is_told_once_and_asked_afresh_after_that() {
    let approvals = with_code();
    let ticket = opened(&approvals, 1).await;
    let proof = answered(&approvals, &ticket.id, Decision::Decline).await;
    assert!(approvals.take(&[1; 32]).await.unwrap().is_none());
    pass(20 * MINUTE).await;
    assert_eq!(opened(&approvals, 1).await.id, ticket.id, "a no is told before anybody is asked again");
    assert_eq!(approvals.standing(&[1; 32]).await.unwrap(), Standing::Declined);
    assert_eq!(approvals.standing(&[1; 32]).await.unwrap(), Standing::Unknown);
    assert_ne!(opened(&approvals, 1).await.id, ticket.id);
    assert_eq!(view(&approvals, &ticket.id, &proof).await.phase, Phase::Declined);
}

#[tokio::test(start_paused = true)]
async fn what_was_answered_in_the_client_is_over_on_the_page() {
    let approvals = with_code();
    let ticket = opened(&approvals, 1).await;
    let proof = proven(&approvals, &ticket.id).await;
    let token = view(&approvals, &ticket.id, &proof).await.token;
    assert!(approvals.answered_in_client(&[1; 32]).await.unwrap());
    assert_eq!(approvals.standing(&[1; 32]).await.unwrap(), Standing::Unknown);
    let late = approvals.decide(&ticket.id, Some(proof.as_str()), &token, Decision::Approve).await;
    assert_eq!(late, Err(PressRefused::Over));
    assert_eq!(view(&approvals, &ticket.id, &proof).await.phase, Phase::AnsweredInClient);

    let used = opened(&approvals, 2).await;
    let proof = answered(&approvals, &used.id, Decision::Approve).await;
    let _taken = approvals.take(&[2; 32]).await.unwrap().unwrap();
    assert!(approvals.answered_in_client(&[2; 32]).await.unwrap());
    assert_eq!(view(&approvals, &used.id, &proof).await.phase, Phase::Used);

    // What was approved there is over, too; what was declined there counts, once.
    let approved = opened(&approvals, 3).await;
    let proof = answered(&approvals, &approved.id, Decision::Approve).await;
    assert!(approvals.answered_in_client(&[3; 32]).await.unwrap());
    assert_eq!(approvals.standing(&[3; 32]).await.unwrap(), Standing::Unknown);
    assert_eq!(view(&approvals, &approved.id, &proof).await.phase, Phase::AnsweredInClient);
    let declined = opened(&approvals, 4).await;
    answered(&approvals, &declined.id, Decision::Decline).await;
    assert!(!approvals.answered_in_client(&[4; 32]).await.unwrap());
    assert!(approvals.answered_in_client(&[4; 32]).await.unwrap());
}

/// A machine that slept has a clock that stood still; what a person was told counts all the same.
#[tokio::test(start_paused = true)]
async fn an_approval_is_over_when_the_time_is_that_was_said() {
    for approve in [false, true] {
        let approvals = with_code();
        let ticket = opened(&approvals, 1).await;
        let proof = if approve {
            answered(&approvals, &ticket.id, Decision::Approve).await
        } else {
            proven(&approvals, &ticket.id).await
        };
        assert_ne!(approvals.standing(&[1; 32]).await.unwrap(), Standing::Unknown);
        clock::oversleep(11 * MINUTE);
        assert!(approvals.take(&[1; 32]).await.unwrap().is_none());
        assert_eq!(approvals.standing(&[1; 32]).await.unwrap(), Standing::Unknown);
        assert_eq!(view(&approvals, &ticket.id, &proof).await.phase, Phase::Expired);
    }
}

#[tokio::test(start_paused = true)]
async fn an_approval_that_was_put_back_holds_for_the_time_it_had_left() {
    let approvals = with_code();
    let ticket = opened(&approvals, 1).await;
    let proof = answered(&approvals, &ticket.id, Decision::Approve).await;
    pass(4 * MINUTE).await;
    let taken = approvals.take(&[1; 32]).await.unwrap().unwrap();
    assert_eq!(approvals.standing(&[1; 32]).await.unwrap(), Standing::Unknown);
    pass(MINUTE).await;
    approvals.put_back(taken).await.unwrap();
    assert_eq!(approvals.standing(&[1; 32]).await.unwrap(), Standing::Approved);
    assert_eq!(view(&approvals, &ticket.id, &proof).await.seconds_left, 300);
    pass(5 * MINUTE).await;
    assert!(approvals.take(&[1; 32]).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn an_approval_that_is_put_back_late_holds_no_more() {
    let approvals = with_code();
    let ticket = opened(&approvals, 1).await;
    answered(&approvals, &ticket.id, Decision::Approve).await;
    let taken = approvals.take(&[1; 32]).await.unwrap().unwrap();
    pass(11 * MINUTE).await;
    approvals.put_back(taken).await.unwrap();
    assert_eq!(approvals.standing(&[1; 32]).await.unwrap(), Standing::Unknown);
    assert!(approvals.take(&[1; 32]).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn an_approval_that_is_put_back_gives_way_to_a_new_question() {
    let approvals = with_code();
    let ticket = opened(&approvals, 1).await;
    answered(&approvals, &ticket.id, Decision::Approve).await;
    let taken = approvals.take(&[1; 32]).await.unwrap().unwrap();
    let new = opened(&approvals, 1).await;
    assert_ne!(new.id, ticket.id);
    approvals.put_back(taken).await.unwrap();
    assert_eq!(approvals.standing(&[1; 32]).await.unwrap(), Standing::Waiting(new));
}

#[tokio::test(start_paused = true)]
async fn who_waits_hears_of_every_end() {
    let approvals = with_code();
    for (write, end) in [(1, "approve"), (2, "decline"), (3, "withdraw"), (4, "time"), (5, "codes")] {
        let id = opened(&approvals, write).await.id;
        let waiting = tokio::spawn({
            let (approvals, id) = (Arc::clone(&approvals), id.clone());
            async move { approvals.decided(&id).await.unwrap() }
        });
        pass(MINUTE).await;
        assert!(!waiting.is_finished(), "{end}");
        match end {
            "approve" => drop(answered(&approvals, &id, Decision::Approve).await),
            "decline" => drop(answered(&approvals, &id, Decision::Decline).await),
            "withdraw" => drop(approvals.answered_in_client(&[write; 32]).await.unwrap()),
            "codes" => {
                for _ in 0..5 {
                    assert!(approvals.prove_by_code(&id, "wrong".into()).await.is_err());
                }
            }
            _ => pass(9 * MINUTE).await,
        }
        waiting.await.unwrap();
        // And whoever comes later does not wait at all.
        approvals.decided(&id).await.unwrap();
    }
    approvals.decided(&ApprovalId::parse(&"A".repeat(22)).unwrap()).await.unwrap();
}

async fn is_kept(approvals: &Approvals, id: &ApprovalId) -> bool {
    let record: Option<Record> = approvals.store.get(&index::record(id)).await.unwrap();
    record.is_some()
}

#[tokio::test(start_paused = true)]
async fn what_is_over_is_remembered_for_an_hour_and_then_forgotten() {
    let approvals = with_code();
    let mut over = Vec::new();
    for (write, decision) in [(1, Decision::Approve), (2, Decision::Decline)] {
        let ticket = opened(&approvals, write).await;
        over.push((ticket.id.clone(), answered(&approvals, &ticket.id, decision).await));
    }
    let _taken = approvals.take(&[1; 32]).await.unwrap().unwrap();
    pass(Duration::from_secs(3_599)).await;
    for (id, proof) in &over {
        view(&approvals, id, proof).await;
        assert!(matches!(approvals.sight(id, None).await.unwrap(), Sight::Unproven { is_over: true, .. }));
    }
    pass(Duration::from_secs(1)).await;
    for (id, proof) in &over {
        assert!(matches!(approvals.sight(id, Some(proof.as_str())).await.unwrap(), Sight::Unknown));
    }
    for (id, _) in &over {
        assert!(!is_kept(&approvals, id).await, "nothing of them is kept");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_long_silence_nothing_is_kept() {
    let approvals = with_code();
    let ticket = opened(&approvals, 1).await;
    pass(Duration::from_hours(5)).await;
    assert!(matches!(approvals.sight(&ticket.id, None).await.unwrap(), Sight::Unknown));
    assert!(!is_kept(&approvals, &ticket.id).await);
}

#[tokio::test(start_paused = true)]
async fn so_many_are_remembered_and_no_more() {
    let approvals = with_code();
    let first = opened(&approvals, 0).await;
    let held = opened(&approvals, 1).await;
    answered(&approvals, &held.id, Decision::Approve).await;
    let mut ids = Vec::new();
    for n in 2..=112 {
        let write = [n; 32];
        ids.push(opened(&approvals, n).await.id);
        assert!(approvals.answered_in_client(&write).await.unwrap());
        pass(Duration::from_millis(1)).await;
    }
    assert_eq!(
        approvals.standing(&[0; 32]).await.unwrap(),
        Standing::Waiting(first),
        "what waits is never dropped"
    );
    assert_eq!(approvals.standing(&[1; 32]).await.unwrap(), Standing::Approved, "nor what holds");
    let mut kept = Vec::new();
    for id in &ids {
        kept.push(!matches!(approvals.sight(id, None).await.unwrap(), Sight::Unknown));
    }
    assert!(kept.iter().rev().take(100).all(|kept| *kept));
    assert!(!kept.iter().take(11).any(|kept| *kept), "{kept:?}");
}

#[tokio::test(start_paused = true)]
async fn without_a_page_that_a_person_could_use_nothing_is_opened() {
    let nobody = Approvals::new(None, Arc::new(Notes::default()), Store::memory());
    assert!(!nobody.has_page() && !Approvals::without_page().has_page());
    assert_eq!(nobody.open("local", [1; 32], question()).await, Err(Refused::NoPage));

    let notes = Arc::new(Notes { cannot_serve: true.into(), ..Notes::default() });
    let approvals = Approvals::new(Some(code()), Arc::clone(&notes) as Arc<dyn Desk>, Store::memory());
    assert!(approvals.has_page());
    assert_eq!(approvals.open("local", [1; 32], question()).await, Err(Refused::NoPage));
    notes.cannot_serve.store(false, Ordering::SeqCst);
    opened(&approvals, 1).await;
}

#[tokio::test]
async fn a_ticket_says_until_when_to_the_second() {
    let approvals = with_code();
    let ticket = opened(&approvals, 1).await;
    let until: Timestamp = ticket.expires_at.parse().unwrap();
    let left = until.as_second() - clock::now().as_second();
    assert!((590..=600).contains(&left), "{left}");
    assert!(ticket.expires_at.ends_with('Z') && !ticket.expires_at.contains('.'));
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_question_or_a_secret_is_in_debug() {
    let (approvals, notes) = with_browser();
    let ticket = opened(&approvals, 1).await;
    let key = notes.opened()[0].split("key=").nth(1).unwrap().to_owned();
    let proof = approvals.prove_by_key(&ticket.id, &key).await.unwrap().unwrap();
    let seen = view(&approvals, &ticket.id, &proof).await;
    let shown =
        format!("{:?} {proof:?} {seen:?} {ticket:?}", approvals.load(&ticket.id).await.unwrap().is_some());
    for secret in [key.as_str(), proof.as_str(), &seen.token, "FR76"] {
        assert!(!shown.contains(secret) && !format!("{:?}", Approvals::without_page()).contains(secret));
    }
}
