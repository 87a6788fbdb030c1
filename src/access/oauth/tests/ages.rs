//! How long what the issuer said counts: moments are told to the verifier, nobody waits for them.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;

use super::issuer::{FakeIssuer, KEYS, RSA, Signer};
use super::{AUDIENCE, verifier};
use crate::access::oauth::{TokenRefused, Verifier};

const NO_KEY: TokenRefused =
    TokenRefused::Invalid("the token is signed with a key that the issuer does not have");

/// A token, shown to a verifier so many seconds after it was made.
async fn shown(verifier: &Verifier, start: Instant, seconds: u64, token: &str) -> Result<(), TokenRefused> {
    verifier.verify_at(token, start + Duration::from_secs(seconds)).await.map(drop)
}

#[tokio::test]
async fn a_new_key_is_found_and_a_withdrawn_one_is_gone() {
    let issuer = FakeIssuer::start().await;
    let (verifier, start) = (verifier(&issuer), Instant::now());
    let new = Signer::p256("new");
    let (old_token, new_token) =
        (issuer.draft(AUDIENCE).token(), issuer.draft(AUDIENCE).signed_by(&new).token());
    assert_eq!(shown(&verifier, start, 0, &old_token).await, Ok(()));
    assert_eq!(shown(&verifier, start, 5, &new_token).await, Err(NO_KEY));

    issuer.publishes(&[RSA.public(), new.public()]);
    assert_eq!(shown(&verifier, start, 10, &new_token).await, Ok(()), "rotated");
    assert_eq!(shown(&verifier, start, 10, &old_token).await, Ok(()), "both for a while");

    issuer.publishes(&[new.public()]);
    assert_eq!(shown(&verifier, start, 10 + 599, &old_token).await, Ok(()), "read less than ten minutes ago");
    assert_eq!(shown(&verifier, start, 10 + 600, &old_token).await, Err(NO_KEY), "withdrawn");
    assert_eq!(shown(&verifier, start, 10 + 600, &new_token).await, Ok(()));
}

/// A withdrawn key also goes when the keys are read for another reason.
#[tokio::test]
async fn the_keys_that_are_read_replace_those_before() {
    let issuer = FakeIssuer::start().await;
    let (verifier, start) = (verifier(&issuer), Instant::now());
    let new = Signer::p256("new");
    let old_token = issuer.draft(AUDIENCE).token();
    assert_eq!(shown(&verifier, start, 0, &old_token).await, Ok(()));
    issuer.publishes(&[new.public()]);
    let new_token = issuer.draft(AUDIENCE).signed_by(&new).token();
    assert_eq!(shown(&verifier, start, 5, &new_token).await, Ok(()));
    assert_eq!(shown(&verifier, start, 5, &old_token).await, Err(NO_KEY));
}

#[tokio::test]
async fn tokens_with_made_up_keys_do_not_flood_the_issuer() {
    let issuer = FakeIssuer::start().await;
    let (verifier, start) = (verifier(&issuer), Instant::now());
    let good = issuer.draft(AUDIENCE).token();
    let at_once = join_all((0..50).map(|_| shown(&verifier, start, 0, &good))).await;
    assert_eq!(at_once, vec![Ok(()); 50]);
    assert_eq!(issuer.seen(KEYS).len(), 1, "all waited for one");

    let made_up: Vec<String> = (0..200)
        .map(|number| issuer.draft(AUDIENCE).header("kid", json!(format!("made-up-{number}"))).token())
        .collect();
    for seconds in [0, 4] {
        let refused = join_all(made_up.iter().map(|token| shown(&verifier, start, seconds, token))).await;
        assert_eq!(refused, vec![Err(NO_KEY); 200]);
        assert_eq!(issuer.seen(KEYS).len(), 1, "asked less than five seconds ago");
    }
    join_all(made_up.iter().map(|token| shown(&verifier, start, 5, token))).await;
    assert_eq!(issuer.seen(KEYS).len(), 2);
    assert_eq!(shown(&verifier, start, 5, &good).await, Ok(()));
}

#[tokio::test]
async fn an_issuer_that_is_down_is_trusted_for_an_hour_and_found_again() {
    let issuer = FakeIssuer::start().await;
    let (verifier, start) = (verifier(&issuer), Instant::now());
    let token = issuer.draft(AUDIENCE).token();
    issuer.is_down(true);
    assert_eq!(shown(&verifier, start, 0, &token).await, Err(TokenRefused::Unavailable), "never read");
    issuer.is_down(false);
    assert_eq!(shown(&verifier, start, 5, &token).await, Ok(()));

    issuer.is_down(true);
    assert_eq!(shown(&verifier, start, 3000, &token).await, Ok(()), "its keys are kept");
    let unknown = issuer.draft(AUDIENCE).signed_by(&Signer::p256("new")).token();
    assert_eq!(shown(&verifier, start, 3010, &unknown).await, Err(TokenRefused::Unavailable), "who knows");
    assert_eq!(shown(&verifier, start, 5 + 3600, &token).await, Err(TokenRefused::Unavailable), "too old");
    issuer.is_down(false);
    assert_eq!(shown(&verifier, start, 5 + 3605, &token).await, Ok(()), "it is back");
}

/// While the issuer fails, nobody waits for it; once it is back, what it withdrew goes.
#[tokio::test]
async fn who_does_not_wait_still_learns_what_the_issuer_says() {
    let issuer = FakeIssuer::start().await;
    let (verifier, start) = (verifier(&issuer), Instant::now());
    let token = issuer.draft(AUDIENCE).token();
    assert_eq!(shown(&verifier, start, 0, &token).await, Ok(()));
    issuer.is_down(true);
    assert_eq!(shown(&verifier, start, 700, &token).await, Ok(()));
    issuer.is_down(false);
    issuer.publishes(&[]);
    let learns = async {
        while shown(&verifier, start, 800, &token).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), learns).await.expect("never asked again");
    assert_eq!(shown(&verifier, start, 800, &token).await, Err(NO_KEY));
}
