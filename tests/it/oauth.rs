//! Callers with access tokens of an authorization server: a fake one, so that everything can be wrong with a token.

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::support::http_server::{HttpServer, http};
use crate::support::issuer::{FakeIssuer, OTHER_RSA, Signer, now};
use crate::support::setup::Setup;

const AUDIENCE: &str = "https://mcp.example.com/mcp";
/// What the issuer calls the person whom its tokens name. Nothing may show it.
const PERSON: &str = "ada@example.com";

async fn server(issuer: &FakeIssuer) -> HttpServer {
    let flags =
        ["--environment", "simulator", "--oauth-issuer", &issuer.name(), "--oauth-audience", AUDIENCE];
    flags.iter().fold(Setup::simulator(), |setup, flag| setup.flag(flag)).http().await
}

async fn initialize(server: &HttpServer, token: Option<&str>) -> Response {
    let client = json!({"name": "test", "version": "1"});
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client});
    let mut request = http()
        .post(server.url("/mcp"))
        .header("accept", "application/json, text/event-stream")
        .json(&json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    request.send().await.unwrap()
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
    let drafts = [
        good().claim("aud", json!("https://other.example.com")),
        good().claim("iss", json!("https://other.example.com")),
        good().claim("exp", json!(now() - 60)),
        good().claim("nbf", json!(now() + 600)),
        good().header("alg", json!("none")),
        good().signed_by(&Signer::secret("rsa", b"public")),
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
