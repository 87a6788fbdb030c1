//! An upstream that breaks: the right kind for a read and for a write, one request, and a server that lives on.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::faults::{Fault, Faulty, answer, nobody};
use crate::support::in_time;
use crate::support::operations::read_and_write;
use crate::support::setup::Setup;

/// Plays a fault to a read and to a write. Both may have arrived, so the write's outcome is unknown.
async fn seen(fault: Fault) -> [Value; 2] {
    let upstream = Faulty::with(fault.clone()).await;
    let setup = Setup::against(&upstream.base_url());
    let setup = if fault.takes_for_ever() { setup.impatient() } else { setup };
    let mut agent = setup.agent().await;
    let [read, write] = read_and_write();

    let of_read = agent.error(read.tool, read.arguments.clone()).await;
    assert_eq!(of_read["kind"], "upstream_unavailable", "{of_read}");
    assert_eq!(of_read["retryable"], true);
    assert_eq!(of_read.get("outcome"), None);

    let of_write = agent.error(write.tool, write.arguments).await;
    assert_eq!(of_write["kind"], "outcome_unknown", "{of_write}");
    assert_eq!(of_write["retryable"], false);
    assert_eq!(of_write["outcome"], "unknown");
    assert_eq!(upstream.count(), 3 + 1, "the read was tried three times, the write once");

    upstream.now(Fault::Bytes(answer("200 OK", br#"{"id":"cus_1"}"#)));
    let good = agent.good(read.tool, read.arguments).await;
    assert_eq!(good["customer"]["id"], "cus_1", "the server lives on");
    assert!(agent.process.as_mut().unwrap().is_alive());
    [of_read, of_write]
}

/// The same, and what both say.
async fn says(fault: Fault, words: &str, status: Option<u16>) {
    for error in seen(fault).await {
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
        assert_eq!(error.get("upstream_status").and_then(Value::as_u64), status.map(u64::from), "{error}");
    }
}

#[tokio::test]
async fn nobody_listens() {
    let (_port, base_url) = nobody();
    let agent = Setup::against(&base_url).agent().await;
    let [read, write] = read_and_write();
    let of_read = agent.call(read.tool, read.arguments).await.redacted();
    let of_write = agent.call(write.tool, write.arguments).await.redacted();
    assert_eq!(of_read["error"]["kind"], "upstream_unavailable");
    // It never left, so it is certain that nothing was applied, and trying again does no harm.
    assert_eq!(of_write["error"]["kind"], "upstream_unavailable");
    assert_eq!(of_write["error"]["outcome"], "not_applied");
    assert_eq!(of_write["error"]["retryable"], true);
    insta::assert_json_snapshot!(json!({"read": of_read["error"], "write": of_write["error"]}));
}

#[tokio::test]
async fn it_never_answers() {
    says(Fault::Hang, "did not answer in time", None).await;
}

#[tokio::test]
async fn the_connection_is_reset_before_the_answer() {
    says(Fault::Reset, "the connection to the upstream broke", None).await;
}

#[tokio::test]
async fn the_connection_is_closed_before_the_answer() {
    says(Fault::Close, "the connection to the upstream broke", None).await;
}

#[tokio::test]
async fn the_connection_is_reset_within_the_answer() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"id\":".to_vec();
    says(Fault::BytesThenReset(half), "the upstream's answer broke off", Some(200)).await;
}

#[tokio::test]
async fn half_a_body_comes() {
    let half = b"HTTP/1.1 201 Created\r\ncontent-length: 1000\r\n\r\n{\"id\":\"cus_1\"}".to_vec();
    says(Fault::Bytes(half), "the upstream's answer broke off", Some(201)).await;
}

#[tokio::test]
async fn half_a_head_comes() {
    says(Fault::Bytes(b"HTTP/1.1 200 OK\r\ncontent-le".to_vec()), "broke", None).await;
}

#[tokio::test]
async fn the_body_stops_coming() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{".to_vec();
    says(Fault::BytesThenHang(half), "did not finish its answer in time", Some(200)).await;
}

#[tokio::test]
async fn the_body_trickles() {
    says(Fault::Trickle, "did not finish its answer in time", Some(200)).await;
}

#[tokio::test]
async fn the_body_has_no_end() {
    says(Fault::Endless, "larger than 2 MiB", Some(200)).await;
}

#[tokio::test]
async fn ten_megabytes_come() {
    let body = json!({"id": "cus_1", "note": "n".repeat(10 * 1024 * 1024)}).to_string();
    says(Fault::Bytes(answer("200 OK", body.as_bytes())), "larger than 2 MiB", Some(200)).await;
}

#[tokio::test]
async fn it_is_no_http() {
    says(Fault::Bytes(b"SSH-2.0-OpenSSH_9.9\r\n\r\n".to_vec()), "broke", None).await;
}

#[tokio::test]
async fn a_success_that_is_not_what_the_operation_returns() {
    let bodies: [&[u8]; 12] = [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"true",
        b"42",
        b"\"cus_1\"",
        b"<html><body>Welcome</body></html>",
        b"{\"id\":\"cus_1\"",
        b"{\"id\":\"\"}",
        b"{\"data\":{\"attributes\":{}}}",
        b"\xff\xfe\x00garbage",
    ];
    let upstream = Faulty::with(Fault::Hang).await;
    let agent = Setup::against(&upstream.base_url()).agent().await;
    for (number, body) in bodies.into_iter().enumerate() {
        // A good answer in between: after twenty failures in a row nothing would be sent at all.
        upstream.now(Fault::Bytes(answer("200 OK", br#"{"id":"cus_1"}"#)));
        let [read, write] = read_and_write();
        agent.good(read.tool, read.arguments.clone()).await;
        let before = upstream.count();
        upstream.now(Fault::Bytes(answer("200 OK", body)));
        let of_read = agent.error(read.tool, read.arguments).await;
        assert_eq!(of_read["kind"], "upstream_unavailable", "{body:?}");
        let of_write = agent.error(write.tool, write.another(number)).await;
        assert_eq!(of_write["kind"], "outcome_unknown", "{body:?}");
        assert_eq!(upstream.count() - before, 3 + 1, "{body:?}");
        assert_eq!(of_write["upstream_status"], 200);
        assert!(of_write["message"].as_str().unwrap().contains("not what this operation returns"));
    }
}

#[tokio::test]
async fn a_list_that_is_none() {
    let upstream = Faulty::with(Fault::Hang).await;
    let agent = Setup::against(&upstream.base_url()).agent().await;
    for body in [
        "{}",
        "[]",
        "{\"data\":null}",
        "{\"data\":{}}",
        "{\"data\":[1]}",
        "{\"data\":[{}]}",
        "{\"data\":[],\"meta\":7}",
    ] {
        upstream.now(Fault::Bytes(answer("200 OK", br#"{"data":[]}"#)));
        agent.good("manage_customers", json!({"action": "list"})).await;
        upstream.now(Fault::Bytes(answer("200 OK", body.as_bytes())));
        let error = agent.error("manage_customers", json!({"action": "list"})).await;
        assert_eq!(error["kind"], "upstream_unavailable", "{body}");
    }
}

#[tokio::test]
async fn no_content_is_no_record() {
    let nothing = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n".to_vec();
    says(Fault::Bytes(nothing), "not what this operation returns", Some(204)).await;
}

#[tokio::test]
async fn a_page_for_people_comes_with_an_error() {
    let page = b"<html><h1>502 Bad Gateway</h1></html>";
    let [read, _] = seen(Fault::Bytes(answer("502 Bad Gateway", page))).await;
    assert_eq!(read["message"], "the upstream answered with status 502");
}

/// A refusal stays one, however its body ends: the status alone decides whether a write was applied.
#[tokio::test]
async fn a_refusal_whose_body_breaks_off_is_still_a_refusal() {
    let half = b"HTTP/1.1 422 Unprocessable\r\ncontent-length: 1000\r\n\r\n{\"errors\":[{".to_vec();
    let upstream = Faulty::with(Fault::Bytes(half)).await;
    let agent = Setup::against(&upstream.base_url()).agent().await;
    let [_, write] = read_and_write();
    let error = agent.error(write.tool, write.arguments).await;
    assert_eq!(error["kind"], "upstream_rejected");
    assert_eq!(error["outcome"], "not_applied");
}

/// After twenty failures in a row a call fails at once, and one call each quarter of a second finds out whether the
/// upstream is back. Without a restart it then is.
#[tokio::test]
async fn an_upstream_that_keeps_failing_is_left_alone_and_found_again() {
    let upstream = Faulty::with(Fault::Bytes(answer("500 Oops", b"{}"))).await;
    let agent = Setup::against(&upstream.base_url()).agent().await;
    let [read, write] = read_and_write();
    for number in 0..20 {
        let error = agent.error(write.tool, write.another(number)).await;
        assert_eq!(error["kind"], "outcome_unknown");
    }
    assert_eq!(upstream.count(), 20);
    // Of calls at the same moment one is let through to find out, or two where a busy machine takes longer over them
    // than the time between two probes. Whatever was not refused was sent, and nothing that was refused.
    let calls = (20..26).map(|number| agent.error(write.tool, write.another(number)));
    let errors = futures_util::future::join_all(calls).await;
    let refused: Vec<_> = errors.iter().filter(|error| error["kind"] == "upstream_unavailable").collect();
    assert!(refused.len() >= 4, "{errors:?}");
    assert_eq!(upstream.count(), 20 + errors.len() - refused.len(), "{errors:?}");
    for error in refused {
        assert_eq!(error["outcome"], "not_applied");
        assert_eq!(error["retryable"], true);
        assert_eq!(error["retry_after_seconds"], 1);
        assert_eq!(error.get("request_id"), None, "nothing was sent");
        assert!(error["message"].as_str().unwrap().contains("failed too often in a row"), "{error}");
    }
    let asked = upstream.count();
    upstream.now(Fault::Bytes(answer("200 OK", br#"{"id":"cus_1"}"#)));
    let back = in_time(async {
        loop {
            let answer = agent.call(read.tool, read.arguments.clone()).await;
            if !answer.is_error {
                return answer.body;
            }
            assert_eq!(answer.kind(), "upstream_unavailable");
            // The pause only spares the machine: the call is made until a probe has gone through.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    assert_eq!(back["customer"]["id"], "cus_1");
    assert_eq!(upstream.count(), asked + 1, "the first that was let through came back");
    agent.good(write.tool, write.another(99)).await;
}
