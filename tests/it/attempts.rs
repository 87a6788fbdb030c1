//! How often a request goes out: reads three times where that may help, writes once.

use std::collections::HashSet;

use serde_json::json;
use wiremock::{Request, ResponseTemplate};

use crate::support::agent::Agent;
use crate::support::faults::{Fault, Faulty};
use crate::support::operations::{self, named};
use crate::support::setup::Setup;
use crate::support::upstream::Upstream;

/// A good answer in between: after twenty failures in a row nothing would be sent at all.
async fn closes_the_breaker(agent: &Agent, upstream: &Upstream) {
    upstream.now_answering(ResponseTemplate::new(200).set_body_json(json!({"id": "cus_1"}))).await;
    agent.good("manage_customers", json!({"action": "get", "customer_id": "cus_1"})).await;
}

#[tokio::test]
async fn a_read_is_sent_three_times_where_that_may_help() {
    let upstream = Upstream::answering(ResponseTemplate::new(500)).await;
    let agent = Setup::against(&upstream.base_url()).agent().await;
    let get = json!({"action": "get", "customer_id": "cus_1"});
    for (status, times) in
        [(400, 1), (401, 1), (403, 1), (404, 1), (409, 1), (408, 3), (425, 3), (429, 3), (500, 3), (503, 3)]
    {
        upstream.now_answering(ResponseTemplate::new(status).insert_header("retry-after", "0")).await;
        let error = agent.error("manage_customers", get.clone()).await;
        let requests = upstream.requests().await;
        assert_eq!(requests.len(), times, "{status}");
        let id = |request: &Request| request.headers["x-request-id"].to_str().unwrap().to_owned();
        let ids: HashSet<String> = requests.iter().map(id).collect();
        assert_eq!(ids.len(), times, "each attempt has an id of its own");
        assert_eq!(error["request_id"], id(requests.last().unwrap()), "that of the last attempt is told");
        closes_the_breaker(&agent, &upstream).await;
    }
}

#[tokio::test]
async fn a_write_is_sent_once_whatever_comes_back() {
    let upstream = Upstream::answering(ResponseTemplate::new(500)).await;
    let agent = Setup::against(&upstream.base_url()).agent().await;
    for (number, status) in [401, 408, 425, 429, 500, 502, 503, 504].into_iter().enumerate() {
        for operation in operations::all().iter().filter(|operation| operation.writes()) {
            let answer = ResponseTemplate::new(status).insert_header("retry-after", "0");
            upstream.now_answering(answer).await;
            agent.error(operation.tool, operation.another(number)).await;
            assert_eq!(upstream.count().await, 1, "{} {status}", operation.name);
        }
        closes_the_breaker(&agent, &upstream).await;
    }
}

#[tokio::test]
async fn a_write_that_times_out_is_sent_once() {
    let upstream = Faulty::with(Fault::Hang).await;
    let agent = Setup::against(&upstream.base_url()).impatient().agent().await;
    let create = named("createCustomer");
    let error = agent.error(create.tool, create.arguments).await;
    assert_eq!(error["kind"], "outcome_unknown");
    assert_eq!(upstream.count(), 1);
}

/// On a connection that was fine before, an HTTP client is tempted to try once more.
#[tokio::test]
async fn a_write_on_a_connection_that_breaks_is_sent_once() {
    let good = b"HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n{\"id\":\"cus_1\"}".to_vec();
    let upstream = Faulty::with(Fault::BytesThenMore(good)).await;
    let agent = Setup::against(&upstream.base_url()).agent().await;
    agent.good("manage_customers", json!({"action": "get", "customer_id": "cus_1"})).await;
    upstream.now(Fault::Reset);
    let create = named("createCustomer");
    let error = agent.error(create.tool, create.arguments).await;
    assert_eq!(error["kind"], "outcome_unknown");
    assert_eq!(upstream.count(), 2, "the read, and the write once");
}

/// A redirect would carry the token, and perhaps a write, to another host.
#[tokio::test]
async fn no_redirect_is_followed() {
    let elsewhere = Upstream::saying(json!({"id": "cus_1"})).await;
    let upstream = Upstream::answering(ResponseTemplate::new(500)).await;
    for status in [301, 302, 303, 307, 308] {
        let agent = Setup::against(&upstream.base_url()).agent().await;
        let target = format!("{}/v1/customers/cus_1", elsewhere.base_url());
        for operation in operations::all() {
            let redirect = ResponseTemplate::new(status).insert_header("location", target.as_str());
            upstream.now_answering(redirect).await;
            let error = agent.error(operation.tool, operation.arguments.clone()).await;
            let kind = if operation.writes() { "outcome_unknown" } else { "upstream_unavailable" };
            assert_eq!(error["kind"], kind, "{status} {}", operation.name);
            assert_eq!(upstream.count().await, if operation.writes() { 1 } else { 3 });
            closes_the_breaker(&agent, &upstream).await;
        }
    }
    assert_eq!(elsewhere.count().await, 0);
}
