//! Callers with access tokens of an authorization server: a fake one, so that everything can be wrong with a token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64_URL;
use nix::sys::signal::Signal;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use url::Url;

use crate::support::bank::Bank;
use crate::support::browser::Browser;
use crate::support::http_server::{HttpServer, http};
use crate::support::in_time;
use crate::support::issuer::{FakeIssuer, KEYS, OTHER_RSA, RSA, Signer, TOKEN, now};
use crate::support::legacy_sse::Events;
use crate::support::setup::Setup;
use crate::support::wire::stateless_request;

const AUDIENCE: &str = "https://mcp.example.com/mcp";
/// What the issuer calls the person whom its tokens name. Nothing may show it.
const PERSON: &str = "ada@example.com";

/// This server, with tokens of this issuer.
fn taking(setup: Setup, issuer: &FakeIssuer) -> Setup {
    let flags = ["--oauth-issuer", &issuer.name(), "--oauth-audience", AUDIENCE];
    flags.iter().fold(setup, |setup, flag| setup.flag(flag))
}

async fn server(issuer: &FakeIssuer) -> HttpServer {
    taking(Setup::simulator(), issuer).http().await
}

fn request(method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

fn hello() -> Value {
    let client = json!({"name": "test", "version": "1"});
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client});
    request("initialize", &params)
}

fn post(server: &HttpServer, token: Option<&str>, body: &Value) -> RequestBuilder {
    let accept = "application/json, text/event-stream";
    let request = http().post(server.url("/mcp")).header("accept", accept).json(body);
    match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    }
}

async fn initialize(server: &HttpServer, token: Option<&str>) -> Response {
    post(server, token, &hello()).send().await.unwrap()
}

fn challenge(response: &Response) -> String {
    response.headers()["www-authenticate"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_stranger_finds_the_authorization_server_and_comes_back_with_its_token() {
    let issuer = FakeIssuer::start().await;
    let server = server(&issuer).await;
    let refused = initialize(&server, None).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let challenge = challenge(&refused);
    let (_, rest) = challenge.split_once("resource_metadata=\"").expect(&challenge);
    let (metadata, _) = rest.split_once('"').unwrap();
    // The address is the one that clients are given for this server, wherever that leads.
    let path = metadata.find("/.well-known/").map(|at| &metadata[at..]).unwrap();
    let found: Value = http().get(server.url(path)).send().await.unwrap().json().await.unwrap();
    assert_eq!(found["resource"], AUDIENCE);
    assert_eq!(found["authorization_servers"], json!([issuer.name()]), "letter by letter");

    let token = issuer.draft(AUDIENCE).token();
    assert_eq!(initialize(&server, Some(&token)).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_token_that_is_wrong_in_one_thing_is_refused_and_stands_nowhere() {
    let issuer = FakeIssuer::start().await;
    let server = server(&issuer).await;
    let good = || issuer.draft(AUDIENCE);
    let unpublished = Signer::p256("unpublished");
    let forged = Signer { id: "rsa".to_owned(), ..OTHER_RSA.clone() };
    // What everybody can read of the issuer's key, taken for a secret.
    let public = RSA.public();
    let modulus = BASE64_URL.decode(public["n"].as_str().unwrap()).unwrap();
    let drafts = [
        good().claim("aud", json!("https://other.example.com")),
        good().claim("iss", json!("https://other.example.com")),
        good().claim("exp", json!(now() - 60)),
        good().claim("nbf", json!(now() + 600)),
        good().header("alg", json!("none")),
        good().signed_by(&Signer::secret("rsa", &modulus)),
        good().signed_by(&Signer::secret("rsa", public.to_string().as_bytes())),
        good().signed_by(&unpublished),
        good().signed_by(&forged),
    ];
    for draft in &drafts {
        let refused = initialize(&server, Some(&draft.token())).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{} {}", draft.header, draft.claims);
        assert!(challenge(&refused).contains("error=\"invalid_token\""));
        let body = refused.text().await.unwrap();
        assert!(!body.contains(PERSON) && !body.contains("eyJ"), "{body}");
    }
    assert_eq!(initialize(&server, Some(&good().token())).await.status(), StatusCode::OK);
    let log = server.process.stderr();
    assert!(!log.contains(PERSON) && !log.contains("eyJ"), "{log}");
}

#[tokio::test]
async fn while_the_issuer_is_down_nobody_knows_whose_a_token_is() {
    let issuer = FakeIssuer::start().await;
    issuer.is_down(true);
    let server = server(&issuer).await;
    let token = issuer.draft(AUDIENCE).token();
    let busy = initialize(&server, Some(&token)).await;
    assert_eq!(busy.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(busy.headers().contains_key("retry-after"));
    assert_eq!(initialize(&server, None).await.status(), StatusCode::UNAUTHORIZED, "no token is none");
}

#[tokio::test]
async fn a_token_without_a_scope_of_this_server_is_told_which_there_are() {
    let issuer = FakeIssuer::start().await;
    let server = server(&issuer).await;
    for scope in [Value::Null, json!(""), json!("openid profile"), json!("customers:everything")] {
        let token = issuer.draft(AUDIENCE).claim("scope", scope.clone()).token();
        let refused = initialize(&server, Some(&token)).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{scope}");
        let challenge = challenge(&refused);
        for said in [r#"error="insufficient_scope""#, r#"scope="customers:read "#, "resource_metadata="] {
            assert!(challenge.contains(said), "{scope}: {challenge}");
        }
    }
    let token = issuer.draft(AUDIENCE).claim("scope", json!("openid customers:read")).token();
    assert_eq!(initialize(&server, Some(&token)).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_thousand_made_up_keys_cost_the_issuer_nothing_and_lock_nobody_out() {
    const GUESSERS: usize = 100;
    const EACH: usize = 10;
    let issuer = FakeIssuer::start().await;
    let setup = taking(Setup::simulator(), &issuer).flag("--limit").flag("connections-per-address=2000");
    let server = setup.http().await;
    let good = issuer.draft(AUDIENCE).token();
    let began = std::time::Instant::now();
    let guessers: Vec<_> = (0..GUESSERS)
        .map(|guesser| {
            let (issuer, url) = (issuer.clone(), server.url("/mcp"));
            tokio::spawn(async move {
                for guess in 0..EACH {
                    let forged = Signer { id: format!("{guesser}-{guess}"), ..OTHER_RSA.clone() };
                    let token = issuer.draft(AUDIENCE).signed_by(&forged).token();
                    let answer = http().post(&url).bearer_auth(token).json(&hello()).send().await.unwrap();
                    let status = answer.status();
                    // Those that are too many to be told after a while are turned away.
                    if status == StatusCode::TOO_MANY_REQUESTS {
                        assert!(answer.headers().contains_key("retry-after"));
                        assert_eq!(answer.headers()["connection"], "close");
                    } else {
                        assert_eq!(status, StatusCode::UNAUTHORIZED);
                    }
                }
            })
        })
        .collect();
    let mut calls = 0;
    while guessers.iter().any(|guesser| !guesser.is_finished()) {
        let nothing = in_time(http().get(server.url("/nothing")).bearer_auth(&good).send()).await.unwrap();
        assert_eq!(nothing.status(), StatusCode::NOT_FOUND, "let in, where nothing is");
        calls += 1;
    }
    for guesser in guessers {
        guesser.await.unwrap();
    }
    assert!(calls > 0);
    // One look is due in five seconds.
    let most = began.elapsed().as_secs() / 5 + 1;
    assert!(issuer.seen(KEYS).len() as u64 <= most, "{} of {most}", issuer.seen(KEYS).len());
}

#[tokio::test]
async fn what_one_token_holds_is_not_there_for_another_ones() {
    let issuer = FakeIssuer::start().await;
    let bank = Bank::undecided().await;
    let setup = taking(Setup::against(&bank.base_url()), &issuer).flag("--confirm-writes=never");
    let server = setup.http().await;
    let may = json!("customers:read verifications:write");
    let of = |sub: &str| issuer.draft(AUDIENCE).claim("sub", json!(sub)).claim("scope", may.clone()).token();
    let (ada, bob) = (of("ada"), of("bob"));

    let opened = initialize(&server, Some(&ada)).await;
    let session = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let unknown = "00000000-0000-4000-8000-000000000000";
    for method in [Method::POST, Method::GET, Method::DELETE] {
        let mut answers = Vec::new();
        for id in [&session, unknown] {
            let ask = http().request(method.clone(), server.url("/mcp")).bearer_auth(&bob);
            let ask =
                ask.header("accept", "application/json, text/event-stream").header("mcp-session-id", id);
            let answer = in_time(ask.json(&request("ping", &json!({}))).send()).await.unwrap();
            answers.push((answer.status(), in_time(answer.text()).await.unwrap()));
        }
        assert_eq!(answers[0], answers[1], "{method}");
        assert_eq!(answers[0].0, StatusCode::NOT_FOUND, "{method}");
    }
    // A new token of the same person is still theirs.
    let again = issuer.draft(AUDIENCE).claim("sub", json!("ada")).claim("jti", json!("2")).token();
    let ping = post(&server, Some(&again), &request("ping", &json!({}))).header("mcp-session-id", &session);
    assert_eq!(in_time(ping.send()).await.unwrap().status(), StatusCode::OK);

    let stream = in_time(http().get(server.url("/sse")).bearer_auth(&ada).send()).await.unwrap();
    let mut events = Events::of(stream);
    let messages = in_time(events.next()).await.unwrap().data;
    let messages = Url::parse(&server.url("/sse")).unwrap().join(&messages).unwrap();
    for (token, status) in [(&bob, StatusCode::NOT_FOUND), (&ada, StatusCode::ACCEPTED)] {
        let sent = http().post(messages.clone()).bearer_auth(token).json(&hello()).send();
        assert_eq!(in_time(sent).await.unwrap().status(), status);
    }

    let of_tasks = |method: &str, params: Value| {
        let mut params = params;
        params["_meta"] = json!({"io.modelcontextprotocol/clientCapabilities":
            {"extensions": {"io.modelcontextprotocol/tasks": {}}}});
        let method = method.to_owned();
        let server = &server;
        async move |token: &str| {
            let call = stateless_request(server, &method, params.clone()).bearer_auth(token);
            let answer = in_time(call.send()).await.unwrap();
            let text = in_time(answer.text()).await.unwrap();
            let json =
                text.lines().find_map(|line| line.strip_prefix("data: {")).map(|rest| format!("{{{rest}"));
            serde_json::from_str::<Value>(json.as_deref().unwrap_or(&text)).expect(&text)
        }
    };
    let start = json!({"action": "start", "customer_id": "cus_1", "wait_seconds": 300});
    let started = of_tasks("tools/call", json!({"name": "verify_identity", "arguments": start}))(&ada).await;
    let id = started["result"]["taskId"].as_str().unwrap_or_else(|| panic!("a task: {started}")).to_owned();
    for method in ["tasks/get", "tasks/cancel"] {
        let (foreign, unknown) = (
            of_tasks(method, json!({"taskId": id}))(&bob).await,
            of_tasks(method, json!({"taskId": "made-up"}))(&bob).await,
        );
        assert_eq!(foreign["error"]["code"], -32602, "{foreign}");
        assert_eq!(foreign["error"]["code"], unknown["error"]["code"], "{unknown}");
    }
    let own = of_tasks("tasks/get", json!({"taskId": id}))(&ada).await;
    assert_eq!(own["result"]["status"], "working", "{own}");
}

#[tokio::test]
async fn the_secret_of_this_server_at_the_issuer_is_read_again() {
    let issuer = FakeIssuer::start().await;
    let token = issuer.draft(AUDIENCE).claim("scope", json!("approvals:write")).token();
    issuer.answers(TOKEN, &json!({"access_token": token, "token_type": "Bearer", "expires_in": 60}));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("secret");
    std::fs::write(&file, "canary-one\n").unwrap();
    let mut server = taking(Setup::simulator(), &issuer)
        .flag("--confirm-writes=always")
        .flag("--oauth-client-id=pages")
        .variable("FINTECTURE_ENVIRONMENT", "simulator")
        .variable("FINTECTURE_OAUTH_CLIENT_SECRET_FILE", file.to_str().unwrap())
        .http()
        .await;

    let (one, two) = ("Basic cGFnZXM6Y2FuYXJ5LW9uZQ==", "Basic cGFnZXM6Y2FuYXJ5LXR3bw==");
    assert_eq!(signs_in(&server, &issuer).await.as_deref(), Some(one));
    for (text, said) in [("canary-two", "was read again"), ("", "stays as it was")] {
        std::fs::write(&file, text).unwrap();
        server.process.signal(Signal::SIGHUP);
        server.process.logged(&format!("the OAuth client secret {said}")).await;
        assert_eq!(signs_in(&server, &issuer).await.as_deref(), Some(two), "after {text:?}");
    }
    let log = server.process.stderr();
    assert!(!log.contains("canary") && !log.contains("eyJ"), "{log}");
}

/// Signs a person in. Returns what the server said of itself to the issuer.
async fn signs_in(server: &HttpServer, issuer: &FakeIssuer) -> Option<String> {
    let mut person = Browser::new();
    let at_issuer = person.open(&server.url("/approvals/sign-in")).await.address;
    assert!(at_issuer.as_str().starts_with(&issuer.url("/authorize?")), "{at_issuer}");
    let state = at_issuer.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let back = server.url(&format!("/approvals/callback?code=c&state={state}"));
    let hop = person.open(&back).await;
    assert!(hop.text.contains("Signing in"), "{}", hop.text);
    let list = person.open(&format!("{back}&here=1")).await;
    assert!(list.text.contains("Waiting for approval"), "{}", list.text);
    issuer.seen(TOKEN).pop().unwrap().authorization
}
