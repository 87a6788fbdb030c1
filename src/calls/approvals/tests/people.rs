//! People who sign in: who may decide about what, and what waits for whom.

use super::*;

fn by_people(approvers: Approvers) -> Arc<Approvals> {
    let people = People { by: SignInBy::Token, approvers };
    Approvals::by_people(people, Arc::new(Notes::default()), Store::memory())
}

async fn person(approvals: &Approvals, name: &str) -> SignedIn {
    let secret = approvals.sign_in(name, None).await.unwrap().unwrap().as_str().to_owned();
    approvals.signed_in(&secret).await.unwrap().unwrap()
}

async fn sight(approvals: &Approvals, id: &ApprovalId, person: &SignedIn) -> Sight {
    approvals.sight(id, Visitor::Person(person.clone())).await.unwrap()
}

async fn approve(approvals: &Approvals, id: &ApprovalId, person: &SignedIn) -> Result<Decided, PressRefused> {
    let token = person.token(id.as_str());
    approvals.decide(id, Visitor::Person(person.clone()), &token, Decision::Approve).await
}

#[tokio::test(start_paused = true)]
async fn who_asked_may_approve_unless_another_must() {
    for (approvers, may) in [(Approvers::Any, true), (Approvers::Other, false)] {
        let approvals = by_people(approvers);
        let ticket = approvals.open("ada", [1; 32], question()).await.unwrap();
        let (ada, bob) = (person(&approvals, "ada").await, person(&approvals, "bob").await);
        assert_eq!(matches!(sight(&approvals, &ticket.id, &ada).await, Sight::Proven(_)), may);
        let own = approve(&approvals, &ticket.id, &ada).await;
        if may {
            assert_eq!(own.unwrap().approver.as_deref(), Some("ada"));
            continue;
        }
        assert_eq!(own, Err(PressRefused::NotTheirs));
        let Sight::Proven(view) = sight(&approvals, &ticket.id, &bob).await else { panic!("bob may see it") };
        assert_eq!((view.asked_by.as_deref(), view.decided_by), (Some("ada"), None));
        let decided = approve(&approvals, &ticket.id, &bob).await.unwrap();
        let by_bob = Decided {
            asked_by: "ada".into(),
            approver: Some("bob".into()),
            decision: Decision::Approve,
            how: How::SignIn,
        };
        assert_eq!(decided, by_bob);
        assert_eq!(approvals.take(&[1; 32]).await.unwrap().unwrap().decided, Some(by_bob));
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_of_one_person_and_one_approval() {
    let approvals = by_people(Approvers::Any);
    let one = approvals.open("agent", [1; 32], question()).await.unwrap();
    let other = approvals.open("agent", [2; 32], question()).await.unwrap();
    let (ada, again) = (person(&approvals, "ada").await, person(&approvals, "ada").await);
    for wrong in
        [ada.token(other.id.as_str()), again.token(one.id.as_str()), ada.as_str().to_owned(), String::new()]
    {
        let pressed =
            approvals.decide(&one.id, Visitor::Person(ada.clone()), &wrong, Decision::Approve).await;
        assert_eq!(pressed, Err(PressRefused::Foreign));
    }
    approve(&approvals, &one.id, &ada).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_lasts_fifteen_minutes_or_until_the_person_signs_out() {
    let approvals = by_people(Approvers::Any);
    let (ada, bob) = (person(&approvals, "ada").await, person(&approvals, "bob").await);
    approvals.sign_out(&bob).await.unwrap();
    assert_eq!(approvals.signed_in(bob.as_str()).await, Ok(None));
    pass(14 * MINUTE).await;
    assert!(approvals.signed_in(ada.as_str()).await.unwrap().is_some());
    pass(MINUTE).await;
    assert_eq!(approvals.signed_in(ada.as_str()).await, Ok(None));
    assert_eq!(approvals.signed_in("made up").await, Ok(None));
}

/// A cookie of one way is none in the other.
#[tokio::test(start_paused = true)]
async fn people_and_codes_do_not_mix() {
    let approvals = by_people(Approvers::Any);
    let ticket = approvals.open("agent", [1; 32], question()).await.unwrap();
    let ada = person(&approvals, "ada").await;
    assert_eq!(approvals.prove_by_code(&ticket.id, CODE.into()).await.unwrap_err(), CodeRefused::NoCode);
    for visitor in [Visitor::Anybody, Visitor::Holder(ada.as_str().to_owned())] {
        assert!(matches!(approvals.sight(&ticket.id, visitor).await.unwrap(), Sight::Unproven { .. }));
    }
    let with_code = with_code();
    let ticket = opened(&with_code, 1).await;
    assert!(matches!(sight(&with_code, &ticket.id, &ada).await, Sight::Unproven { .. }));
    assert_eq!(approve(&with_code, &ticket.id, &ada).await, Err(PressRefused::Unproven));
}

#[tokio::test(start_paused = true)]
async fn the_list_has_what_waits_for_this_person() {
    let approvals = by_people(Approvers::Other);
    let (ada, bob) = (person(&approvals, "ada").await, person(&approvals, "bob").await);
    let first = approvals.open("agent", [1; 32], question()).await.unwrap();
    pass(MINUTE).await;
    let second = approvals.open("ada", [2; 32], question()).await.unwrap();
    let third = approvals.open("agent", [3; 32], question()).await.unwrap();
    let listed = async |person: &SignedIn| {
        let waits = approvals.waiting_for(person).await.unwrap();
        waits.into_iter().map(|waits| waits.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(&ada).await.len(), 2);
    assert!(!listed(&ada).await.contains(&second.id), "not their own");
    assert_eq!(listed(&bob).await[0], first.id, "what ends first comes first");
    assert_eq!(listed(&bob).await.len(), 3);
    approve(&approvals, &third.id, &bob).await.unwrap();
    assert!(!listed(&bob).await.contains(&third.id));
    pass(9 * MINUTE).await;
    assert_eq!(listed(&bob).await, [second.id]);
    pass(20 * MINUTE).await;
    let late = approvals.open("ada", [4; 32], question()).await.unwrap();
    assert_eq!(listed(&bob).await, [late.id]);
}

#[tokio::test(start_paused = true)]
async fn without_a_way_to_sign_in_nothing_is_opened() {
    let people = People { by: SignInBy::Nothing, approvers: Approvers::Any };
    let approvals = Approvals::by_people(people, Arc::new(Notes::default()), Store::memory());
    assert_eq!(approvals.open("agent", [1; 32], question()).await, Err(Refused::NoPage));
    assert!(!approvals.has_page());
}

#[tokio::test]
async fn what_is_good_once_is_good_once() {
    let approvals = with_code();
    assert_eq!(approvals.use_once("a state", MINUTE).await, Ok(true));
    assert_eq!(approvals.use_once("a state", MINUTE).await, Ok(false));
    assert_eq!(approvals.use_once("another", MINUTE).await, Ok(true));
}
