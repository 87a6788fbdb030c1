//! A plain call has two ways: the short one, and rmcp's. Whatever is sent, at 2026-07-28, in a session or over legacy SSE,
//! both give the same answer, byte for byte.

mod generated;
mod requests;
mod sessions;
mod ways;

use fintecture_mcp::calls::CallsConfig;
use http::HeaderValue;
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use crate::support::operations;
use crate::support::upstream::Upstream;
use requests::Sent;
use ways::Ways;

fn dossier() -> Value {
    json!({"action": "dossier", "customer_id": "cus_1"})
}

/// With people as they are and masked, where all goes well and where nothing does.
#[tokio::test]
async fn every_action_and_every_error_is_told_the_same() {
    for masks_personal_data in [false, true] {
        let upstream = Upstream::answering(everything()).await;
        let ways =
            Ways::before(&upstream, || CallsConfig { masks_personal_data, ..CallsConfig::default() }).await;
        tells_everything_the_same(&upstream, &ways).await;
    }
}

/// An upstream that has what is asked for.
fn everything() -> impl Fn(&Request) -> ResponseTemplate + Clone + Send + Sync + 'static {
    let full = json!({"id": "cus_1", "email": "ada@example.com", "iban": "FR7630006000011234567890189",
        "a \"field\"\n": [{"nobody": "knöws \u{1}\u{2028}\\"}, null, 1.25, -0.0, 1e300, "+33612345678"]});
    let many: Vec<Value> =
        (0..30).map(|number| json!({"id": format!("id_{number}")})).chain([full.clone()]).collect();
    let listing = json!({"data": many, "meta": {"count": 31}, "links": {"self": "https://api.example.com"}});
    move |request: &Request| {
        let last = request.url.path().rsplit('/').next().unwrap_or_default();
        let lists =
            ["customers", "bank-accounts", "verifications"].contains(&last) && request.method == "GET";
        ResponseTemplate::new(200).set_body_json(if lists { &listing } else { &full })
    }
}

/// The short way takes every call, in a session every one that reads.
async fn tells_everything_the_same(upstream: &Upstream, ways: &Ways) {
    for (number, status) in [(0, 200), (2, 401), (4, 404), (6, 422), (8, 503)] {
        if status != 200 {
            upstream.now_answering(ResponseTemplate::new(status)).await;
        }
        let all = operations::all();
        let calls =
            all.iter().map(|operation| (operation.tool, operation.another(number), operation.writes()));
        // Fewer where each counts as a failure: after twenty in a row nothing is sent for a while.
        let most = if status == 503 { 6 } else { usize::MAX };
        for (tool, arguments, writes) in calls.chain([("verify_identity", dossier(), false)]).take(most) {
            let sent = ways.call(tool, &arguments);
            assert_eq!(ways.takes(&sent), !writes || ways.is_stateless(), "{arguments}");
            // The second time a write is answered from the first.
            for _ in 0..if status == 200 { 2 } else { 1 } {
                let got = ways.answer(&sent).await;
                let message: Value = serde_json::from_str(&got.body).unwrap();
                let result = &message["result"];
                assert_eq!(got.status, 200);
                assert_eq!(result["isError"], status != 200, "{message}");
                let server = &result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"];
                if ways.is_stateless() {
                    assert_eq!(got.headers["content-type"], HeaderValue::from_static("application/json"));
                    assert_eq!(server, "fintecture-mcp");
                } else {
                    assert_eq!((server, &result["resultType"]), (&Value::Null, &Value::Null));
                }
                let text: Value =
                    serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
                assert_eq!(text, result["structuredContent"]);
            }
        }
    }
    for wrong in [json!({}), json!({"action": "delete"}), json!({"action": "get", "iban": 1, "nobody": [2]})]
    {
        let sent = ways.call("manage_customers", &wrong);
        assert!(ways.takes(&sent), "{wrong}");
        assert!(ways.answer(&sent).await.body.contains("invalid_input"));
    }
}

/// Requests that are right in another way, and requests that are wrong: the short way takes the first of these lists and
/// none of the second.
#[tokio::test]
async fn every_odd_request_is_answered_the_same() {
    let upstream = Upstream::saying(json!({"id": "cus_1", "data": []})).await;
    let ways = Ways::before(&upstream, CallsConfig::default).await;
    for (what, sent) in requests::taken() {
        assert!(ways.takes(&sent), "{what}: it is left to rmcp");
        assert_eq!(ways.answer(&sent).await.status, 200, "{what}");
    }
    for (what, sent) in requests::left() {
        assert!(!ways.takes(&sent), "{what}: it is taken");
        ways.answer(&sent).await;
    }
    for depth in 115..=135 {
        let sent = Sent::get().with("/params/arguments/page", requests::nested(depth));
        ways.answer(&sent).await;
    }
    // A question or a task is no plain answer, and nobody's to compare: what seals it is new each time.
    for write in operations::all().iter().filter(|operation| operation.writes()) {
        let place = "/params/_meta/io.modelcontextprotocol~1clientCapabilities";
        let asks = Sent::call(write.tool, &write.arguments).with(place, json!({"elicitation": {}}));
        assert!(!ways.takes(&asks), "{}: who can be asked may be", write.name);
    }
}
