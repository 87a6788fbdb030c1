//! The server on a network: TLS with a certificate that is read again, the names it answers to, what one client may
//! take of it.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::sys::signal::Signal;
use reqwest::{Certificate, Client, StatusCode};
use serde_json::{Value, json};

use crate::support::http_server::http;
use crate::support::process::{Process, run};
use crate::support::setup::Setup;

/// The token of a server that others find.
const TOKEN: &str = "a-token-of-a-test-0123456789";

/// Puts a new certificate for localhost into two files. Returns it, to be trusted.
fn renew(folder: &Path) -> Certificate {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    let key = folder.join("key.pem");
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
    Certificate::from_pem(made.cert.pem().as_bytes()).unwrap()
}

fn over_tls(folder: &Path) -> Setup {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    Setup::simulator()
        .flag("--transport=http")
        .flag("--listen=127.0.0.1:0")
        .flag("--environment=simulator")
        .flag(&format!("--tls-cert={}", path("cert.pem")))
        .flag(&format!("--tls-key={}", path("key.pem")))
}

/// Where it listens, once it does.
async fn address(process: &mut Process) -> SocketAddr {
    let line = process.logged("serving Streamable HTTP at ").await;
    let (_, rest) = line.split_once("https://").unwrap();
    rest.split_once("/mcp").unwrap().0.parse().unwrap()
}

fn trusting(root: &Certificate, address: SocketAddr) -> Client {
    let client = Client::builder().no_proxy().tls_certs_only([root.clone()]);
    client.resolve("localhost", address).build().unwrap()
}

fn initialize() -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}})
}

#[tokio::test]
async fn tls_is_spoken_and_its_files_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let root = renew(folder.path());
    let mut process = over_tls(folder.path()).start();
    let address = address(&mut process).await;
    let live = format!("https://localhost:{}/health/live", address.port());
    assert_eq!(trusting(&root, address).get(&live).send().await.unwrap().status(), StatusCode::OK);
    let session = trusting(&root, address)
        .post(format!("https://localhost:{}/mcp", address.port()))
        .header("accept", "application/json, text/event-stream")
        .header("origin", format!("https://localhost:{}", address.port()))
        .json(&initialize());
    assert_eq!(session.send().await.unwrap().status(), StatusCode::OK);

    fs::write(folder.path().join("cert.pem"), "half a").unwrap();
    process.signal(Signal::SIGHUP);
    process.logged("the TLS certificate stays as it was").await;
    assert_eq!(trusting(&root, address).get(&live).send().await.unwrap().status(), StatusCode::OK);
    let renewed = renew(folder.path());
    process.signal(Signal::SIGHUP);
    process.logged("read the TLS certificate again").await;
    assert_eq!(trusting(&renewed, address).get(&live).send().await.unwrap().status(), StatusCode::OK);
    assert!(trusting(&root, address).get(&live).send().await.is_err());
    process.signal(Signal::SIGTERM);
    let (status, stderr) = process.ended().await;
    assert_eq!(status.code(), Some(0), "{stderr}");
    assert!(!stderr.contains("may read the TLS key"), "{stderr}");
}

#[tokio::test]
async fn a_key_that_others_may_read_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    renew(folder.path());
    fs::set_permissions(folder.path().join("key.pem"), fs::Permissions::from_mode(0o644)).unwrap();
    over_tls(folder.path()).start().logged("others than its owner may read the TLS key").await;
}

#[tokio::test]
async fn every_bad_setting_of_the_network_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let flags = |more: &[&str]| {
        let mut all = vec!["serve", "--transport=http", "--environment=simulator"];
        all.extend(more);
        all.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let refused = async |words: Vec<String>| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let ended = run(&words, &[]).await;
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        ended.stderr
    };
    let wrong = ["--public-url=http://mcp.example.com", "--trusted-proxy=x", "--tls-key=key.pem"];
    let told = refused(flags(&wrong)).await;
    for flag in ["--public-url must be https", "--trusted-proxy must be", "--tls-key needs --tls-cert"] {
        assert!(told.contains(flag), "{told}");
    }
    let (cert, key) = (format!("--tls-cert={}", at("cert.pem")), format!("--tls-key={}", at("key.pem")));
    assert!(refused(flags(&[&cert, &key])).await.contains("cert.pem: No such file"));
    renew(folder.path());
    fs::write(folder.path().join("key.pem"), "canary").unwrap();
    let told = refused(flags(&[&cert, &key])).await;
    assert!(told.contains("key.pem: no PEM private key in it") && !told.contains("canary"), "{told}");
}

#[tokio::test]
async fn behind_a_proxy_the_public_name_is_answered_and_shown_to_people() {
    let server = Setup::simulator()
        .flag("--environment=simulator")
        .variable("FINTECTURE_APPROVAL_CODE", "correct horse battery")
        .variable("FINTECTURE_MCP_TOKEN", TOKEN)
        .flag("--public-url=https://mcp.example.com")
        .flag("--confirm-writes=always")
        .http()
        .await;
    let hello = |host: &str| {
        let request = http().post(server.url("/mcp")).header("host", host).bearer_auth(TOKEN);
        request.header("accept", "application/json, text/event-stream").json(&initialize())
    };
    assert_eq!(hello("mcp.example.com").send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(hello("other.example.com").send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let agent = server.agent_with(TOKEN).await;
    let write = json!({"action": "start", "customer_id": "sim_cus_ada"});
    let error = agent.error("verify_identity", write).await;
    let url = error["approval"]["url"].as_str().unwrap();
    assert!(url.starts_with("https://mcp.example.com/approvals/"), "{url}");
}

#[tokio::test]
async fn limits_of_sessions_are_set_by_name() {
    let server = Setup::simulator()
        .flag("--limit=sessions-per-principal=1")
        .flag("--limit=request-bytes=600")
        .http()
        .await;
    let send = async |body: &Value| {
        let request = http().post(server.url("/mcp")).header("accept", "application/json, text/event-stream");
        request.json(body).send().await.unwrap()
    };
    assert_eq!(send(&initialize()).await.status(), StatusCode::OK);
    let full = send(&initialize()).await;
    assert_eq!(full.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(full.headers().contains_key("retry-after"));
    let large = json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": "x".repeat(600)}});
    assert_eq!(send(&large).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
}
