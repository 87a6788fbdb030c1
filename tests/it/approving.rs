//! Approvals on the page: for clients that cannot ask, and for those that lead their person there.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use fintecture_mcp::simulator::Operation;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::browser::{Browser, origin};
use crate::support::in_time;
use crate::support::person::{Can, Does, Lifecycle, Person};
use crate::support::setup::Setup;
use crate::support::simulator::simulator;
use crate::support::wire::{Wire, stateless};

const CODE: &str = "correct-horse-battery";
const BOTH: [Lifecycle; 2] = [Lifecycle::Handshake, Lifecycle::Stateless];

fn account(iban: &str) -> Value {
    json!({
        "action": "create", "customer_id": "sim_cus_ada", "iban": iban, "holder_name": "Ada <b>Byron</b>",
    })
}

const GERMAN: &str = "DE89370400440532013000";
const FRENCH: &str = "FR7630006000011234567890189";

fn always(base_url: &str) -> Setup {
    Setup::against(base_url)
        .flag("--confirm-writes=always")
        .variable("FINTECTURE_APPROVAL_CODE", CODE)
        .variable("BROWSER", "")
}

/// The whole way of an agent without any way to ask, over HTTP.
#[tokio::test]
async fn a_person_approves_on_the_page_and_the_agent_calls_again() {
    let simulator = simulator(&[]).await;
    let server = always(&simulator.base_url()).http().await;
    let agent = server.agent().await;
    let writes = || simulator.requests(Operation::CreateCustomerBankAccount);

    let error = agent.error("manage_bank_accounts", account(GERMAN)).await;
    assert_eq!((&error["kind"], &error["outcome"]), (&json!("confirmation_required"), &json!("not_applied")));
    let page = error["approval"]["url"].as_str().unwrap();
    // While it waits, the same call gets the same approval, from another session of the principal, too.
    let again = server.agent_over_legacy_sse().await.error("manage_bank_accounts", account(GERMAN)).await;
    assert_eq!(again["approval"], error["approval"]);

    // What an agent with a fetch tool sees: nothing of the write, and nothing to press.
    let mut curious = Browser::new();
    let bare = curious.open(page).await;
    assert!(bare.token().is_none());
    for shown in ["Byron", "DE89", "Attach", "Approve:", "Decline:"] {
        assert!(!bare.text.contains(shown), "{shown} in {}", bare.text);
    }
    let pressed = curious.submit(page, &origin(page), &[("token", "guess"), ("decision", "approve")]).await;
    assert_eq!(pressed.status, StatusCode::FORBIDDEN);

    let mut person = Browser::new();
    let wrong = person.types(page, "incorrect-horse-battery").await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    let proven = person.types(page, CODE).await;
    assert_eq!(proven.status, StatusCode::OK);
    for shown in
        ["DE89 3704 0044 0532 0130 00", "Ada &#60;b&#62;Byron&#60;/b&#62;", "Ada Byron", "sim_cus_ada"]
    {
        assert!(proven.text.contains(shown), "{shown} in {}", proven.text);
    }
    assert_eq!(writes(), 0);
    let approved = person.presses(page, "approve").await;
    assert_eq!(approved.status, StatusCode::OK);
    assert!(approved.token().is_none(), "there is nothing left to press");

    // It holds for exactly these arguments.
    let other = agent.error("manage_bank_accounts", account(FRENCH)).await;
    assert_eq!(other["kind"], "confirmation_required");
    assert_ne!(other["approval"]["url"], error["approval"]["url"]);
    assert_eq!(writes(), 0);
    let result = agent.good("manage_bank_accounts", account(GERMAN)).await;
    assert_eq!(result["bank_account"]["iban"], GERMAN);
    assert_eq!(writes(), 1);
    let used = person.open(page).await;
    assert!(used.token().is_none());

    // The other one is declined: told once, asked afresh after that.
    let page = other["approval"]["url"].as_str().unwrap();
    person.types(page, CODE).await;
    person.presses(page, "decline").await;
    assert_eq!(agent.error("manage_bank_accounts", account(FRENCH)).await["kind"], "declined");
    let afresh = agent.error("manage_bank_accounts", account(FRENCH)).await;
    assert_eq!(afresh["kind"], "confirmation_required");
    assert_ne!(afresh["approval"]["url"], other["approval"]["url"]);
    assert_eq!(writes(), 1);
}

/// A cross-site form, another local server, a form of the page of another approval: none of them approves.
#[tokio::test]
async fn only_the_page_itself_can_approve() {
    let simulator = simulator(&[]).await;
    let server = always(&simulator.base_url()).http().await;
    let agent = server.agent().await;
    let page = |error: &Value| error["approval"]["url"].as_str().unwrap().to_owned();
    let one = page(&agent.error("manage_bank_accounts", account(GERMAN)).await);
    let other = page(&agent.error("manage_bank_accounts", account(FRENCH)).await);
    let mut person = Browser::new();
    let token = person.types(&one, CODE).await.token().unwrap();
    // The proof serves one approval.
    assert!(person.open(&other).await.token().is_none());
    let other_token = person.types(&other, CODE).await.token().unwrap();
    let own = origin(&one);
    let (host, port) = own.rsplit_once(':').unwrap();
    let neighbour = format!("{host}:{}", port.parse::<u16>().unwrap() ^ 1);
    for foreign in ["https://evil.example", "null", neighbour.as_str(), host, "http://localhost"] {
        let pressed = person.submit(&one, foreign, &[("token", &token), ("decision", "approve")]).await;
        assert_eq!(pressed.status, StatusCode::FORBIDDEN, "{foreign}");
    }
    let pressed = person.submit(&one, &own, &[("token", &other_token), ("decision", "approve")]).await;
    assert_eq!(pressed.status, StatusCode::FORBIDDEN);
    for address in [format!("{one}?token={token}&decision=approve"), format!("{one}?decision=approve")] {
        person.open(&address).await;
    }
    let error = agent.error("manage_bank_accounts", account(GERMAN)).await;
    assert_eq!(error["kind"], "confirmation_required");
    assert_eq!(simulator.requests(Operation::CreateCustomerBankAccount), 0);
    let page = person.open(&one).await;
    for (header, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(page.headers[header], value);
    }
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
}

#[tokio::test]
async fn the_code_cannot_be_guessed() {
    let simulator = simulator(&[]).await;
    let server = always(&simulator.base_url()).http().await;
    let agent = server.agent().await;
    let error = agent.error("manage_bank_accounts", account(GERMAN)).await;
    let page = error["approval"]["url"].as_str().unwrap();
    let mut guesser = Browser::new();
    for guess in 0..5 {
        guesser.types(page, &format!("a wrong guess {guess}")).await;
    }
    let right = guesser.types(page, CODE).await;
    assert_eq!(right.status, StatusCode::GONE, "five wrong ones ended it");
    let afresh = agent.error("manage_bank_accounts", account(GERMAN)).await;
    assert_ne!(afresh["approval"]["url"], error["approval"]["url"]);
}

#[tokio::test]
async fn five_approvals_wait_and_no_more() {
    let simulator = simulator(&[]).await;
    let server = always(&simulator.base_url()).http().await;
    let agent = server.agent().await;
    let create = |n: u32| json!({"action": "create", "first_name": "A", "last_name": format!("B{n}"), "email": "a@example.com"});
    for n in 0..5 {
        assert_eq!(agent.error("manage_customers", create(n)).await["kind"], "confirmation_required");
    }
    let error = agent.error("manage_customers", create(5)).await;
    assert_eq!((&error["kind"], &error["outcome"]), (&json!("rate_limited"), &json!("not_applied")));
    assert_eq!(error.get("upstream_status"), None);
    assert!(error["retry_after_seconds"].as_u64().is_some());
}

/// The client leads its person to the page, and the call waits for the click.
#[tokio::test]
async fn a_client_that_can_open_pages_waits_for_the_click() {
    for lifecycle in BOTH {
        for (decision, kind) in [("approve", None), ("decline", Some("declined"))] {
            let simulator = simulator(&[]).await;
            let server = always(&simulator.base_url()).http().await;
            let person = Person::who(Can::Pages, &[Does::Agrees]);
            let someone = person.clone().over_http(&server, lifecycle).await;
            let call = someone.call("manage_bank_accounts", account(GERMAN));
            let click = async {
                let question = person.is_asked().await;
                assert_eq!(question["mode"], "url");
                let page = question["url"].as_str().unwrap();
                assert!(
                    !question["message"].as_str().unwrap().contains("Byron"),
                    "no value outside the page"
                );
                let mut browser = Browser::new();
                browser.types(page, CODE).await;
                browser.presses(page, decision).await;
            };
            let (answer, ()) = tokio::join!(call, click);
            match kind {
                None => drop(answer.good()),
                Some(kind) => assert_eq!(answer.error()["kind"], kind, "{lifecycle:?}"),
            }
        }
        // Declined or dismissed in the client, the page has nothing left to approve.
        let simulator = simulator(&[]).await;
        let server = always(&simulator.base_url()).http().await;
        let person = Person::who(Can::Pages, &[Does::Declines, Does::Dismisses]);
        let someone = person.clone().over_http(&server, lifecycle).await;
        for kind in ["declined", "cancelled"] {
            let error = someone.call("manage_bank_accounts", account(GERMAN)).await.error();
            assert_eq!(error["kind"], kind, "{lifecycle:?}");
        }
        for question in person.asked() {
            let page = question["url"].as_str().unwrap();
            assert_eq!(Browser::new().types(page, CODE).await.status, StatusCode::GONE);
        }
        assert_eq!(simulator.requests(Operation::CreateCustomerBankAccount), 0);
    }
}

/// A browser that writes down where it was sent, one address a line, and what it was given.
fn scribe() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let (script, log) = (folder.path().join("browser"), folder.path().join("opened"));
    let text = format!("#!/bin/sh\necho \"$1\" >> '{0}'\nenv >> '{0}.env'\n", log.display());
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
    let script = script.to_str().unwrap().to_owned();
    (folder, script)
}

async fn opened(folder: &TempDir) -> String {
    let log = folder.path().join("opened");
    in_time(async {
        loop {
            if let Ok(text) = fs::read_to_string(&log)
                && let Some(line) = text.lines().next()
                && text.ends_with('\n')
            {
                return line.to_owned();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
}

/// On standard input and output the server opens the person's browser itself.
#[tokio::test]
async fn the_server_opens_the_persons_browser() {
    let simulator = simulator(&[]).await;
    let (folder, script) = scribe();
    let setup =
        Setup::against(&simulator.base_url()).flag("--confirm-writes=always").variable("BROWSER", &script);
    let agent = setup.agent().await;
    let error = agent.error("manage_bank_accounts", account(GERMAN)).await;
    let page = error["approval"]["url"].as_str().unwrap();
    let address = opened(&folder).await;
    let (bare, key) = address.split_once("?key=").unwrap();
    assert_eq!(bare, page);
    let stderr = agent.process.as_ref().unwrap().stderr();
    assert!(!stderr.contains(key) && !error.to_string().contains(key), "the key stands nowhere else");
    let environment = fs::read_to_string(folder.path().join("opened.env")).unwrap();
    assert!(!environment.contains("FINTECTURE_"), "{environment}");

    let mut person = Browser::new();
    let shown = person.open(&address).await;
    assert_eq!(shown.address.as_str(), page, "on to the bare address");
    assert!(shown.token().is_some());
    assert!(Browser::new().open(&address).await.token().is_none(), "a key works once");
    person.presses(page, "approve").await;
    agent.good("manage_bank_accounts", account(GERMAN)).await;
    assert_eq!(simulator.requests(Operation::CreateCustomerBankAccount), 1);
}

/// Calls at 2026-07-28 as a client that can do this, perhaps with an answer.
async fn call(wire: &mut Wire, can: &Value, answer: Option<(&Value, Value)>) -> Value {
    let mut params = stateless(json!({"name": "manage_bank_accounts", "arguments": account(GERMAN)}));
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = can.clone();
    if let Some((question, response)) = answer {
        params["requestState"] = question["requestState"].clone();
        params["inputResponses"] = json!({ "approval": response });
    }
    wire.request("tools/call", params).await["result"].clone()
}

fn kind(result: &Value) -> &str {
    result["structuredContent"]["error"]["kind"].as_str().unwrap_or("success")
}

fn pages() -> Value {
    json!({"elicitation": {"url": {}}})
}

/// The person approved on the page, and then said no in their client: the last word counts.
#[tokio::test]
async fn a_no_in_the_client_goes_before_a_yes_on_the_page() {
    for (action, expected) in [("decline", "declined"), ("cancel", "cancelled")] {
        let simulator = simulator(&[]).await;
        let server = Arc::new(always(&simulator.base_url()).http().await);
        let mut wire = Wire::http(Arc::clone(&server));
        let question = call(&mut wire, &pages(), None).await;
        let page = question["inputRequests"]["approval"]["params"]["url"].as_str().unwrap().to_owned();
        let mut person = Browser::new();
        person.types(&page, CODE).await;
        person.presses(&page, "approve").await;
        let result = call(&mut wire, &pages(), Some((&question, json!({ "action": action })))).await;
        assert_eq!(kind(&result), expected);
        assert!(person.open(&page).await.text.contains("Answered elsewhere"));
        let again = call(&mut wire, &pages(), None).await;
        assert_eq!(again["resultType"], "input_required", "{action}: asked afresh");
        assert_eq!(simulator.requests(Operation::CreateCustomerBankAccount), 0);
    }
}

/// Under `auto` a client that was asked is not let through by saying that it cannot be asked.
#[tokio::test]
async fn who_was_asked_cannot_take_back_that_they_can_be() {
    let simulator = simulator(&[]).await;
    let setup = Setup::against(&simulator.base_url()).variable("FINTECTURE_APPROVAL_CODE", CODE);
    let server = Arc::new(setup.http().await);
    let mut wire = Wire::http(Arc::clone(&server));
    let forms = json!({"elicitation": {"form": {}}});
    let question = call(&mut wire, &forms, None).await;
    let no = json!({"action": "decline"});
    assert_eq!(kind(&call(&mut wire, &json!({}), Some((&question, no))).await), "declined");
    let question = call(&mut wire, &pages(), None).await;
    assert_eq!(question["resultType"], "input_required");
    let result = call(&mut wire, &json!({}), None).await;
    assert_eq!(kind(&result), "confirmation_required");
    let url = &result["structuredContent"]["error"]["approval"]["url"];
    assert_eq!(*url, question["inputRequests"]["approval"]["params"]["url"]);
    assert_eq!(simulator.requests(Operation::CreateCustomerBankAccount), 0);
}

/// A yes that was used does not count again in a server that was started anew.
#[tokio::test]
async fn a_used_yes_is_worth_nothing_after_a_restart() {
    let simulator = simulator(&[]).await;
    let setup = Setup::against(&simulator.base_url());
    let forms = json!({"elicitation": {"form": {}}});
    let yes = json!({"action": "accept", "content": {"confirm": true}});
    let mut wire = Wire::Stdio(Box::new(setup.pipe()));
    let question = call(&mut wire, &forms, None).await;
    assert_eq!(kind(&call(&mut wire, &forms, Some((&question, yes.clone()))).await), "success");
    drop(wire);
    let mut wire = Wire::Stdio(Box::new(setup.pipe()));
    let result = call(&mut wire, &forms, Some((&question, yes))).await;
    assert_eq!(kind(&result), "confirmation_required");
    assert_eq!(simulator.requests(Operation::CreateCustomerBankAccount), 1);
}

/// The operator stopped writes in between: nothing left, and the person's yes still stands afterwards.
#[tokio::test]
async fn an_approval_survives_a_write_that_never_left() {
    let simulator = simulator(&[]).await;
    let setup = always(&simulator.base_url());
    let stop = tempfile::tempdir().unwrap();
    let file = stop.path().join("stop");
    let server = setup.flag(&format!("--stop-writes={}", file.display())).http().await;
    let agent = server.agent().await;
    let error = agent.error("manage_bank_accounts", account(GERMAN)).await;
    let page = error["approval"]["url"].as_str().unwrap();
    let mut person = Browser::new();
    person.types(page, CODE).await;
    person.presses(page, "approve").await;
    fs::write(&file, "").unwrap();
    assert_eq!(agent.error("manage_bank_accounts", account(GERMAN)).await["kind"], "read_only");
    fs::remove_file(&file).unwrap();
    agent.good("manage_bank_accounts", account(GERMAN)).await;
    assert_eq!(simulator.requests(Operation::CreateCustomerBankAccount), 1);
}

/// A browser that cannot be opened is no way: from the next call on the agent is told so.
#[tokio::test]
async fn a_browser_that_does_not_open_is_no_way() {
    let simulator = simulator(&[]).await;
    let setup = Setup::against(&simulator.base_url())
        .flag("--confirm-writes=always")
        .variable("BROWSER", "/bin/false");
    let mut agent = setup.agent().await;
    agent.error("manage_bank_accounts", account(GERMAN)).await;
    agent.process.as_mut().unwrap().logged("no browser could be opened").await;
    let error = agent.error("manage_bank_accounts", account(GERMAN)).await;
    assert_eq!((&error["kind"], error.get("approval")), (&json!("confirmation_required"), None));
    assert!(error["hint"].as_str().unwrap().contains("FINTECTURE_APPROVAL_CODE"), "{error}");
}
