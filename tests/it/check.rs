//! `fintecture-mcp check`: what it says of each step, and how it ends, whichever part is broken.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fintecture_mcp::simulator::{PublicKey, SimulatorConfig};

use crate::support::faults::nobody;
use crate::support::local::{failing_simulator, local_simulator};
use crate::support::process::run;
use crate::support::setup::TOKEN;

/// Variables of a check, beside those that name the upstream.
type Variables<'a> = &'a [(&'a str, &'a str)];

const STATIC_TOKEN: Variables<'static> = &[("FINTECTURE_CUSTOMER_TOKEN", TOKEN)];
const APPLICATION: Variables<'static> =
    &[("FINTECTURE_APP_ID", "app"), ("FINTECTURE_APP_SECRET", "canary-app-secret")];

/// The exit status and everything that is printed, with ports redacted.
async fn check(arguments: &[&str], variables: Variables<'_>) -> String {
    let ended = run(&[&["check"], arguments].concat(), variables).await;
    assert!(!ended.stdout.contains("canary") && !ended.stderr.contains("canary"), "{ended:?}");
    let mut lines = Vec::new();
    for line in ended.stdout.lines() {
        let mut parts = line.split("127.0.0.1:");
        let mut shown = parts.next().unwrap().to_owned();
        for part in parts {
            shown.push_str("127.0.0.1:PORT");
            shown.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
        }
        lines.push(shown);
    }
    format!("{}\nexit {}", lines.join("\n"), ended.code.unwrap())
}

/// A check of the sandbox with another server in its place.
async fn against(base_url: &str, variables: Variables<'_>) -> String {
    let here = [("FINTECTURE_BASE_URL", base_url)];
    check(&["--environment", "sandbox"], &[variables, &here].concat()).await
}

/// A new key: the private part for the client, the public part for the simulator.
fn key() -> (String, PublicKey) {
    let pem = |label: &str, der: &[u8]| {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
    };
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let private: Pkcs8V1Der<'_> = key.as_der().unwrap();
    let public: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    let public = PublicKey::from_pem(pem("PUBLIC KEY", public.as_ref()).as_bytes()).unwrap();
    (pem("PRIVATE KEY", private.as_ref()), public)
}

#[tokio::test]
async fn the_embedded_simulator_works() {
    insta::assert_snapshot!(check(&[], &[]).await);
    let of_own = concat!(env!("CARGO_MANIFEST_DIR"), "/capabilities");
    let ended = check(&["--environment", "simulator", "--capabilities", of_own], &[]).await;
    assert!(ended.contains(&format!("ok    capability files  {of_own}\n")), "{ended}");
}

#[tokio::test]
async fn all_that_applies_works() {
    let simulator = local_simulator(SimulatorConfig::default()).await;
    insta::assert_snapshot!("with_a_token", against(&simulator.base_url(), STATIC_TOKEN).await);
    insta::assert_snapshot!("with_an_application", against(&simulator.base_url(), APPLICATION).await);
}

#[tokio::test]
async fn a_signature_is_accepted_or_refused() {
    let (private, public) = key();
    let config = SimulatorConfig { public_key: Some(public), ..SimulatorConfig::default() };
    let simulator = local_simulator(config).await;
    let signed = |key: String| {
        let base_url = simulator.base_url();
        async move {
            let key = [("FINTECTURE_PRIVATE_KEY", key.as_str())];
            against(&base_url, &[APPLICATION, &key].concat()).await
        }
    };
    insta::assert_snapshot!("the_right_key", signed(private).await);
    insta::assert_snapshot!("another_key", signed(key().0).await);
    insta::assert_snapshot!("a_key_set_to_nothing", signed(String::new()).await);
}

#[tokio::test]
async fn nobody_is_there() {
    let (_port, base_url) = nobody();
    insta::assert_snapshot!(against(&base_url, STATIC_TOKEN).await);
}

#[tokio::test]
async fn a_name_that_nobody_has() {
    // A proxy of the surroundings would look the name up by itself.
    let no_proxy = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].map(|name| (name, ""));
    let ended = against("https://nobody.invalid", &[STATIC_TOKEN, &no_proxy].concat()).await;
    let steps: Vec<&str> = ended.lines().map(|line| line.get(..16).unwrap_or(line).trim()).collect();
    assert_eq!(steps[2..4], ["FAIL  DNS", "skip  connection"], "{ended}");
    assert!(ended.ends_with("exit 1"), "{ended}");
}

/// Resolvers word their errors differently, so only a proxy's case is shown whole.
#[tokio::test]
async fn a_proxy_looks_names_up() {
    let (_port, proxy) = nobody();
    let proxy = [("HTTPS_PROXY", proxy.as_str()), ("NO_PROXY", "")];
    insta::assert_snapshot!(against("https://nobody.invalid", &[STATIC_TOKEN, &proxy].concat()).await);
}

#[tokio::test]
async fn what_listens_there_speaks_no_tls() {
    let simulator = local_simulator(SimulatorConfig::default()).await;
    let base_url = simulator.base_url().replace("http:", "https:");
    insta::assert_snapshot!(against(&base_url, STATIC_TOKEN).await);
}

#[tokio::test]
async fn the_token_is_another() {
    let config = SimulatorConfig { token: Some("another".into()), ..SimulatorConfig::default() };
    let simulator = local_simulator(config).await;
    insta::assert_snapshot!(against(&simulator.base_url(), STATIC_TOKEN).await);
}

#[tokio::test]
async fn the_application_is_refused() {
    let simulator = failing_simulator(&["status=401@token"], 0).await;
    insta::assert_snapshot!(against(&simulator.base_url(), APPLICATION).await);
}

#[tokio::test]
async fn the_read_fails() {
    let simulator = failing_simulator(&["status=503@reads"], 0).await;
    insta::assert_snapshot!(against(&simulator.base_url(), STATIC_TOKEN).await);
    let forbidden = failing_simulator(&["status=403@reads"], 0).await;
    insta::assert_snapshot!("the_read_is_forbidden", against(&forbidden.base_url(), APPLICATION).await);
}

#[tokio::test]
async fn every_problem_of_the_settings_is_told() {
    let wrong = [
        ("FINTECTURE_BASE_URL", "http://canary:canary@api.example"),
        ("FINTECTURE_CUSTOMER_TOKN", "canary-token"),
        ("FINTECTURE_TIMEOUT_SECONDS", "soon"),
    ];
    let arguments = ["--environment", "prod", "--capabilities", "no-such-folder", "--nonsense"];
    insta::assert_snapshot!(check(&arguments, &wrong).await);
    let not_a_key = [("FINTECTURE_APP_ID", "app"), ("FINTECTURE_PRIVATE_KEY", "canary")];
    let ended = check(&["--environment", "sandbox"], &[STATIC_TOKEN, &not_a_key].concat()).await;
    insta::assert_snapshot!("a_key_that_is_none", ended);
}
