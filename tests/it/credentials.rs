//! What the upstream is asked with: a token or an application, from variables or files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fintecture_mcp::simulator::{Operation, SimulatorConfig};
use futures_util::future::join_all;
use nix::sys::signal::Signal;
use secrecy::SecretString;
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use crate::support::operations::{named, read_and_write};
use crate::support::setup::{APP_ID, APP_SECRET, Setup};
use crate::support::simulator::{self, simulator};
use crate::support::upstream::Upstream;

const TOKEN_PATH: &str = "/oauth/accesstoken";

fn get_ada() -> Value {
    json!({"action": "get", "customer_id": "sim_cus_ada"})
}

fn start(number: usize) -> Value {
    json!({"action": "start", "customer_id": "sim_cus_ada", "expected_name": format!("Number {number}")})
}

fn token(text: &str) -> ResponseTemplate {
    ResponseTemplate::new(200)
        .set_body_json(json!({"access_token": text, "token_type": "Bearer", "expires_in": 3600}))
}

fn bearer(request: &Request) -> &str {
    request.headers["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap()
}

/// A simulator that lets nobody in but with this token, or one that it gave out.
async fn guarded(token: &str) -> fintecture_mcp::simulator::Simulator {
    let token = Some(SecretString::from(token));
    simulator::start(SimulatorConfig { token, ..SimulatorConfig::default() }).await
}

#[tokio::test]
async fn an_application_fetches_one_token_for_many_calls() {
    let simulator = guarded("another").await;
    let agent = Setup::application(&simulator.base_url()).agent().await;
    let calls = join_all((0..30).map(|number| agent.good("verify_identity", start(number)))).await;
    assert_eq!(calls.len(), 30);
    agent.good("manage_customers", get_ada()).await;
    assert_eq!(simulator.requests(Operation::AccessToken), 1);
    assert_eq!(simulator.effects().len(), 30);
}

#[tokio::test]
async fn the_token_is_asked_for_as_the_sdks_do_and_each_host_gets_its_own_secret() {
    let endpoint = Upstream::answering(token("issued-1")).await;
    let upstream = Upstream::saying(json!({"id": "sim_cus_ada"})).await;
    let setup = Setup::application(&upstream.base_url())
        .variable("FINTECTURE_TOKEN_URL", &format!("{}/elsewhere/token", endpoint.base_url()))
        .variable("FINTECTURE_SCOPE", "AIS PIS");
    let agent = setup.agent().await;
    assert_eq!(endpoint.count().await, 0, "on first use");
    agent.good("manage_customers", get_ada()).await;
    let requests = endpoint.requests().await;
    let [request] = requests.as_slice() else { panic!("one request for a token") };
    assert_eq!((request.method.as_str(), request.url.path()), ("POST", "/elsewhere/token"));
    assert_eq!(request.headers["content-type"], "application/x-www-form-urlencoded");
    let form: Vec<(String, String)> =
        url::form_urlencoded::parse(&request.body).map(|(name, value)| (name.into(), value.into())).collect();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let expected =
        [pair("grant_type", "client_credentials"), pair("app_id", APP_ID), pair("scope", "AIS PIS")];
    assert_eq!(form, expected);
    let basic = STANDARD.encode(format!("{APP_ID}:{APP_SECRET}"));
    assert_eq!(request.headers["authorization"], format!("Basic {basic}"));
    let asked = upstream.requests().await;
    assert_eq!(asked.len(), 1);
    assert_eq!(bearer(&asked[0]), "issued-1");
}

/// A 401 means that nothing was applied: another token, and once more. Then it is enough.
#[tokio::test]
async fn an_expired_token_is_renewed_once_even_for_a_write() {
    let simulator = simulator(&["expire-token#1"]).await;
    let agent = Setup::application(&simulator.base_url()).agent().await;
    agent.good("verify_identity", start(0)).await;
    assert_eq!(simulator.requests(Operation::AccessToken), 2);
    assert_eq!(simulator.requests(Operation::InitiateCustomerVerification), 2);
    assert_eq!(simulator.effects().len(), 1);

    let simulator = crate::support::simulator::simulator(&["expire-token"]).await;
    let agent = Setup::application(&simulator.base_url()).agent().await;
    let error = agent.error("verify_identity", start(0)).await;
    assert_eq!((&error["kind"], &error["outcome"]), (&json!("unauthorized"), &json!("not_applied")));
    assert_eq!(simulator.requests(Operation::InitiateCustomerVerification), 2);
}

#[tokio::test]
async fn a_token_endpoint_that_fails_is_named_and_nothing_is_sent() {
    let says = |status: u16, word: &str| ResponseTemplate::new(status).set_body_json(json!({"error": word}));
    for (answer, kind, words, times) in [
        (says(401, "invalid_client"), "unauthorized", "check FINTECTURE_APP_ID and FINTECTURE_APP_SECRET", 1),
        (says(400, "invalid_scope"), "unauthorized", "check FINTECTURE_SCOPE", 1),
        (says(403, "no"), "unauthorized", "check FINTECTURE_APP_ID and FINTECTURE_APP_SECRET", 1),
        (ResponseTemplate::new(404), "upstream_rejected", "check FINTECTURE_TOKEN_URL", 1),
        (says(422, "no"), "upstream_rejected", "check FINTECTURE_TOKEN_URL", 1),
        (
            ResponseTemplate::new(302).insert_header("location", "/x"),
            "upstream_unavailable",
            "check FINTECTURE_TOKEN_URL",
            3,
        ),
        (ResponseTemplate::new(429).insert_header("retry-after", "60"), "rate_limited", "asked too often", 1),
        (ResponseTemplate::new(503), "upstream_unavailable", "the token endpoint failed (status 503)", 3),
        (
            ResponseTemplate::new(200).set_body_string("<html>"),
            "upstream_unavailable",
            "check FINTECTURE_TOKEN_URL",
            3,
        ),
        (token("two\nlines"), "unauthorized", "characters that no header can carry", 1),
    ] {
        let endpoint = Upstream::answering(answer).await;
        let upstream = Upstream::saying(json!({"id": "cus_1"})).await;
        let url = format!("{}{TOKEN_PATH}", endpoint.base_url());
        let setup = Setup::application(&upstream.base_url()).variable("FINTECTURE_TOKEN_URL", &url);
        let agent = setup.agent().await;
        for (asked, operation) in (1..).zip(read_and_write()) {
            let error = agent.error(operation.tool, operation.arguments.clone()).await;
            assert_eq!(error["kind"], kind, "{error}");
            assert!(error["message"].as_str().unwrap().contains(words), "{error}");
            let outcome = operation.writes().then_some("not_applied");
            assert_eq!(error.get("outcome").and_then(Value::as_str), outcome);
            assert_eq!(endpoint.count().await, times * asked, "{words}");
        }
        assert_eq!(upstream.count().await, 0);
    }
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test]
async fn a_token_in_a_file_is_read_again_after_a_401() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    write(&file, "old-token\n");
    let simulator = guarded("new-token").await;
    let setup = Setup::without_credential(&simulator.base_url());
    let mut agent = setup.variable("FINTECTURE_CUSTOMER_TOKEN_FILE", file.to_str().unwrap()).agent().await;
    let error = agent.error("verify_identity", start(0)).await;
    assert_eq!((&error["kind"], &error["outcome"]), (&json!("unauthorized"), &json!("not_applied")));
    assert_eq!(simulator.requests(Operation::InitiateCustomerVerification), 1, "the file is as it was");
    fs::remove_file(&file).unwrap();
    assert_eq!(agent.error("verify_identity", start(0)).await["kind"], "unauthorized");
    agent.process.as_mut().unwrap().logged("the file of an upstream secret could not be read again").await;
    write(&file, "  new-token\r\n");
    agent.good("verify_identity", start(0)).await;
    assert_eq!(simulator.requests(Operation::InitiateCustomerVerification), 4, "once with each token");
    agent.good("verify_identity", start(1)).await;
    assert_eq!(simulator.requests(Operation::InitiateCustomerVerification), 5);
    assert_eq!(simulator.effects().len(), 2);
}

#[tokio::test]
async fn a_token_in_a_file_is_read_again_on_sighup() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    write(&file, "old-token");
    let upstream = Upstream::saying(json!({"id": "sim_cus_ada"})).await;
    let setup = Setup::without_credential(&upstream.base_url());
    let mut agent = setup.variable("FINTECTURE_CUSTOMER_TOKEN_FILE", file.to_str().unwrap()).agent().await;
    agent.good("manage_customers", get_ada()).await;
    write(&file, "new-token");
    agent.good("manage_customers", get_ada()).await;
    let process = agent.process.as_mut().unwrap();
    process.signal(Signal::SIGHUP);
    process.logged("a new upstream token is used from now on").await;
    agent.good("manage_customers", get_ada()).await;
    write(&file, "");
    let process = agent.process.as_mut().unwrap();
    process.signal(Signal::SIGHUP);
    process.logged("could not be read again").await;
    agent.good("manage_customers", get_ada()).await;
    let requests = upstream.requests().await;
    let shown: Vec<&str> = requests.iter().map(bearer).collect();
    assert_eq!(shown, ["old-token", "old-token", "new-token", "new-token"]);
    assert!(
        !agent.process.unwrap().stderr().contains("others than its owner"),
        "the file was the owner's alone"
    );
}

/// An endpoint that knows one secret, and gives out a token that says which.
fn knowing(secret: &'static str) -> impl Fn(&Request) -> ResponseTemplate {
    let basic = STANDARD.encode(format!("{APP_ID}:{secret}"));
    move |request: &Request| {
        if request.headers["authorization"] == format!("Basic {basic}") {
            return token(&format!("issued-for-{secret}"));
        }
        ResponseTemplate::new(401).set_body_json(json!({"error": "invalid_client"}))
    }
}

#[tokio::test]
async fn an_application_secret_in_a_file_is_read_again_when_it_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    write(&file, "old");
    let endpoint = Upstream::answering(knowing("new")).await;
    let upstream = Upstream::saying(json!({"id": "ver_1"})).await;
    let setup = Setup::without_credential(&upstream.base_url())
        .variable("FINTECTURE_TOKEN_URL", &format!("{}{TOKEN_PATH}", endpoint.base_url()))
        .variable("FINTECTURE_APP_ID", APP_ID)
        .variable("FINTECTURE_APP_SECRET_FILE", file.to_str().unwrap());
    let mut agent = setup.agent().await;
    assert_eq!(agent.error("verify_identity", start(0)).await["kind"], "unauthorized");
    assert_eq!(endpoint.count().await, 1, "the file is as it was");
    write(&file, "new");
    agent.good("verify_identity", start(0)).await;
    assert_eq!(endpoint.count().await, 3);
    endpoint.now_answering(knowing("newer")).await;
    write(&file, "newer");
    let process = agent.process.as_mut().unwrap();
    process.signal(Signal::SIGHUP);
    process.logged("a new upstream application secret is used from now on").await;
    agent.good("verify_identity", start(1)).await;
    assert_eq!(endpoint.count().await, 1);
    let requests = upstream.requests().await;
    let shown: Vec<&str> = requests.iter().map(bearer).collect();
    assert_eq!(shown, ["issued-for-new", "issued-for-newer"]);
}

#[tokio::test]
async fn a_file_that_others_may_read_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, "canary").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let upstream = Upstream::saying(json!({"id": "cus_1"})).await;
    let setup = Setup::without_credential(&upstream.base_url());
    let mut agent = setup.variable("FINTECTURE_CUSTOMER_TOKEN_FILE", file.to_str().unwrap()).agent().await;
    let line = agent.process.as_mut().unwrap().logged("others than its owner may read this secret").await;
    assert!(line.contains(file.to_str().unwrap()) && !line.contains("canary"), "{line}");
    let get = named("getCustomerById");
    agent.good(get.tool, get.arguments).await;
}
