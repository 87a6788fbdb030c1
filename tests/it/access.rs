//! Who is let in: a token in the header on every route, and nothing else anywhere.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::sys::signal::Signal;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use url::Url;

use crate::support::http_server::{HttpServer, http};
use crate::support::in_time;
use crate::support::legacy_sse::Events;
use crate::support::process::run;
use crate::support::setup::Setup;
use crate::support::tokens::made;
use crate::support::upstream::Upstream;

/// The one token of a server under test. No log, no answer and no upstream may hold it.
const TOKEN: &str = "canary-inbound-token-0b5e1d77";

/// Every face that wants a token, and a path that nobody has thought of.
const CLOSED: [(Method, &str); 9] = [
    (Method::POST, "/v1/tools/manage_customers"),
    (Method::GET, "/openapi.json"),
    (Method::POST, "/mcp"),
    (Method::GET, "/mcp"),
    (Method::DELETE, "/mcp"),
    (Method::GET, "/sse"),
    (Method::POST, "/messages?session_id=1"),
    (Method::GET, "/metrics"),
    (Method::GET, "/v1/customers"),
];

fn simulator() -> Setup {
    Setup::simulator().variable("FINTECTURE_ENVIRONMENT", "simulator")
}

fn with_token() -> Setup {
    simulator().variable("FINTECTURE_MCP_TOKEN", TOKEN)
}

/// A folder with a file of tokens.
struct Tokens {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

impl Tokens {
    fn of(lines: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let tokens = Self { path: dir.path().join("tokens"), _dir: dir };
        tokens.write(lines);
        tokens
    }

    fn write(&self, lines: &[&str]) {
        std::fs::write(&self.path, lines.join("\n")).unwrap();
    }

    async fn server(&self) -> HttpServer {
        simulator().flag("--auth-tokens").flag(self.path.to_str().unwrap()).http().await
    }
}

async fn ask(server: &HttpServer, method: &Method, path: &str, headers: &[(&str, &str)]) -> Response {
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let mut request = http().request(method.clone(), server.url(path)).json(&ping);
    request = request.header("accept", "application/json, text/event-stream");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    in_time(request.send()).await.unwrap()
}

/// Whether this token is let in. What lies behind has something to say about the request, too.
async fn is_let_in(server: &HttpServer, token: &str) -> bool {
    let status =
        ask(server, &Method::GET, "/v1/customers", &[("authorization", &bearer(token))]).await.status();
    assert!([StatusCode::NOT_FOUND, StatusCode::UNAUTHORIZED].contains(&status), "{status}");
    status == StatusCode::NOT_FOUND
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn challenge(answer: &Response) -> String {
    answer.headers()["www-authenticate"].to_str().unwrap().to_owned()
}

/// What is sent, the headers that it is sent with, and what is answered.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], u16, &'a str);

#[tokio::test]
async fn nobody_is_let_in_anywhere_without_a_token_that_is_right_and_in_its_place() {
    let server = with_token().variable("RUST_LOG", "trace").http().await;
    let (good, wrong, basic) = (bearer(TOKEN), bearer("canary-wrong-token"), format!("Basic {TOKEN}"));
    for (method, path) in CLOSED {
        let with = if path.contains('?') { '&' } else { '?' };
        let in_address = format!("{path}{with}access_token={TOKEN}");
        let cases: [Case<'_>; 7] = [
            (path, &[], 401, r#"Bearer realm="fintecture-mcp""#),
            (path, &[("authorization", &wrong)], 401, r#"error="invalid_token""#),
            (path, &[("authorization", &basic)], 401, "Bearer"),
            (path, &[("authorization", "Bearer")], 401, "Bearer"),
            (path, &[("authorization", &good), ("authorization", &good)], 400, r#"error="invalid_request""#),
            (&in_address, &[], 400, r#"error="invalid_request""#),
            (&in_address, &[("authorization", &good)], 400, r#"error="invalid_request""#),
        ];
        for (path, headers, status, said) in cases {
            let answer = ask(&server, &method, path, headers).await;
            assert_eq!(answer.status().as_u16(), status, "{method} {path}");
            assert!(challenge(&answer).contains(said), "{method} {path}: {}", challenge(&answer));
            let body: Value = answer.json().await.unwrap();
            let body = body["error"].as_str().expect("says what to do").to_owned();
            assert!(!body.contains("canary"), "{body}");
        }
        // The right token in its place is let in, whatever the request is worth to what lies behind.
        let let_in = ask(&server, &method, path, &[("authorization", &good)]).await;
        assert!(let_in.headers().get("www-authenticate").is_none(), "{method} {path}: {let_in:?}");
    }
    // Whom the gate keeps out learns nothing from the door.
    let foreign = ask(&server, &Method::POST, "/mcp", &[("host", "evil.example")]).await;
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(ask(&server, &Method::GET, path, &[]).await.status(), StatusCode::OK, "{path}");
    }
    let no_metadata = ask(&server, &Method::GET, "/.well-known/oauth-protected-resource", &[]).await;
    assert_eq!(no_metadata.status(), StatusCode::NOT_FOUND, "there is no authorization server");
    server.process.signal(Signal::SIGTERM);
    let (_, log) = server.process.ended().await;
    assert!(log.contains("refused a wrong token"), "{log}");
    assert!(!log.contains("canary"), "{log}");
}

#[tokio::test]
async fn a_caller_with_a_token_works_and_the_upstream_never_sees_it() {
    let upstream = Upstream::saying(json!({"data": []})).await;
    let server = Setup::against(&upstream.base_url())
        .variable("FINTECTURE_MCP_TOKEN", TOKEN)
        .variable("RUST_LOG", "trace")
        .http()
        .await;
    let agent = server.agent_with(TOKEN).await;
    agent.good("manage_customers", json!({"action": "list"})).await;
    let requests = upstream.requests().await;
    assert!(!requests.is_empty());
    for request in requests {
        assert!(!format!("{request:?}").contains(TOKEN), "{request:?}");
    }
    assert!(!server.process.stderr().contains(TOKEN), "{}", server.process.stderr());
}

#[tokio::test]
async fn legacy_sse_wants_the_token_on_its_stream_and_on_every_message() {
    let server = with_token().http().await;
    let stream = http().get(server.url("/sse")).header("authorization", bearer(TOKEN)).send().await.unwrap();
    let mut events = Events::of(stream);
    let messages = in_time(events.next()).await.unwrap().data;
    let messages = Url::parse(&server.url("/sse")).unwrap().join(&messages).unwrap();
    let initialize = json!({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}},
    });
    let post = || http().post(messages.clone()).json(&initialize);
    assert_eq!(post().send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let posted = post().header("authorization", bearer(TOKEN)).send().await.unwrap();
    assert_eq!(posted.status(), StatusCode::ACCEPTED);
    assert!(in_time(events.next()).await.unwrap().data.contains("serverInfo"));
}

#[tokio::test]
async fn the_file_of_tokens_is_read_again_and_a_broken_one_is_not_taken() {
    let (first, first_line) = made("kyc-bot", "customers:read,customers:write").await;
    let (second, second_line) = made("reports", "customers:read").await;
    let tokens = Tokens::of(&["# who calls", &first_line]);
    let mut server = tokens.server().await;
    assert!(is_let_in(&server, &first).await && !is_let_in(&server, &second).await);
    server.agent_with(&first).await.good("manage_customers", json!({"action": "list"})).await;

    tokens.write(&[&first_line, &second_line]);
    server.process.signal(Signal::SIGHUP);
    server.process.logged("read again tokens=2").await;
    assert!(is_let_in(&server, &first).await && is_let_in(&server, &second).await);

    tokens.write(&[&second_line, &second]);
    server.process.signal(Signal::SIGHUP);
    let said = server.process.logged("those before stay: line 2").await;
    assert!(!said.contains(&second), "{said}");
    assert!(is_let_in(&server, &first).await && is_let_in(&server, &second).await);

    tokens.write(&[&second_line]);
    server.process.signal(Signal::SIGHUP);
    server.process.logged("read again tokens=1").await;
    assert!(!is_let_in(&server, &first).await && is_let_in(&server, &second).await);
}

/// From one address, as fast as they are answered, while a caller works from the same address.
#[tokio::test]
async fn ten_thousand_guesses_find_nothing_and_lock_nobody_out() {
    const GUESSES: usize = 10_000;
    const GUESSERS: usize = 600;
    let setup = with_token().flag("--limit").flag("connections-per-address=2000");
    let server = setup.flag("--limit").flag("calls-per-minute=1000000").http().await;
    let next = Arc::new(AtomicUsize::new(0));
    let client = http();
    let guessers: Vec<_> = (0..GUESSERS)
        .map(|_| {
            let (next, client, url) = (Arc::clone(&next), client.clone(), server.url("/mcp"));
            tokio::spawn(async move {
                let mut refused = 0;
                loop {
                    let guess = next.fetch_add(1, Ordering::Relaxed);
                    if guess >= GUESSES {
                        return refused;
                    }
                    let request = client.post(&url).bearer_auth(format!("{TOKEN}{guess}"));
                    // Some are told after a while, and those that are too many for that at once.
                    let answer = request.send().await.unwrap();
                    if answer.status() == StatusCode::TOO_MANY_REQUESTS {
                        assert!(answer.headers().contains_key("retry-after"));
                        assert_eq!(answer.headers()["connection"], "close");
                    } else {
                        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
                    }
                    refused += 1;
                }
            })
        })
        .collect();
    let mut calls = 0;
    let agent = server.agent_with(TOKEN).await;
    while guessers.iter().any(|guesser| !guesser.is_finished()) {
        agent.good("manage_customers", json!({"action": "list"})).await;
        calls += 1;
    }
    let mut refused = 0;
    for guesser in guessers {
        refused += guesser.await.unwrap();
    }
    assert_eq!(refused, GUESSES);
    assert!(calls > 0);
    let log = server.process.stderr();
    assert!(!log.contains(TOKEN));
    assert!(log.matches("refused a wrong token").count() < 100, "the log is not flooded");
}

#[tokio::test]
async fn an_authorization_server_is_named_to_those_without_a_token() {
    let server = simulator()
        .flag("--oauth-issuer")
        .flag("https://id.example")
        .flag("--oauth-audience")
        .flag("https://mcp.example/mcp")
        .http()
        .await;
    let address = server.url("/.well-known/oauth-protected-resource/mcp");
    let answer = ask(&server, &Method::POST, "/mcp", &[]).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let said = challenge(&answer);
    assert!(
        said.starts_with(&format!(r#"Bearer resource_metadata="{address}", scope="customers:read "#)),
        "{said}"
    );
    assert!(!said.contains("error="), "a client without a token has made no mistake: {said}");
    for path in ["", "/mcp", "/sse"] {
        let path = format!("/.well-known/oauth-protected-resource{path}");
        let document = ask(&server, &Method::GET, &path, &[]).await;
        let document: Value = document.json().await.unwrap();
        assert_eq!(document["resource"], "https://mcp.example/mcp");
        assert_eq!(document["authorization_servers"], json!(["https://id.example"]));
        assert_eq!(document["bearer_methods_supported"], json!(["header"]));
        assert_eq!(document["scopes_supported"].as_array().unwrap().len(), 8);
    }
}

#[tokio::test]
async fn beyond_loopback_the_server_starts_with_authentication_alone() {
    let serve = ["serve", "--transport", "http", "--environment", "simulator", "--listen", "0.0.0.0:0"];
    let refused = run(&serve, &[]).await;
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.contains("--listen beyond loopback needs callers to be authenticated"),
        "{}",
        refused.stderr
    );
    let setup = with_token().flag("--transport").flag("http").flag("--listen").flag("0.0.0.0:0");
    let mut process = setup.start();
    process.logged("cross the network in clear").await;
    process.logged("callers are authenticated by one token").await;
}

#[tokio::test]
async fn wrong_settings_are_told_before_anything_starts() {
    let tokens = Tokens::of(&["kyc-bot customers:everything sha256:x"]);
    let path = tokens.path.to_str().unwrap();
    let serve = ["serve", "--transport", "http", "--environment", "simulator", "--auth-tokens", path];
    let refused = run(&serve, &[]).await;
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains(": line 1: the scopes: there is no such scope"), "{}", refused.stderr);
    let refused = run(&["token", "new", "local", "--scopes", "customers:all"], &[]).await;
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""));
    insta::assert_snapshot!(refused.stderr, @r"
    fintecture-mcp: token new: NAME must have 1 to 64 letters, digits, dots, dashes or underscores, and not be `local`
    fintecture-mcp: --scopes: there is no such scope; those are customers:read customers:write bank-accounts:read bank-accounts:write verifications:read verifications:write personal-data:read approvals:write
    ");
}
