//! A client gives its call up before the write left: nothing is sent, by any transport's way of giving up.

use std::time::Duration;

use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

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
