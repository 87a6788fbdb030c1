//! What the pages refuse is on record, with the name of whom they refuse it where they know it.

use serde_json::{Value, json};

use super::*;
use crate::audit::{Facts, Trail};
use crate::calls::approvals::{Approvers, SignInBy};

/// Puts what these pages do on record, and reads it.
struct Record(tempfile::TempDir, Trail);

impl Record {
    fn of(approvals: &Approvals) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let trail = Trail::open(&folder.path().join("log"), None, Facts::new("simulator", [].into_iter()));
        let trail = trail.unwrap();
        approvals.records(trail.clone());
        Self(folder, trail)
    }

    /// Event, reason or decision, and whose it is or who decided.
    async fn lines(self) -> Vec<(String, String, Value)> {
        self.1.close().await;
        let text = std::fs::read_to_string(self.0.path().join("log")).unwrap();
        assert!(!text.contains("canary") && !text.contains("FR76"), "{text}");
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let lines = lines.filter(|line| line["event"] == "refused" || line["event"] == "approval");
        let word = |line: &Value, member: &str| line[member].as_str().unwrap_or_default().to_owned();
        let line = |line: Value| {
            if line["event"] == "refused" {
                assert_eq!(line["path"], "/approvals");
                return (word(&line, "event"), word(&line, "reason"), line["principal"].clone());
            }
            (word(&line, "event"), word(&line, "decision"), line["approver"].clone())
        };
        lines.map(line).collect()
    }
}

fn refused(reason: &str, name: Value) -> (String, String, Value) {
    ("refused".to_owned(), reason.to_owned(), name)
}

fn signed_in(name: &str) -> (String, String, Value) {
    ("approval".to_owned(), "signed_in".to_owned(), json!(name))
}

#[tokio::test(start_paused = true)]
async fn wrong_codes_and_foreign_forms_are_on_record() {
    let site = Site::plain().await;
    let record = Record::of(&site.approvals);
    let code = format!("{}/code", site.path());
    for _ in 0..5 {
        site.post(&code, None, Some(&own_origin()), "code=wrong").await;
    }
    let site_of_another = "https://evil.example";
    site.post(&code, None, Some(site_of_another), "code=wrong").await;
    site.post(&site.path(), None, Some(&own_origin()), "token=x&decision=approve").await;
    let mut expected = vec![refused("wrong_code", Value::Null); 5];
    expected.push(refused("foreign_form", Value::Null));
    expected.push(refused("unproven", Value::Null));
    assert_eq!(record.lines().await, expected);
}

#[tokio::test(start_paused = true)]
async fn who_signs_in_and_who_may_not_is_on_record() {
    let house = people::House::by_token(Approvers::Other).await;
    let site = &house.site;
    let record = Record::of(&site.approvals);
    for name in ["nobody", "slow", "eve"] {
        assert!(house.types("", name).await.cookie().is_none());
    }
    let (ada, bob) = (house.cookie("ada").await, house.cookie("bob").await);
    // Their own write; and one of another, with the token of another page.
    site.post(&site.path(), Some(&ada), Some(&own_origin()), "token=x&decision=approve").await;
    let pressed = site.post(&site.path(), Some(&bob), Some(&own_origin()), "token=x&decision=approve").await;
    assert_eq!(pressed.status, 403);
    site.post("/approvals/sign-in", None, Some("null"), "to=&token=bob%27s+canary+token").await;
    site.post("/approvals/sign-out", Some(&bob), Some(&own_origin()), "token=x").await;
    let expected = [
        refused("wrong_token", Value::Null),
        refused("wrong_token", Value::Null),
        refused("insufficient_scope", json!("eve")),
        signed_in("ada"),
        signed_in("bob"),
        refused("own_write", json!("ada")),
        refused("foreign_form", json!("bob")),
        refused("foreign_form", Value::Null),
        refused("foreign_form", json!("bob")),
    ];
    assert_eq!(record.lines().await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_that_the_issuer_does_not_confirm_is_on_record() {
    let house = people::House::new(SignInBy::Issuer, Approvers::Any).await;
    let record = Record::of(&house.site.approvals);
    let page = house.site.get("/approvals/callback?state=x&code=y&here=1", None).await;
    assert_eq!(page.status, 403);
    assert_eq!(record.lines().await, [refused("wrong_sign_in", Value::Null)]);
}
