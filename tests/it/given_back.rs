//! An upstream over HTTP/2 that gives a request back without a look at it: it certainly did nothing, so even a write goes
//! out again, and nobody has to look up what became of it.

use serde_json::{Value, json};

use crate::support::agent::Agent;
use crate::support::http2::{GivesBack, Http2};
use crate::support::setup::Setup;

const TOOL: &str = "manage_customers";
/// What a call tries, the first time included.
const ATTEMPTS: usize = 3;

async fn upstream() -> (Http2, Setup) {
    let upstream = Http2::saying(r#"{"id": "cus_1", "first_name": "Ada", "last_name": "Byron"}"#).await;
    let certificate = upstream.certificate();
    let setup = Setup::against(&upstream.base_url());
    (upstream, setup.variable("FINTECTURE_CA_FILE", certificate.to_str().unwrap()))
}

async fn world() -> (Http2, Agent) {
    let (upstream, setup) = upstream().await;
    let agent = setup.agent().await;
    (upstream, agent)
}

fn create(number: usize) -> Value {
    json!({"action": "create", "first_name": "Ada", "last_name": format!("Byron {number}"), "email": "ada@example.com"})
}

#[tokio::test]
async fn a_write_that_was_given_back_goes_out_again() {
    for way in [GivesBack::Going, GivesBack::Refused] {
        let (upstream, agent) = world().await;
        upstream.give_back([way; ATTEMPTS - 1]);
        let result = agent.good(TOOL, create(1)).await;
        assert_eq!(result["customer"]["id"], "cus_1", "{way:?}");
        assert_eq!((upstream.arrived(), upstream.answered()), (ATTEMPTS, 1), "{way:?}");
    }
}

/// Nothing was done, and nothing blocks the same write later; the upstream is there, so that other calls go on.
#[tokio::test]
async fn a_write_that_is_given_back_again_and_again_was_not_applied() {
    const CALLS: usize = 10;
    for way in [GivesBack::Going, GivesBack::Refused] {
        let (upstream, agent) = world().await;
        for number in 0..CALLS {
            upstream.give_back([way; ATTEMPTS]);
            let error = agent.error(TOOL, create(number)).await;
            assert!(error["request_id"].is_string(), "{way:?}: {error}");
            let told = (&error["kind"], &error["outcome"], &error["retryable"]);
            assert_eq!(
                told,
                (&json!("upstream_unavailable"), &json!("not_applied"), &json!(true)),
                "{way:?}"
            );
        }
        agent.good(TOOL, create(0)).await;
        assert_eq!((upstream.arrived(), upstream.answered()), (CALLS * ATTEMPTS + 1, 1), "{way:?}");
    }
}

/// It had left when it was cancelled; it does not leave a second time.
#[tokio::test]
async fn a_cancelled_write_that_is_given_back_stays() {
    for way in [GivesBack::Going, GivesBack::Refused] {
        let (upstream, setup) = upstream().await;
        upstream.give_back([way]);
        upstream.hold(true);
        let mut pipe = setup.pipe();
        pipe.initialize("2025-11-25").await;
        let id = pipe.send("tools/call", json!({"name": TOOL, "arguments": create(1)})).await;
        upstream.has_got(1).await;
        let cancel =
            json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}});
        pipe.write(&cancel.to_string()).await;
        // What comes after it is answered: so it has been read.
        let ping = pipe.send("ping", json!({})).await;
        assert_eq!(pipe.read().await.unwrap()["id"], ping);
        upstream.hold(false);
        let line = pipe.process.logged("tool call").await;
        assert!(line.contains("outcome=\"cancelled\""), "{way:?}: {line}");
        assert_eq!((upstream.arrived(), upstream.answered()), (1, 0), "{way:?}");
    }
}
