//! Standard output carries the protocol and nothing else; standard error carries nobody's data.

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::faults::{Fault, Faulty};
use crate::support::pipe::Pipe;
use crate::support::process::Process;
use crate::support::setup::{Setup, TOKEN};
use crate::support::upstream::Upstream;

/// What people and merchants would not want to find in a log.
const CANARIES: [&str; 9] = [
    TOKEN,
    "FR7630006000011234567890189",
    "FR76 3000",
    "canary.person@example.com",
    "Canaryfirst",
    "Canarylast",
    "+33612345678",
    "canary-crm-1",
    "Canary Holder",
];

fn create() -> Value {
    json!({
        "action": "create", "first_name": "Canaryfirst", "last_name": "Canarylast",
        "email": "canary.person@example.com", "phone": "+33612345678", "external_id": "canary-crm-1",
    })
}

fn attach() -> Value {
    json!({
        "action": "create", "customer_id": "cus_1", "iban": "FR76 3000 6000 0112 3456 7890 189",
        "holder_name": "Canary Holder",
    })
}

/// Good calls, bad calls, and lines that are no calls. Each read checks that the line is JSON-RPC.
async fn speak(pipe: &mut Pipe) {
    pipe.initialize("2025-11-25").await;
    for (tool, arguments) in [
        ("manage_customers", create()),
        ("manage_customers", json!({"action": "list", "external_id": "canary-crm-1"})),
        ("manage_bank_accounts", attach()),
        (
            "verify_identity",
            json!({"action": "start", "customer_id": "cus_1", "expected_name": "Canary Holder"}),
        ),
        (
            "manage_customers",
            json!({"action": "create", "first_name": "Canaryfirst\u{0}", "email": "canary.person@example.com\n"}),
        ),
        ("manage_bank_accounts", json!({"action": "create", "iban": "FR7630006000011234567890189x"})),
        ("manage_customers", json!({"Canaryfirst": "Canarylast"})),
    ] {
        pipe.call(tool, arguments).await;
    }
    for (line, code) in [
        ("{\"jsonrpc\": Canaryfirst", -32700),
        ("Canarylast", -32700),
        ("[]", -32600),
        ("{\"canary\": \"canary.person@example.com\"}", -32600),
        ("\u{0}\u{1b}[31m", -32700),
    ] {
        pipe.write(line).await;
        let answer = pipe.read().await.expect("the server lives on");
        assert_eq!(answer["error"]["code"], code, "{line:?}: {answer}");
    }
    pipe.write("").await;
    let unknown = pipe.request("canary/method", json!({"Canaryfirst": "Canarylast"})).await;
    assert_eq!(unknown["error"]["code"], -32601);
    let wrong = pipe.request("tools/call", json!({"name": "Canaryfirst", "arguments": {}})).await;
    assert_eq!(wrong["error"]["code"], -32602);
}

/// Ends the server and returns its log. Whatever it still writes to standard output is checked, too.
async fn log_of(mut pipe: Pipe) -> String {
    pipe.close();
    while pipe.read().await.is_some() {}
    let (status, log) = Process::ended(pipe.process).await;
    assert_eq!(status.code(), Some(0));
    assert_eq!(log.matches("tool call").count(), 7, "there is something to look at: {log}");
    for canary in CANARIES {
        assert!(!log.contains(canary), "{canary} in the log:\n{log}");
    }
    log
}

fn talkative(base_url: &str) -> Setup {
    Setup::against(base_url).variable("RUST_LOG", "trace")
}

fn refusing() -> ResponseTemplate {
    let detail =
        "canary.person@example.com and FR7630006000011234567890189 of Canaryfirst Canarylast are taken";
    ResponseTemplate::new(422).set_body_json(json!({"errors": [{"detail": detail}]}))
}

fn answering() -> ResponseTemplate {
    let body = json!({"id": "cus_1", "iban": "FR7630006000011234567890189", "holder_name": "Canary Holder",
        "email": "canary.person@example.com", "data": [], "token": TOKEN});
    ResponseTemplate::new(200).set_body_json(body)
}

#[tokio::test]
async fn in_text() {
    // One customer is looked for and written; a refused look-up ends the call; reads are tried three times.
    for (answer, requests) in [(answering(), 5), (refusing(), 4), (ResponseTemplate::new(500), 3 + 3 + 1 + 1)]
    {
        let upstream = Upstream::answering(answer).await;
        let mut pipe = talkative(&upstream.base_url()).pipe();
        speak(&mut pipe).await;
        log_of(pipe).await;
        assert_eq!(upstream.count().await, requests, "the good calls were sent");
    }
}

#[tokio::test]
async fn in_json() {
    for answer in [answering(), refusing()] {
        let upstream = Upstream::answering(answer).await;
        let mut pipe = talkative(&upstream.base_url()).flag("--log-format").flag("json").pipe();
        speak(&mut pipe).await;
        for line in log_of(pipe).await.lines() {
            let fields: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
            assert!(fields["level"].is_string() && fields["timestamp"].is_string(), "{line}");
        }
    }
}

/// Network errors carry addresses, and an address may carry an external id.
#[tokio::test]
async fn when_the_network_fails() {
    let upstream = Faulty::with(Fault::Reset).await;
    let mut pipe = talkative(&upstream.base_url()).pipe();
    speak(&mut pipe).await;
    log_of(pipe).await;
}

/// A level for every library must not make one of them quote messages.
#[tokio::test]
async fn whatever_the_filter_asks_for() {
    let upstream = Upstream::answering(answering()).await;
    let filter = "trace,rmcp=trace,hyper=trace,reqwest=trace,h2=trace";
    let mut pipe = Setup::against(&upstream.base_url()).variable("RUST_LOG", filter).pipe();
    speak(&mut pipe).await;
    log_of(pipe).await;
}
