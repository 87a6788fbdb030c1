use std::collections::HashSet;
use std::path::PathBuf;

use super::*;
use crate::domain::Scope;

struct Desk {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

impl Desk {
    fn with(text: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tokens");
        std::fs::write(&path, text).unwrap();
        Self { _dir: dir, path }
    }

    fn refused(text: &str) -> String {
        Access::tokens(&Self::with(text).path).unwrap_err().to_string()
    }
}

fn token_for(name: &str, scopes: &str) -> (String, String) {
    let new = NewToken::random().unwrap();
    let line = line(name, Scopes::read(scopes).unwrap(), &new.digest);
    (new.token.expose_secret().to_owned(), line)
}

async fn name(access: &Access, token: &str) -> Option<String> {
    access.authenticate(token).await.ok().map(|principal| principal.name.clone())
}

#[tokio::test]
async fn a_token_of_the_file_names_its_principal_and_no_other_text_does() {
    let (one, first) = token_for("kyc-bot", "customers:read,verifications:write");
    let (other, second) = token_for("reports", "customers:read");
    let desk = Desk::with(&format!("# who calls\n\n{first}\n  {second}  \n"));
    let access = Access::tokens(&desk.path).unwrap();
    let principal = access.authenticate(&one).await.unwrap();
    assert_eq!(principal.name, "kyc-bot");
    assert!(principal.is_authenticated && principal.may(Scope::VerificationsRead));
    assert!(!principal.may(Scope::CustomersWrite));
    assert_eq!(name(&access, &other).await.as_deref(), Some("reports"));
    let digest = first.rsplit(' ').next().unwrap();
    for wrong in ["", "fmcp_", digest, &one[1..], &format!("{one}x"), &one.to_uppercase(), "kyc-bot"] {
        assert_eq!(name(&access, wrong).await, None, "{wrong}");
    }
    assert_eq!(access.of_digest(digest).unwrap().name, "kyc-bot");
    let (_, unlisted) = token_for("kyc-bot", "customers:read");
    for wrong in [unlisted.rsplit(' ').next().unwrap(), one.as_str(), "kyc-bot", ""] {
        assert!(access.of_digest(wrong).is_none(), "{wrong}");
    }
}

#[tokio::test]
async fn a_digest_may_be_written_in_hexadecimal() {
    // SHA-256 of "abc", from FIPS 180-2.
    let digest = "sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015ad";
    let access = Access::tokens(&Desk::with(&format!("x customers:read {digest}")).path).unwrap();
    assert_eq!(name(&access, "abc").await.as_deref(), Some("x"));
}

#[test]
fn every_problem_of_a_file_is_told_by_its_line_and_nothing_of_it_quoted() {
    let (token, good) = token_for("kyc-bot", "customers:read");
    let digest = good.rsplit(' ').next().unwrap();
    let (_, renamed) = token_for("kyc-bot", "customers:write");
    let text = format!(
        "{good}\n{good}\n{renamed}\n{token}\nlocal customers:read {digest}\nada@example.com customers:read {digest}\n\
         x customers:everything {digest}\nx , {digest}\nx customers:read {token}\nx customers:read sha256:abc\n"
    );
    let refused = Desk::refused(&text);
    assert!(!refused.contains(&token) && !refused.contains(digest) && !refused.contains("ada"), "{refused}");
    insta::assert_snapshot!(refused, @r"
    line 2: the same hash stands on a line before
    line 3: the same name stands on a line before with other scopes
    line 4: must be NAME SCOPES HASH, as `fintecture-mcp token new` prints it
    line 5: the name must have 1 to 64 letters, digits, dots, dashes or underscores, and not be `local`
    line 6: the name must have 1 to 64 letters, digits, dots, dashes or underscores, and not be `local`
    line 7: the scopes: there is no such scope; those are customers:read customers:write bank-accounts:read bank-accounts:write verifications:read verifications:write personal-data:read approvals:write
    line 8: there is no scope; those are customers:read customers:write bank-accounts:read bank-accounts:write verifications:read verifications:write personal-data:read approvals:write
    line 9: the hash must be sha256: and 43 characters of base64url, or 64 hexadecimal digits
    line 10: the hash must be sha256: and 43 characters of base64url, or 64 hexadecimal digits
    ");
    assert!(Desk::refused("# nobody\n").contains("holds no token"));
    assert!(Desk::refused(&"x\n".repeat(50)).ends_with("30 more lines are wrong"));
    assert!(Access::tokens(Path::new("/")).is_err() && Access::tokens(Path::new("no-such-file")).is_err());
}

#[tokio::test]
async fn a_name_may_have_two_tokens_while_its_caller_changes_them() {
    let (old, first) = token_for("kyc-bot", "customers:read");
    let (new, second) = token_for("kyc-bot", "customers:read");
    let desk = Desk::with(&format!("{first}\n{second}\n"));
    let access = Access::tokens(&desk.path).unwrap();
    assert_eq!(name(&access, &old).await, name(&access, &new).await);
    std::fs::write(&desk.path, &second).unwrap();
    access.reload();
    assert_eq!(name(&access, &old).await, None);
    assert_eq!(name(&access, &new).await.as_deref(), Some("kyc-bot"));
}

#[tokio::test]
async fn a_file_that_is_broken_when_it_is_read_again_changes_nothing() {
    let (token, first) = token_for("kyc-bot", "customers:read");
    let (added, second) = token_for("reports", "customers:read");
    let desk = Desk::with(&first);
    let access = Access::tokens(&desk.path).unwrap();
    for broken in [String::new(), format!("{second}\nhalf a li")] {
        std::fs::write(&desk.path, broken).unwrap();
        access.reload();
        assert_eq!(name(&access, &token).await.as_deref(), Some("kyc-bot"));
        assert_eq!(name(&access, &added).await, None);
    }
    std::fs::remove_file(&desk.path).unwrap();
    access.reload();
    assert!(name(&access, &token).await.is_some());
}

#[tokio::test]
async fn the_one_token_of_a_server_has_the_rights_of_agents_and_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    std::fs::write(&path, "the-first-token\n").unwrap();
    let access = Access::token(Secret::from_file(&path).unwrap());
    let principal = access.authenticate("the-first-token").await.unwrap();
    assert_eq!(principal.name, "token");
    assert!(principal.is_authenticated && principal.may(Scope::CustomersWrite));
    assert!(!principal.may(Scope::ApprovalsWrite) && !principal.may(Scope::PersonalDataRead));
    assert!(access.authenticate("the-first-toke").await.is_err());
    for (text, accepted) in [("two words", "the-first-token"), ("the-next-token", "the-next-token")] {
        std::fs::write(&path, text).unwrap();
        access.reload();
        assert_eq!(name(&access, accepted).await.as_deref(), Some("token"));
    }
    assert!(access.authenticate("the-first-token").await.is_err());
}

/// Paused time runs on as soon as everybody waits, so a token that had to wait its turn shows by the clock.
#[tokio::test(start_paused = true)]
async fn wrong_tokens_wait_and_a_right_one_never_does() {
    let (token, line) = token_for("kyc-bot", "customers:read");
    let access = Access::tokens(&Desk::with(&line).path).unwrap();
    let client = Some("192.0.2.1".parse().unwrap());
    let mut slowed = 0;
    for place in 0..100 {
        match access.admit(&format!("guess-{place}"), client).await {
            Err(Refused::Wrong { told, .. }) => slowed += usize::from(told == Told::Slowly),
            other => panic!("{other:?}"),
        }
        let before = tokio::time::Instant::now();
        assert!(access.admit(&token, client).await.is_ok());
        assert_eq!(before.elapsed(), std::time::Duration::ZERO);
    }
    assert!(slowed > 50, "{slowed}");
}

#[tokio::test]
async fn no_token_is_shown_by_debug_and_no_two_are_alike() {
    let (token, line) = token_for("kyc-bot", "customers:read");
    let file = Access::tokens(&Desk::with(&line).path).unwrap();
    let one = Access::token(Secret::fixed("canary-token"));
    let shown = format!("{file:?} {one:?} {:?}", NewToken::random().unwrap());
    assert!(!shown.contains(&token) && !shown.contains("canary") && !shown.contains("fmcp_"), "{shown}");
    let many: HashSet<String> =
        (0..100).map(|_| NewToken::random().unwrap().token.expose_secret().to_owned()).collect();
    assert_eq!(many.len(), 100);
    assert!(many.iter().all(|token| token.len() == 48 && is_bearer(token)));
}

#[tokio::test]
async fn an_open_server_knows_everybody_as_local() {
    let access = Access::open();
    assert!(access.is_open());
    assert_eq!(*access.authenticate("whatever").await.unwrap(), Principal::local());
}
