//! An upstream over HTTP/2 that gives a request back without a look at it: it certainly did nothing, so even a write goes
//! out again, and nobody has to look up what became of it.

use serde_json::{Value, json};

use crate::support::agent::Agent;
use crate::support::http2::{GivesBack, Http2};
use crate::support::setup::Setup;

const TOOL: &str = "manage_customers";
/// What a call tries, the first time included.
const ATTEMPTS: usize = 3;

async fn world() -> (Http2, Agent) {
    let upstream = Http2::saying(r#"{"id": "cus_1", "first_name": "Ada", "last_name": "Byron"}"#).await;
    let setup = Setup::against(&upstream.base_url())
        .variable("FINTECTURE_CA_FILE", upstream.certificate().to_str().unwrap());
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
        assert_eq!((upstream.to_give_back(), upstream.answered()), (0, 1), "{way:?}");
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
            let told = (&error["kind"], &error["outcome"], &error["retryable"]);
            assert_eq!(
                told,
                (&json!("upstream_unavailable"), &json!("not_applied"), &json!(true)),
                "{way:?}"
            );
        }
        agent.good(TOOL, create(0)).await;
        assert_eq!((upstream.to_give_back(), upstream.answered()), (0, 1), "{way:?}");
    }
}
