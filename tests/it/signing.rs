//! Signed requests, as the simulator accepts them that knows the public key, and keys that cannot sign.

use std::fs;

use fintecture_mcp::simulator::{Operation, PublicKey, SimulatorConfig};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::keys::{KEYS, Keys, OTHER_KEYS, pem};
use crate::support::process::run;
use crate::support::setup::{APP_ID, Setup};
use crate::support::simulator;

/// A good call of each of the nine operations on the simulator's own customers.
fn calls() -> [(&'static str, Value); 9] {
    let oscar = "sim_cus_oscar";
    [
        (
            "manage_customers",
            json!({"action": "list", "page": 1, "page_size": 2, "external_id": "crm 1/é&x=%20"}),
        ),
        (
            "manage_customers",
            json!({"action": "create", "first_name": "Zoé", "last_name": "山田", "email": "z@example.com"}),
        ),
        ("manage_customers", json!({"action": "get", "customer_id": oscar})),
        ("manage_bank_accounts", json!({"action": "list", "customer_id": oscar})),
        (
            "manage_bank_accounts",
            json!({"action": "create", "customer_id": oscar, "iban": "NO9386011117947", "holder_name": "Øscar"}),
        ),
        (
            "manage_bank_accounts",
            json!({"action": "get", "customer_id": oscar, "account_id": "sim_acc_oscar"}),
        ),
        ("verify_identity", json!({"action": "start", "customer_id": oscar})),
        ("verify_identity", json!({"action": "list", "customer_id": oscar})),
        (
            "verify_identity",
            json!({"action": "get", "customer_id": oscar, "verification_id": "sim_ver_oscar_pending"}),
        ),
    ]
}

async fn knowing(keys: &Keys, faults: &[&str]) -> fintecture_mcp::simulator::Simulator {
    let faults = fintecture_mcp::simulator::Faults::parse(faults.iter().copied(), 1).unwrap();
    let public_key = Some(PublicKey::from_pem(keys.public.as_bytes()).unwrap());
    simulator::start(SimulatorConfig { public_key, faults, ..SimulatorConfig::default() }).await
}

/// A static token and the key that the application's id names.
fn signing(base_url: &str, key: &str) -> Setup {
    Setup::against(base_url).variable("FINTECTURE_APP_ID", APP_ID).variable("FINTECTURE_PRIVATE_KEY", key)
}

#[tokio::test]
async fn all_nine_operations_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("public.pem"), &KEYS.public).unwrap();
    fs::write(path("pkcs1.pem"), &KEYS.pkcs1).unwrap();
    let (_simulator, base_url) = simulator::alone(&["--public-key", &path("public.pem")]).await;
    for setup in [
        signing(&base_url, &KEYS.pkcs8),
        // What a variable looks like whose line breaks were kept as Windows writes them.
        signing(&base_url, &KEYS.pkcs1.replace('\n', "\r\n")),
        Setup::application(&base_url).variable("FINTECTURE_PRIVATE_KEY_FILE", &path("pkcs1.pem")),
    ] {
        let agent = setup.agent().await;
        for (tool, arguments) in calls() {
            let result = agent.good(tool, arguments).await;
            assert_eq!(result.get("repeated"), None);
        }
    }
}

/// Without this the test above would prove nothing.
#[tokio::test]
async fn no_signature_and_a_strangers_are_refused() {
    let simulator = knowing(&KEYS, &[]).await;
    for setup in [Setup::against(&simulator.base_url()), signing(&simulator.base_url(), &OTHER_KEYS.pkcs8)] {
        let agent = setup.agent().await;
        for (tool, arguments) in calls() {
            assert_eq!(agent.error(tool, arguments).await["kind"], "unauthorized");
        }
    }
    assert!(simulator.effects().is_empty());
}

/// An attempt that is made again has another id, and with it another signature.
#[tokio::test]
async fn each_attempt_is_signed_afresh() {
    let simulator = knowing(&KEYS, &["status=503#2@reads", "expire-token#1@writes"]).await;
    let setup = Setup::application(&simulator.base_url()).variable("FINTECTURE_PRIVATE_KEY", &KEYS.pkcs8);
    let agent = setup.agent().await;
    let [_, create, get, ..] = calls();
    agent.good(get.0, get.1).await;
    agent.good(create.0, create.1).await;
    assert_eq!(simulator.requests(Operation::GetCustomerById), 3);
    assert_eq!(simulator.requests(Operation::CreateCustomer), 2);
}

#[tokio::test]
async fn a_key_in_a_file_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.pem");
    fs::write(&file, &KEYS.pkcs8).unwrap();
    let simulator = knowing(&KEYS, &[]).await;
    let setup = Setup::against(&simulator.base_url()).variable("FINTECTURE_APP_ID", APP_ID);
    let mut agent = setup.variable("FINTECTURE_PRIVATE_KEY_FILE", file.to_str().unwrap()).agent().await;
    let [_, create, get, ..] = calls();
    fs::write(&file, &OTHER_KEYS.pkcs8).unwrap();
    agent.good(get.0, get.1.clone()).await;
    let process = agent.process.as_mut().unwrap();
    process.signal(Signal::SIGHUP);
    process.logged("a new private key is used from now on").await;
    assert_eq!(agent.error(get.0, get.1.clone()).await["kind"], "unauthorized");
    assert_eq!(simulator.requests(Operation::GetCustomerById), 2, "the file has no other key");

    // What is no key leaves the one before in use.
    fs::write(&file, "half a k").unwrap();
    let process = agent.process.as_mut().unwrap();
    process.signal(Signal::SIGHUP);
    let line = process.logged("could not be read again").await;
    assert!(!line.contains("half a k"), "{line}");
    assert_eq!(agent.error(get.0, get.1).await["kind"], "unauthorized");

    fs::write(&file, &KEYS.pkcs1).unwrap();
    agent.good(create.0, create.1).await;
    assert_eq!(simulator.requests(Operation::CreateCustomer), 2, "after a 401, once with each key");
    assert_eq!(simulator.effects().len(), 1);
}

#[tokio::test]
async fn what_is_no_key_is_refused_at_the_start_and_not_shown() {
    let encrypted = pem("ENCRYPTED PRIVATE KEY", b"canary");
    let old_encrypted = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nY2FuYXJ5\n-----END RSA PRIVATE KEY-----";
    let half = &KEYS.pkcs8[..600];
    for (key, id, says) in [
        (encrypted.as_str(), APP_ID, "is encrypted: remove the passphrase"),
        (old_encrypted, APP_ID, "is encrypted: remove the passphrase"),
        ("canary", APP_ID, "is not the PEM of a private key (PKCS#8 or PKCS#1)"),
        (&KEYS.public, APP_ID, "is not the PEM of a private key (PKCS#8 or PKCS#1)"),
        (half, APP_ID, "is not the PEM of a private key (PKCS#8 or PKCS#1)"),
        (&pem("PRIVATE KEY", b"canary"), APP_ID, "is not an RSA key of at least 2048 bits"),
        (&pem("RSA PRIVATE KEY", b"canary"), APP_ID, "is not an RSA key of at least 2048 bits"),
        (&KEYS.pkcs8, "an\"id", "characters that no signature header can carry"),
    ] {
        let variables = [
            ("FINTECTURE_ENVIRONMENT", "sandbox"),
            ("FINTECTURE_CUSTOMER_TOKEN", "t"),
            ("FINTECTURE_APP_ID", id),
            ("FINTECTURE_PRIVATE_KEY", key),
        ];
        let ended = run(&["serve"], &variables).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
        let lines: Vec<&str> = ended.stderr.lines().collect();
        let [line] = lines.as_slice() else { panic!("one line: {lines:?}") };
        assert!(
            line.starts_with("fintecture-mcp: FINTECTURE_PRIVATE_KEY: ") && line.contains(says),
            "{line}"
        );
        assert!(!line.contains("canary") && !line.contains(&KEYS.pkcs8[100..130]), "{line}");
    }
}
