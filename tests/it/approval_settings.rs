//! What `serve` says about the settings of approvals before anybody is asked anything.

use std::net::TcpListener;

use nix::sys::signal::Signal;
use serde_json::json;

use crate::support::process::run;
use crate::support::setup::Setup;

const PRODUCTION: [(&str, &str); 2] =
    [("FINTECTURE_ENVIRONMENT", "production"), ("FINTECTURE_CUSTOMER_TOKEN", "canary-token")];

async fn refused(flags: &[&str], variables: &[(&str, &str)]) -> Vec<String> {
    let ended = run(&[&["serve"], flags].concat(), variables).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
    ended.stderr.lines().map(|line| line.trim_start_matches("fintecture-mcp: ").to_owned()).collect()
}

#[tokio::test]
async fn wrong_settings_are_refused_each_with_a_line_and_no_code_is_shown() {
    let code = |code| [("FINTECTURE_APPROVAL_CODE", code)];
    assert_eq!(
        refused(&["--confirm-writes", "yes", "--approvals-listen", "0.0.0.0:0"], &[]).await,
        [
            "--confirm-writes must be never, auto or always",
            "--approvals-listen beyond loopback needs FINTECTURE_APPROVAL_CODE: nobody there could show that they are a person otherwise",
        ]
    );
    let http = ["--transport", "http", "--environment", "simulator", "--approvals-listen", "127.0.0.1:0"];
    assert_eq!(
        refused(&http, &[]).await,
        ["--approvals-listen is for stdio: with --transport http the approval pages stand at --listen"]
    );
    assert_eq!(
        refused(&[], &code("canarycode1")).await,
        ["FINTECTURE_APPROVAL_CODE must have at least 12 characters"]
    );
    let hash = refused(&[], &code("$argon2id$v=19$canary")).await;
    assert!(hash.len() == 1 && hash[0].contains("argon2id") && !hash[0].contains("canary"), "{hash:?}");
    assert_eq!(refused(&[], &[("FINTECTURE_APPROVAL_CODE_FILE", "no-such-file")]).await.len(), 1);
}

#[tokio::test]
async fn check_tells_of_a_code_that_is_none() {
    let ended = run(&["check"], &[("FINTECTURE_APPROVAL_CODE", "canarycode1")]).await;
    assert_eq!(ended.code, Some(2));
    let line = "FAIL  configuration     FINTECTURE_APPROVAL_CODE must have at least 12 characters";
    assert!(ended.stdout.contains(line) && !ended.stdout.contains("canary"), "{}", ended.stdout);
}

/// Where no write could ever be approved, the server says so and what to set.
#[tokio::test]
async fn a_server_that_could_approve_nothing_says_so() {
    let [environment, token] = PRODUCTION;
    let production = Setup::default().variable(environment.0, environment.1).variable(token.0, token.1);
    let code = production.clone().variable("FINTECTURE_APPROVAL_CODE", "correct horse battery");
    let warning = "each write is refused (confirmation_required)";
    for (setup, is_warned) in [
        (production.clone(), true),
        (production.clone().flag("--confirm-writes=auto"), false),
        (production.clone().flag("--read-only"), false),
        (code, false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let trail = folder.path().join("audit.log");
        let server = setup.clone().flag("--audit-log").flag(trail.to_str().unwrap()).http().await;
        assert_eq!(server.process.stderr().contains(warning), is_warned, "{setup:?}");
    }
    let on_stdio = run(&["serve"], &PRODUCTION).await;
    assert!(on_stdio.stderr.contains("Set FINTECTURE_APPROVAL_CODE, or BROWSER"), "{}", on_stdio.stderr);
    let with_browser = run(&["serve"], &[&PRODUCTION[..], &[("BROWSER", "true")]].concat()).await;
    assert_eq!(with_browser.code, Some(0));
    assert!(!with_browser.stderr.contains("BROWSER"), "{}", with_browser.stderr);
}

/// The code is set, and must not be asked for: what is missing is the address.
#[tokio::test]
async fn pages_whose_address_is_taken_are_told_as_that() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let setup = Setup::simulator()
        .variable("FINTECTURE_ENVIRONMENT", "simulator")
        .variable("FINTECTURE_APPROVAL_CODE", "correct horse battery")
        .flag("--confirm-writes=always")
        .flag(&format!("--approvals-listen={}", other.local_addr().unwrap()));
    let agent = setup.agent().await;
    let start = json!({"action": "start", "customer_id": "sim_cus_ada"});
    let error = agent.error("verify_identity", start).await;
    assert_eq!((&error["kind"], &error["outcome"]), (&json!("confirmation_required"), &json!("not_applied")));
    let hint = error["hint"].as_str().unwrap();
    assert!(hint.contains("--approvals-listen") && !hint.contains("APPROVAL_CODE"), "{hint}");
}

#[tokio::test]
async fn a_hangup_reads_the_code_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("code");
    std::fs::write(&file, "the first code").unwrap();
    let setup = Setup::simulator()
        .variable("FINTECTURE_ENVIRONMENT", "simulator")
        .variable("FINTECTURE_APPROVAL_CODE_FILE", file.to_str().unwrap());
    let mut server = setup.http().await;
    std::fs::write(&file, "canary-second").unwrap();
    server.process.signal(Signal::SIGHUP);
    server.process.logged("the approval code was read again").await;
    std::fs::write(&file, "short").unwrap();
    server.process.signal(Signal::SIGHUP);
    server.process.logged("the approval code stays as it was").await;
    assert!(!server.process.stderr().contains("canary-second"));
}
