//! The dossier as an agent and a compliance officer get it.

use std::time::Duration;

use fintecture_mcp::tools::dossier::markdown;
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use crate::support::local::Local;
use crate::support::setup::Setup;
use crate::support::upstream::Upstream;

/// Constructed customers: what the upstream says of each.
fn constructed() -> Vec<Value> {
    serde_json::from_str(include_str!("../fixtures/dossiers.json")).unwrap()
}

fn the_one_with(name: &str) -> Value {
    constructed().into_iter().find(|case| case["name"] == name).unwrap()
}

/// Which member of a constructed customer answers a request.
fn part(request: &Request) -> &'static str {
    match request.url.path() {
        path if path.ends_with("/bank-accounts") => "accounts",
        path if path.ends_with("/verifications") => "verifications",
        _ => "customer",
    }
}

fn answers(case: Value) -> impl Fn(&Request) -> ResponseTemplate {
    move |request| ResponseTemplate::new(200).set_body_json(&case[part(request)])
}

fn call() -> Value {
    json!({"action": "dossier", "customer_id": "cus_1"})
}

/// Takes out the times of reading, which differ in each run.
fn without_times(mut result: Value) -> Value {
    for source in result["dossier"]["sources"].as_array_mut().unwrap() {
        let said = source["read_at"].as_str().unwrap();
        let at: jiff::Timestamp = said.parse().unwrap();
        assert!(said.ends_with('Z') && at <= jiff::Timestamp::now(), "{said}");
        source["read_at"] = json!("[time]");
    }
    result
}

/// Both forms of a dossier.
fn shown(result: &Value) -> String {
    format!("{}\n\n{}", serde_json::to_string_pretty(result).unwrap(), markdown(&result["dossier"]))
}

#[tokio::test]
async fn each_constructed_customer() {
    let upstream = Upstream::saying(json!({})).await;
    let server = Local::with_token(&upstream.base_url(), Duration::from_secs(10));
    for case in constructed() {
        let name = case["name"].as_str().unwrap().replace(' ', "_");
        upstream.now_answering(answers(case)).await;
        let result = without_times(server.call("verify_identity", &call()).await.good());
        insta::assert_snapshot!(name, shown(&result));
    }
}

/// What masking hides in the records stays hidden in what is made of them.
#[tokio::test]
async fn a_masked_dossier_keeps_its_meaning_and_hides_what_is_hidden() {
    let upstream = Upstream::saying(json!({})).await;
    let agent = Setup::against(&upstream.base_url()).flag("--personal-data=masked").agent().await;
    for name in ["account numbers that are odd", "names that hold more than a name"] {
        upstream.now_answering(answers(the_one_with(name))).await;
        let result = without_times(agent.good("verify_identity", call()).await);
        let shown = shown(&result);
        let compact: String =
            shown.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        for hidden in ["30006000", "37040044", "86011117", "12345698", "612345678", "adabyronexample"] {
            assert!(!compact.contains(hidden), "{hidden} in {shown}");
        }
        insta::assert_snapshot!(format!("masked {name}").replace(' ', "_"), shown);
    }
}

#[tokio::test]
async fn the_simulator_s_customers_have_dossiers_that_say_they_are_made_up() {
    let agent = Setup::simulator().agent().await;
    let codes = |result: &Value, member: &str| -> Vec<String> {
        let findings = result["dossier"][member].as_array().unwrap();
        findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
    };
    for (customer, contradictions, gaps) in [
        ("ada", vec![], vec!["no_verification"]),
        ("charles", vec!["holder_differs"], vec!["no_verification"]),
        ("engines", vec![], vec!["no_verification"]),
        ("zoe", vec![], vec!["no_verification"]),
        ("noor", vec![], vec!["no_bank_account", "no_verification"]),
        ("oscar", vec!["verifications_disagree"], vec!["verification_pending", "verification_failed"]),
    ] {
        let id = format!("sim_cus_{customer}");
        let result = agent.good("verify_identity", json!({"action": "dossier", "customer_id": id})).await;
        assert_eq!(result["dossier"]["customer"]["id"], id);
        assert_eq!(codes(&result, "contradictions"), contradictions, "{id}");
        assert_eq!(codes(&result, "gaps"), gaps, "{id}");
        let page = markdown(&result["dossier"]);
        let said = page.lines().take(3).any(|line| line.contains("made up"));
        assert!(said, "{page}");
    }
}

#[tokio::test]
async fn a_read_that_fails_fails_the_whole() {
    let case = the_one_with("all in order");
    let upstream = Upstream::saying(json!({})).await;
    let server = Local::with_token(&upstream.base_url(), Duration::from_secs(10));
    let operations = [
        ("customer", "getCustomerById"),
        ("accounts", "listAllCustomerBankAccounts"),
        ("verifications", "listAllCustomerVerifications"),
    ];
    for (failing, operation) in operations {
        let good = answers(case.clone());
        upstream
            .now_answering(
                move |request: &Request| {
                    if part(request) == failing { ResponseTemplate::new(403) } else { good(request) }
                },
            )
            .await;
        let error = server.call("verify_identity", &call()).await.error();
        assert_eq!(error["kind"], "forbidden");
        let hint = error["hint"].as_str().unwrap();
        assert!(hint.contains(operation) && hint.contains("whole or not at all"), "{hint}");
    }
}

#[tokio::test]
async fn a_customer_who_is_not_there_is_not_found_whichever_answer_comes_first() {
    let upstream = Upstream::answering(|request: &Request| match part(request) {
        "customer" => ResponseTemplate::new(404).set_delay(Duration::from_millis(50)),
        _ => ResponseTemplate::new(403),
    })
    .await;
    let server = Local::with_token(&upstream.base_url(), Duration::from_secs(10));
    let error = server.call("verify_identity", &call()).await.error();
    assert_eq!(error["kind"], "not_found");
    let hint = error["hint"].as_str().unwrap();
    assert!(hint.contains("Take it from a result of manage_customers list"), "{hint}");
}

#[tokio::test]
async fn it_reads_three_times_and_writes_nothing() {
    let upstream = Upstream::answering(answers(the_one_with("all in order"))).await;
    let agent = Setup::against(&upstream.base_url()).flag("--read-only").agent().await;
    agent.good("verify_identity", call()).await;
    let mut asked: Vec<String> = upstream
        .requests()
        .await
        .iter()
        .map(|request| format!("{} {}", request.method, request.url.path()))
        .collect();
    asked.sort();
    assert_eq!(
        asked,
        [
            "GET /v1/customers/cus_1",
            "GET /v1/customers/cus_1/bank-accounts",
            "GET /v1/customers/cus_1/verifications",
        ]
    );
}
