//! A call of 2026-07-28 over HTTP has two ways: the short one, and rmcp's. Whatever is sent, both give the same answer,
//! byte for byte.

mod generated;
mod requests;

use fintecture_mcp::calls::CallsConfig;
use fintecture_mcp::mcp::Short;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use crate::support::http_server::http;
use crate::support::in_time;
use crate::support::inside::{Inside, Listening};
use crate::support::operations;
use crate::support::upstream::Upstream;
use requests::Sent;

/// Two servers before one upstream: one takes the short way where it can, the other never does.
struct Ways {
    short: Short,
    both: [Listening; 2],
    client: reqwest::Client,
}

/// What came back.
#[derive(Debug, PartialEq)]
struct Got {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Ways {
    async fn before(upstream: &Upstream, config: impl Fn() -> CallsConfig) -> Self {
        let [shortly, at_length] = [(), ()].map(|()| Inside::before(&upstream.base_url(), config()));
        let both = [shortly.listening(true).await, at_length.listening(false).await];
        Self { short: shortly.short(), both, client: http() }
    }

    /// Whether the short way takes it.
    fn takes(&self, sent: &Sent) -> bool {
        self.short.read(&sent.headers, &sent.body).is_some()
    }

    /// The answer that both give.
    async fn answer(&self, sent: &Sent) -> Got {
        let [shortly, at_length] = [self.got(&self.both[0], sent).await, self.got(&self.both[1], sent).await];
        assert_eq!(shortly, at_length, "short, and at length: {sent:?}");
        shortly
    }

    async fn got(&self, server: &Listening, sent: &Sent) -> Got {
        let request = self.client.post(&server.url).headers(sent.headers.clone()).body(sent.body.clone());
        let response = in_time(request.send()).await.unwrap();
        let (status, mut headers) = (response.status().as_u16(), response.headers().clone());
        // Settled in the body, it may be shorter or longer.
        for name in ["date", "content-length"] {
            headers.remove(name);
        }
        Got { status, headers, body: settled(in_time(response.text()).await.unwrap()) }
    }
}

/// What differs from one call to the next, whichever way it went, is settled, in the text of a result as in its JSON.
fn settled(body: String) -> String {
    let Ok(message) = serde_json::from_str::<Value>(&body) else { return body };
    let result = &message["result"]["structuredContent"];
    let sources = result.pointer("/dossier/sources").and_then(Value::as_array);
    let moments = sources.into_iter().flatten().map(|source| &source["read_at"]);
    let differing = result.pointer("/error/request_id").into_iter().chain(moments);
    differing.filter_map(Value::as_str).fold(body.clone(), |body, text| body.replace(text, "settled"))
}

fn dossier() -> Value {
    json!({"action": "dossier", "customer_id": "cus_1"})
}

/// With people as they are and masked, where all goes well and where nothing does.
#[tokio::test]
async fn every_action_and_every_error_is_told_the_same() {
    let full = json!({"id": "cus_1", "email": "ada@example.com", "iban": "FR7630006000011234567890189",
        "a \"field\"\n": [{"nobody": "knöws \u{1}\u{2028}\\"}, null, 1.25, -0.0, 1e300, "+33612345678"]});
    let many: Vec<Value> =
        (0..30).map(|number| json!({"id": format!("id_{number}")})).chain([full.clone()]).collect();
    let listing = json!({"data": many, "meta": {"count": 31}, "links": {"self": "https://api.example.com"}});
    let good = move |request: &Request| {
        let last = request.url.path().rsplit('/').next().unwrap_or_default();
        let lists =
            ["customers", "bank-accounts", "verifications"].contains(&last) && request.method == "GET";
        ResponseTemplate::new(200).set_body_json(if lists { &listing } else { &full })
    };
    for masks_personal_data in [false, true] {
        let upstream = Upstream::answering(good.clone()).await;
        let ways =
            Ways::before(&upstream, || CallsConfig { masks_personal_data, ..CallsConfig::default() }).await;
        for (number, status) in [(0, 200), (2, 401), (4, 404), (6, 422), (8, 503)] {
            if status != 200 {
                upstream.now_answering(ResponseTemplate::new(status)).await;
            }
            let all = operations::all();
            let calls = all.iter().map(|operation| (operation.tool, operation.another(number)));
            // Fewer where each counts as a failure: after twenty in a row nothing is sent for a while.
            let most = if status == 503 { 6 } else { usize::MAX };
            for (tool, arguments) in calls.chain([("verify_identity", dossier())]).take(most) {
                let sent = Sent::call(tool, &arguments);
                assert!(ways.takes(&sent), "{arguments}");
                // The second time a write is answered from the first.
                for _ in 0..if status == 200 { 2 } else { 1 } {
                    let got = ways.answer(&sent).await;
                    let message: Value = serde_json::from_str(&got.body).unwrap();
                    let result = &message["result"];
                    assert_eq!(
                        (got.status, &got.headers["content-type"]),
                        (200, &HeaderValue::from_static("application/json"))
                    );
                    assert_eq!(result["isError"], status != 200, "{message}");
                    assert_eq!(
                        result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"],
                        "fintecture-mcp"
                    );
                    let text: Value =
                        serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
                    assert_eq!(text, result["structuredContent"]);
                }
            }
        }
        for wrong in
            [json!({}), json!({"action": "delete"}), json!({"action": "get", "iban": 1, "nobody": [2]})]
        {
            let sent = Sent::call("manage_customers", &wrong);
            assert!(ways.takes(&sent), "{wrong}");
            assert!(ways.answer(&sent).await.body.contains("invalid_input"));
        }
    }
}

/// Requests that are right in another way, and requests that are wrong: the short way takes the first of these lists and
/// none of the second.
#[tokio::test]
async fn every_odd_request_is_answered_the_same() {
    let upstream = Upstream::saying(json!({"id": "cus_1", "data": []})).await;
    let ways = Ways::before(&upstream, CallsConfig::default).await;
    for (what, sent) in requests::taken(&ways.both[0].url) {
        assert!(ways.takes(&sent), "{what}: it is left to rmcp");
        assert_eq!(ways.answer(&sent).await.status, 200, "{what}");
    }
    for (what, sent) in requests::left() {
        assert!(!ways.takes(&sent), "{what}: it is taken");
        ways.answer(&sent).await;
    }
    // A question or a task is no plain answer, and nobody's to compare: what seals it is new each time.
    let create = operations::named("createCustomer");
    let start = operations::named("createCustomerVerification");
    let asks = |operation: &operations::Operation| {
        Sent::call(operation.tool, &operation.arguments)
            .with("/params/_meta/io.modelcontextprotocol~1clientCapabilities", json!({"elicitation": {}}))
    };
    assert!(!ways.takes(&asks(&create)) && !ways.takes(&asks(&start)), "who can be asked may be");
}
