//! People who sign in with a token of the file, to approve what agents ask for.

use nix::sys::signal::Signal;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::browser::{Browser, origin};
use crate::support::http_server::http;
use crate::support::setup::Setup;
use crate::support::tokens::made;

const AGENTS: &str = "customers:write,bank-accounts:write,verifications:write";

fn account() -> Value {
    json!({
        "action": "create", "customer_id": "sim_cus_ada", "iban": "DE89370400440532013000", "holder_name": "Ada Byron",
    })
}

#[tokio::test]
async fn another_person_than_the_one_who_asks_signs_in_and_approves() {
    let (boss_token, boss) = made("boss", "approvals:write").await;
    let (both_token, both) = made("both", &format!("{AGENTS},approvals:write")).await;
    let (agent_token, bot) = made("bot", AGENTS).await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens");
    std::fs::write(&path, [both.as_str(), bot.as_str(), boss.as_str()].join("\n")).unwrap();
    let mut server = Setup::simulator()
        .flag("--confirm-writes=always")
        .flag("--approvers=other")
        .flag(&format!("--auth-tokens={}", path.display()))
        .http()
        .await;
    let asks = server.agent_with(&both_token).await;
    let error = asks.error("manage_bank_accounts", account()).await;
    let page = error["approval"]["url"].as_str().unwrap().to_owned();

    // Nobody who has not signed in sees anything, whatever bearer token they show.
    let mut curious = Browser::new();
    assert!(!curious.open(&page).await.text.contains("DE89"));
    assert!(!curious.open(&server.url("/approvals")).await.text.contains("Attach"));
    assert_eq!(curious.signs_in(&page, "fmcp_made_up").await.status, StatusCode::FORBIDDEN);
    assert_eq!(curious.signs_in(&page, &agent_token).await.status, StatusCode::FORBIDDEN);
    // Who asked may approve what others ask for, and not this.
    let mut own = Browser::new();
    let refused = own.signs_in(&page, &both_token).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.text.contains("Another person must decide") && !refused.text.contains("DE89"));
    assert!(
        !own.open(&server.url("/approvals"))
            .await
            .text
            .contains(&page.rsplit('/').next().unwrap().to_owned())
    );

    let mut person = Browser::new();
    let seen = person.signs_in(&page, &boss_token).await;
    assert_eq!((seen.status, seen.address.as_str()), (StatusCode::OK, page.as_str()));
    assert!(
        seen.text.contains("“both” asks to do this.") && seen.text.contains("DE89 3704"),
        "{}",
        seen.text
    );
    let list = person.open(&server.url("/approvals")).await;
    assert!(list.text.contains("Attach a bank account") && !list.text.contains("DE89"), "{}", list.text);
    assert_eq!(person.presses(&page, "approve").await.status, StatusCode::OK);
    assert!(asks.good("manage_bank_accounts", account()).await["bank_account"].is_object());

    // A token that is removed ends what was signed in with it.
    std::fs::write(&path, [both.as_str(), bot.as_str()].join("\n")).unwrap();
    server.process.signal(Signal::SIGHUP);
    server.process.logged("read again tokens=2").await;
    assert!(person.open(&server.url("/approvals")).await.text.contains("Sign in to approve"));
    let log = server.process.stderr();
    for secret in [&boss_token, &both_token, &agent_token] {
        assert!(!log.contains(secret.as_str()));
    }
    assert!(!log.contains("DE89") && !log.contains("Byron"), "{log}");
}

#[tokio::test]
async fn a_sign_in_ends_with_the_very_token_that_it_was_made_with() {
    let (old_token, old) = made("boss", "approvals:write").await;
    let (new_token, new) = made("boss", "approvals:write").await;
    let (agent_token, bot) = made("bot", AGENTS).await;
    let dir = tempfile::tempdir().unwrap();
    let (path, trail) = (dir.path().join("tokens"), dir.path().join("trail"));
    std::fs::write(&path, [old.as_str(), new.as_str(), bot.as_str()].join("\n")).unwrap();
    let mut server = Setup::simulator()
        .flag("--confirm-writes=always")
        .flag(&format!("--auth-tokens={}", path.display()))
        .flag(&format!("--audit-log={}", trail.display()))
        .http()
        .await;
    let asks = server.agent_with(&agent_token).await;
    let error = asks.error("manage_bank_accounts", account()).await;
    let page = error["approval"]["url"].as_str().unwrap().to_owned();
    let (mut with_old, mut with_new) = (Browser::new(), Browser::new());
    for (person, token) in [(&mut with_old, &old_token), (&mut with_new, &new_token)] {
        assert!(person.signs_in(&page, token).await.text.contains("DE89 3704"));
    }
    let press = with_old.open(&page).await.token().unwrap();

    std::fs::write(&path, [new.as_str(), bot.as_str()].join("\n")).unwrap();
    server.process.signal(Signal::SIGHUP);
    server.process.logged("read again tokens=2").await;
    let fields = [("token", press.as_str()), ("decision", "approve")];
    let refused = with_old.submit(&page, &origin(&page), &fields).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(!with_old.open(&page).await.text.contains("DE89"));
    assert_eq!(with_new.presses(&page, "approve").await.status, StatusCode::OK);
    assert!(asks.good("manage_bank_accounts", account()).await["bank_account"].is_object());

    // All of it is on record, by name.
    let foreign = http().post(&page).header("origin", "https://evil.example").send().await.unwrap();
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    assert_eq!(Browser::new().signs_in(&page, &old_token).await.status, StatusCode::FORBIDDEN);
    server.process.signal(Signal::SIGTERM);
    server.process.ended().await;
    let text = std::fs::read_to_string(&trail).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let decisions: Vec<(&str, &Value)> = lines
        .iter()
        .filter(|line| line["event"] == "approval" && line["how"] == "page")
        .map(|line| (line["decision"].as_str().unwrap(), &line["approver"]))
        .collect();
    let boss = json!("boss");
    assert_eq!(
        decisions,
        [("asked", &Value::Null), ("signed_in", &boss), ("signed_in", &boss), ("approved", &boss)]
    );
    let refusals: Vec<(&str, &str)> = lines
        .iter()
        .filter(|line| line["event"] == "refused")
        .map(|line| (line["reason"].as_str().unwrap(), line["path"].as_str().unwrap()))
        .collect();
    let expected = ["unproven", "foreign_origin", "wrong_token"].map(|reason| (reason, "/approvals"));
    assert_eq!(refusals, expected);
    for secret in [&old_token, &new_token, &agent_token] {
        assert!(!text.contains(secret.as_str()));
    }
}
