//! The way in over HTTP: who is let in, and what is too much.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::http_server::http;
use crate::support::setup::Setup;

const ROUTES: [(Method, &str); 10] = [
    (Method::POST, "/v1/tools/manage_customers"),
    (Method::GET, "/openapi.json"),
    (Method::POST, "/mcp"),
    (Method::GET, "/mcp"),
    (Method::DELETE, "/mcp"),
    (Method::GET, "/sse"),
    (Method::POST, "/messages?session_id=1"),
    (Method::GET, "/approvals/AAAAAAAAAAAAAAAAAAAAAA"),
    (Method::POST, "/approvals/AAAAAAAAAAAAAAAAAAAAAA"),
    (Method::POST, "/approvals/AAAAAAAAAAAAAAAAAAAAAA/code"),
];

/// DNS rebinding: a page that was lured to this machine names a foreign host or origin.
#[tokio::test]
async fn foreign_hosts_and_origins_are_kept_out_of_every_route() {
    let server = Setup::simulator().http().await;
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    for (method, path) in ROUTES {
        for (header, value) in [
            ("host", "evil.example"),
            ("host", "evil.example:8080"),
            ("host", "127.0.0.1.evil.example"),
            ("origin", "http://evil.example"),
            ("origin", "https://localhost.evil.example"),
            ("origin", "null"),
        ] {
            let request = http()
                .request(method.clone(), server.url(path))
                .header("accept", "application/json, text/event-stream")
                .header(header, value)
                .json(&ping);
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{method} {path} {header}: {value}");
        }
    }
}

#[tokio::test]
async fn health_is_told_to_anyone_on_the_machine() {
    let server = Setup::simulator().http().await;
    for path in ["/health/live", "/health/ready"] {
        let answer = http().get(server.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
    let elsewhere = http().get(server.url("/v1/customers")).send().await.unwrap();
    assert_eq!(elsewhere.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_body_over_one_mebibyte_is_too_large() {
    let server = Setup::simulator().http().await;
    let large =
        json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": "x".repeat(1024 * 1024)}});
    let (_events, messages) = crate::support::legacy_sse::open(&server.url("/sse")).await;
    for url in [server.url("/mcp"), messages.to_string()] {
        let request = http().post(&url).header("accept", "application/json, text/event-stream").json(&large);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::PAYLOAD_TOO_LARGE, "{url}");
    }
    let agent = server.agent().await;
    agent.good("manage_customers", json!({"action": "list"})).await;
}

#[tokio::test]
async fn a_line_over_one_mebibyte_is_refused_and_the_next_is_read() {
    let mut pipe = Setup::simulator().pipe();
    pipe.initialize("2025-11-25").await;
    pipe.write(&"x".repeat(3 * 1024 * 1024)).await;
    let refused = pipe.read().await.unwrap();
    assert_eq!(refused["error"]["code"], -32600, "{refused}");
    pipe.call("manage_customers", json!({"action": "list"})).await.good();
}
