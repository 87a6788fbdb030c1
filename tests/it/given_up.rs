//! A client gives its call up before the write left: nothing is sent, by any transport's way of giving up.

use std::time::Duration;

use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use crate::support::http_server::http;
use crate::support::in_time;
use crate::support::pipe::Pipe;
use crate::support::setup::Setup;
use crate::support::upstream::Upstream;
use crate::support::wire::stateless;

fn create() -> Value {
    json!({
        "name": "manage_customers",
        "arguments": {"action": "create", "first_name": "Ada", "last_name": "Byron", "email": "ada@example.com", "external_id": "crm-1"},
    })
}

/// An upstream whose look-ups take longer than any test.
async fn slow_to_look_up() -> Upstream {
    Upstream::answering(|request: &Request| {
        let answer = ResponseTemplate::new(200).set_body_json(json!({"data": []}));
        if request.method == "GET" { answer.set_delay(Duration::from_mins(5)) } else { answer }
    })
    .await
}

async fn gives_up(pipe: &mut Pipe, upstream: &Upstream, params: Value) {
    let id = pipe.send("tools/call", params).await;
    upstream.is_asked(1).await;
    let params = json!({"requestId": id, "reason": "no longer wanted"});
    pipe.write(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}).to_string())
        .await;
    let line = pipe.process.logged("tool call").await;
    assert!(line.contains("cancelled"), "{line}");
    assert_eq!(upstream.writes().await, 0);
}

#[tokio::test]
async fn a_write_that_is_cancelled_during_its_look_up_never_leaves() {
    let upstream = slow_to_look_up().await;
    let mut pipe = Setup::against(&upstream.base_url()).pipe();
    pipe.initialize("2025-11-25").await;
    gives_up(&mut pipe, &upstream, create()).await;

    let upstream = slow_to_look_up().await;
    let mut pipe = Setup::against(&upstream.base_url()).pipe();
    gives_up(&mut pipe, &upstream, stateless(create())).await;
}

/// The TypeScript client takes the stream of a call up again that ended without an answer, even where it gave the
/// call up itself.
#[tokio::test]
async fn a_question_that_was_taken_back_does_not_come_again() {
    const QUESTION: &str = "elicitation/create";
    let server = Setup::simulator().http().await;
    let send = |session: Option<&str>, message: Value| {
        let request = http().post(server.url("/mcp")).header("accept", "application/json, text/event-stream");
        let request = session.into_iter().fold(request, |request, id| request.header("mcp-session-id", id));
        async move { in_time(request.json(&message).send()).await.unwrap() }
    };
    let hello = json!({
        "protocolVersion": "2025-11-25", "capabilities": {"elicitation": {}},
        "clientInfo": {"name": "given up", "version": "1"},
    });
    let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello});
    let greeted = send(None, hello).await;
    let session = greeted.headers()["mcp-session-id"].to_str().unwrap();
    send(Some(session), json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;

    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": create()});
    let mut stream = send(Some(session), call).await;
    let mut seen = String::new();
    while !seen.contains(QUESTION) {
        let chunk = in_time(stream.chunk()).await.unwrap().expect("the stream ended before the question");
        seen.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    let first = seen.lines().find_map(|line| line.strip_prefix("id:")).unwrap().trim();
    let cancel = json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1, "reason": "enough"},
    });
    send(Some(session), cancel).await;
    while in_time(stream.chunk()).await.unwrap().is_some() {}

    let again = http().get(server.url("/mcp")).header("accept", "text/event-stream");
    let again = again.header("mcp-session-id", session).header("last-event-id", first);
    let again = in_time(async { again.send().await.unwrap().text().await.unwrap() }).await;
    assert!(!again.contains(QUESTION), "{again}");
}
