//! The long way of a session's calls: an id is taken until its call has ended, wherever the client is by then; and what
//! the server refuses cancels nothing.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::faults::{Fault, Faulty, answer};
use crate::support::http_server::HttpServer;
use crate::support::in_time;
use crate::support::session::{Session, cancel};
use crate::support::setup::Setup;

/// How often an id is used again while it is taken: the server needs a moment to see that a client has left.
const TRIES: usize = 50;

fn good(id: &str) -> Fault {
    Fault::Bytes(answer("200 OK", json!({"id": id}).to_string().as_bytes()))
}

fn call(arguments: &Value, meta: &Value) -> Value {
    let params = json!({"name": "manage_customers", "arguments": arguments, "_meta": meta});
    json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params})
}

fn read(customer: &str) -> Value {
    call(&json!({"action": "get", "customer_id": customer}), &json!({"progressToken": 1}))
}

fn write(name: &str) -> Value {
    let email = format!("{name}@example.com");
    let arguments = json!({"action": "create", "first_name": name, "last_name": "X", "email": email});
    call(&arguments, &json!({}))
}

async fn hanging() -> (Faulty, HttpServer, Session) {
    let upstream = Faulty::with(Fault::Hang).await;
    let server = Setup::against(&upstream.base_url()).flag("--confirm-writes=never").http().await;
    let session = Session::open(server.url("/mcp")).await;
    (upstream, server, session)
}

/// The one message of an answer, in a stream or not.
async fn message(answer: Response) -> Value {
    let text = in_time(answer.text()).await.unwrap();
    let data = text.lines().filter_map(|line| line.strip_prefix("data:").or(Some(line)));
    data.filter_map(|data| serde_json::from_str::<Value>(data).ok()).find(Value::is_object).expect(&text)
}

/// Uses the id again until it is free, and returns the customer in the answer.
async fn customer_when_free(session: &Session, again: &Value) -> Value {
    let answer = in_time(async {
        loop {
            let answer = session.post(again).await;
            if answer.status() != 400 {
                return answer;
            }
        }
    });
    message(answer.await).await["result"]["structuredContent"]["customer"]["id"].clone()
}

async fn is_refused(session: &Session, again: &Value) {
    for _ in 0..TRIES {
        let refused = session.post(again).await;
        assert_eq!(refused.status(), 400);
        let refused = message(refused).await;
        assert_eq!(refused["error"]["message"], "the request's id belongs to a call in flight");
    }
}

#[tokio::test]
async fn the_id_of_a_call_that_its_client_left_is_taken_until_it_has_ended() {
    for [first, again] in [[read("cus_1"), read("cus_2")], [write("alice"), write("bob")]] {
        let (mut upstream, mut server, session) = hanging().await;
        let left = session.begin(&first);
        upstream.has_got(1).await;
        drop(in_time(left).await.unwrap());
        is_refused(&session, &again).await;
        assert_eq!(upstream.count(), 1, "nothing was sent for what was refused");
        upstream.now(good("cus_1"));
        server.process.logged("outcome=\"success\"").await;
        upstream.now(good("cus_2"));
        assert_eq!(customer_when_free(&session, &again).await, "cus_2");
        assert_eq!(upstream.count(), 2);
    }
}

/// A write that was sent goes on to its end, cancelled or not.
#[tokio::test]
async fn the_id_of_a_cancelled_call_is_taken_until_it_has_ended() {
    let (mut upstream, mut server, session) = hanging().await;
    let cancelled = session.begin(&write("alice"));
    upstream.has_got(1).await;
    assert_eq!(session.post(&cancel(7)).await.status(), 202);
    // Its stream ends without an answer.
    assert!(!in_time(in_time(cancelled).await.unwrap().text()).await.unwrap().contains("result"));
    is_refused(&session, &write("bob")).await;
    assert_eq!(upstream.count(), 1);
    upstream.now(good("cus_1"));
    server.process.logged("outcome=\"success\"").await;
    upstream.now(good("cus_2"));
    assert_eq!(customer_when_free(&session, &write("bob")).await, "cus_2");

    // A read gives up.
    let (mut upstream, _server, session) = hanging().await;
    let cancelled = session.begin(&read("cus_1"));
    upstream.has_got(1).await;
    assert_eq!(session.post(&cancel(7)).await.status(), 202);
    in_time(in_time(cancelled).await.unwrap().text()).await.unwrap();
    upstream.now(good("cus_2"));
    assert_eq!(customer_when_free(&session, &read("cus_2")).await, "cus_2");
}

#[tokio::test]
async fn what_is_refused_or_is_no_cancellation_cancels_nothing() {
    let short = call(&json!({"action": "get", "customer_id": "cus_1"}), &json!({}));
    for running in [short, read("cus_1")] {
        let (mut upstream, _server, session) = hanging().await;
        let answer = session.begin(&running);
        upstream.has_got(1).await;
        let post = || session.request(Method::POST);
        let changed = |name: &str, value: Value| {
            let mut message = cancel(7);
            message[name] = value;
            message
        };
        let params = json!({"requestId": 7, "reason": 5});
        for (request, status) in [
            (post().header("mcp-protocol-version", "1999-01-01").json(&cancel(7)), 400),
            (session.accepting("application/json", Method::POST).json(&cancel(7)), 406),
            (post().json(&changed("jsonrpc", json!("1.0"))), 400),
            (post().json(&changed("id", json!(99))), 200),
            (post().json(&changed("params", params)), 202),
        ] {
            assert_eq!(in_time(request.send()).await.unwrap().status(), status);
        }
        upstream.now(good("cus_1"));
        let answer = message(in_time(answer).await.unwrap()).await;
        assert_eq!(answer["result"]["structuredContent"]["customer"]["id"], "cus_1", "{answer}");
    }
}

/// The end of a session cancels its calls at once: a write whose look-up is not answered yet does not leave.
#[tokio::test]
async fn the_end_of_a_session_cancels_its_calls() {
    let fields = json!({"action": "create", "first_name": "A", "last_name": "X", "email": "a@example.com", "external_id": "crm-1"});
    for meta in [json!({}), json!({"progressToken": 1})] {
        let (mut upstream, mut server, session) = hanging().await;
        let write = session.begin(&call(&fields, &meta));
        upstream.has_got(1).await;
        assert_eq!(in_time(session.request(Method::DELETE).send()).await.unwrap().status(), 202);
        upstream.now(Fault::Bytes(answer("200 OK", br#"{"data":[]}"#)));
        let line = server.process.logged("tool call").await;
        assert!(line.contains("outcome=\"cancelled\""), "{line}");
        assert_eq!(upstream.count(), 1, "the look-up alone was sent");
        drop(write);
    }
}
