//! Every kind of error over REST, reached for real, with its status; and what callers with fewer rights are shown.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use fintecture_mcp::domain::{Environment, Principal};
use fintecture_mcp::rest::{Request, Rest, RestConfig, status};
use fintecture_mcp::tools::ErrorKind;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use wiremock::ResponseTemplate;

use crate::support::browser::Browser;
use crate::support::faults::{Fault, Faulty};
use crate::support::http_server::{HttpServer, http};
use crate::support::in_time;
use crate::support::local::{calls_without_pages, tools};
use crate::support::operations::read_and_write;
use crate::support::plain::{Answered, Plain};
use crate::support::process::run;
use crate::support::setup::Setup;
use crate::support::simulator::simulator;
use crate::support::tables::{page, table};
use crate::support::upstream::Upstream;

const CUSTOMERS: &str = "manage_customers";
const CODE: &str = "correct-horse-battery";

fn create(last_name: &str) -> Value {
    json!({"action": "create", "first_name": "Ada", "last_name": last_name, "email": "ada@example.com"})
}

/// What an error of the upstream becomes, to a read and to a write.
async fn before(answer: ResponseTemplate) -> [Answered; 2] {
    let upstream = Upstream::answering(answer).await;
    let server = Setup::against(&upstream.base_url()).http().await;
    let plain = Plain::to(&server, None).await;
    let [read, write] = read_and_write();
    [plain.call(read.tool, &read.arguments).await, plain.call(write.tool, &write.arguments).await]
}

fn refusals([read, write]: &[Answered; 2]) -> [(u16, &str); 2] {
    [read.refusal(), write.refusal()]
}

#[tokio::test]
async fn what_goes_wrong_upstream_has_its_status() {
    for (status, answered, kind) in [
        (401, 502, "unauthorized"),
        (403, 502, "forbidden"),
        (404, 404, "not_found"),
        (409, 409, "conflict"),
        (422, 502, "upstream_rejected"),
    ] {
        let seen = before(ResponseTemplate::new(status)).await;
        assert_eq!(refusals(&seen), [(answered, kind); 2]);
        assert!(seen[0].headers.get("retry-after").is_none());
        assert_eq!(seen[0].headers["cache-control"], "no-store");
    }
    let seen = before(ResponseTemplate::new(429).insert_header("retry-after", "60")).await;
    assert_eq!(refusals(&seen), [(429, "rate_limited"); 2]);
    let seen = [seen, before(ResponseTemplate::new(503).insert_header("retry-after", "60")).await];
    assert_eq!(refusals(&seen[1]), [(503, "upstream_unavailable"), (504, "outcome_unknown")]);
    for answered in seen.iter().flatten() {
        assert_eq!(
            (&answered.headers["retry-after"], &answered.body["error"]["retry_after_seconds"]),
            (&"60".parse().unwrap(), &json!(60))
        );
    }
}

/// A client hangs up before the write left: nobody reads the answer, and yet it has its status.
async fn given_up() -> Value {
    let mut upstream = Faulty::with(Fault::Hang).await;
    let calls =
        calls_without_pages(tools(&upstream.base_url(), Duration::from_secs(10), Environment::Sandbox));
    let config = RestConfig { words: String::new(), address: String::new(), authenticates: false };
    let rest = Rest::new(Arc::new(calls), config);
    let cancelled = CancellationToken::new();
    let principal = Arc::new(Principal::local());
    let request = Request { principal, headers: HeaderMap::new(), cancelled: cancelled.clone() };
    let mut arguments = create("Byron");
    arguments["external_id"] = json!("crm-1");
    let body = arguments.to_string();
    let call = Box::pin(rest.call(request, CUSTOMERS, body.as_bytes()));
    let hang_up = async {
        upstream.has_got(1).await;
        cancelled.cancel();
    };
    let (response, ()) = in_time(async { tokio::join!(call, hang_up) }).await;
    assert_eq!(response.status().as_u16(), 499);
    serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

/// The kinds that this server makes itself.
#[tokio::test]
async fn what_this_server_refuses_has_its_status() {
    let simulator = simulator(&[]).await;
    let server = Setup::against(&simulator.base_url()).flag("--read-only").http().await;
    let plain = Plain::to(&server, None).await;
    assert_eq!(plain.call(CUSTOMERS, &create("Byron")).await.refusal(), (403, "read_only"));
    let wrong = plain.call(CUSTOMERS, &json!({"action": "get", "customer_id": "../x", "iban": "x"})).await;
    assert_eq!(wrong.refusal(), (422, "invalid_input"));
    assert_eq!(wrong.body["error"]["problems"].as_array().unwrap().len(), 2, "every problem at once");

    let server = Setup::against(&simulator.base_url()).http().await;
    let plain = Plain::to(&server, None).await;
    let mut known = create("Byron");
    known["external_id"] = json!("crm-1");
    let made = plain.call(CUSTOMERS, &known).await.good();
    known["first_name"] = json!("Augusta");
    let exists = plain.call(CUSTOMERS, &known).await;
    assert_eq!(exists.refusal(), (409, "conflict"));
    assert_eq!(exists.body["error"]["customer_id"], made["customer"]["id"]);
    assert_eq!(given_up().await["error"]["kind"], "cancelled");
}

/// Nobody can be asked over plain HTTP: under `always` the agent gets a page to hand over, and calls again.
#[tokio::test]
async fn a_person_approves_on_the_page_and_the_same_call_goes_through() {
    let simulator = simulator(&[]).await;
    let always =
        Setup::against(&simulator.base_url()).flag("--confirm-writes=always").variable("BROWSER", "");
    let server = always.clone().variable("FINTECTURE_APPROVAL_CODE", CODE).http().await;
    let plain = Plain::to(&server, None).await;
    let asked = plain.call(CUSTOMERS, &create("Byron")).await;
    assert_eq!(asked.refusal(), (428, "confirmation_required"));
    let page = asked.body["error"]["approval"]["url"].as_str().unwrap();
    // The same approval for the same call, whichever face it comes by.
    let over_mcp = server.agent().await.error(CUSTOMERS, create("Byron")).await;
    assert_eq!(over_mcp["approval"], asked.body["error"]["approval"]);
    let mut person = Browser::new();
    person.types(page, CODE).await;
    person.presses(page, "approve").await;
    let made = plain.call(CUSTOMERS, &create("Byron")).await.good();
    assert_eq!(made["customer"]["last_name"], "Byron");

    let asked = plain.call(CUSTOMERS, &create("Lovelace")).await;
    let page = asked.body["error"]["approval"]["url"].as_str().unwrap();
    person.types(page, CODE).await;
    person.presses(page, "decline").await;
    assert_eq!(plain.call(CUSTOMERS, &create("Lovelace")).await.refusal(), (409, "declined"));

    let server = always.http().await;
    let nobody = Plain::to(&server, None).await;
    let refused = nobody.call(CUSTOMERS, &create("Byron")).await;
    assert_eq!(
        (refused.refusal(), refused.body["error"].get("approval")),
        ((428, "confirmation_required"), None)
    );
}

/// What must be on record and cannot be is not told.
#[tokio::test]
async fn without_room_for_the_trail_there_is_no_answer() {
    let upstream = Upstream::saying(json!({"id": "cus_1"})).await;
    let trail = tempfile::tempdir().unwrap();
    let path = trail.path().join("log");
    let setup = Setup::against(&upstream.base_url()).flag("--audit-log").flag(path.to_str().unwrap());
    let setup = setup.flag("--transport=http").flag("--listen=127.0.0.1:0");
    let process = setup.start_by(&["sh", "-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\""]);
    let server = HttpServer::ready(process).await;
    let plain = Plain::to(&server, None).await;
    let get = json!({"action": "get", "customer_id": "cus_1"});
    for _ in 0..1000 {
        let answered = plain.call(CUSTOMERS, &get).await;
        if answered.status != 200 {
            assert_eq!(answered.refusal(), (500, "internal"));
            assert!(answered.body.get("customer").is_none());
            return;
        }
    }
    panic!("the file is full after so many");
}

/// A server that knows these principals, by their scopes; and the token of each.
async fn with_tokens(setup: Setup, scopes: &[&str]) -> (HttpServer, Vec<String>, tempfile::TempDir) {
    let (mut lines, mut tokens) = (Vec::new(), Vec::new());
    for (number, scopes) in scopes.iter().enumerate() {
        let made = run(&["token", "new", &format!("agent-{number}"), "--scopes", scopes], &[]).await;
        let words: Vec<&str> = made.stdout.lines().filter_map(|line| line.strip_prefix("  ")).collect();
        tokens.push(words[0].to_owned());
        lines.push(words[1].to_owned());
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens");
    std::fs::write(&path, lines.join("\n")).unwrap();
    let server = setup.flag("--auth-tokens").flag(path.to_str().unwrap()).http().await;
    (server, tokens, folder)
}

fn offered(plain: &Plain) -> Value {
    let tools = plain.description["paths"].as_object().unwrap().iter();
    let tools = tools.filter_map(|(path, item)| {
        let place = item["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str()?;
        let schema = plain.description.pointer(place.trim_start_matches('#')).unwrap();
        Some(json!([path, schema["properties"]["action"]["enum"]]))
    });
    tools.collect()
}

#[tokio::test]
async fn each_token_is_shown_what_it_may_call_and_is_told_what_it_may_not() {
    let simulator = simulator(&[]).await;
    let limited = Setup::against(&simulator.base_url()).flag("--limit").flag("calls-per-minute=8");
    let (server, tokens, _folder) =
        with_tokens(limited, &["customers:read", "bank-accounts:write", "customers:write"]).await;
    let reader = Plain::to(&server, Some(&tokens[0])).await;
    assert_eq!(offered(&reader), json!([["/v1/tools/manage_customers", ["list", "get"]]]));
    let text = reader.description.to_string();
    assert!(
        !text.contains("bank_account\"") && !text.contains("first_name"),
        "nothing of the others: {text}"
    );
    assert_eq!(reader.description["security"], json!([{"bearer": []}]));
    let holder = Plain::to(&server, Some(&tokens[1])).await;
    assert_eq!(offered(&holder), json!([["/v1/tools/manage_bank_accounts", ["list", "create", "get"]]]));

    let refused = reader.call(CUSTOMERS, &create("Byron")).await;
    assert_eq!(
        (refused.refusal(), &refused.body["error"]["scope"]),
        ((403, "insufficient_scope"), &json!("customers:write"))
    );
    let unknown = reader.send(CUSTOMERS, reader.post("manage_loans").json(&json!({}))).await;
    assert!(unknown.body["error"]["message"].as_str().unwrap().ends_with("the tools are manage_customers"));
    for wrong in [None, Some("canary-wrong")] {
        let request = http().post(server.url("/v1/tools/manage_customers")).json(&json!({}));
        let request = wrong.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth);
        let closed = reader.send(CUSTOMERS, request).await;
        assert_eq!(closed.status, 401);
        assert!(closed.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer "));
        let description = in_time(http().get(server.url("/openapi.json")).send()).await.unwrap();
        assert_eq!(description.status().as_u16(), 401);
    }

    // Of eight in a minute the reader has had three; another one's are another one's.
    let list = json!({"action": "list"});
    for _ in 0..5 {
        reader.call(CUSTOMERS, &list).await.good();
    }
    let over = reader.call(CUSTOMERS, &list).await;
    assert_eq!(over.refusal(), (429, "rate_limited"));
    let seconds = over.body["error"]["retry_after_seconds"].to_string();
    assert_eq!(over.headers["retry-after"], seconds.as_str());
    let broken = reader.post(CUSTOMERS).header("content-type", "application/json").body("{");
    assert_eq!(reader.send(CUSTOMERS, broken).await.status, 429);
    let description = http().get(server.url("/openapi.json")).bearer_auth(&tokens[0]);
    assert_eq!(in_time(description.send()).await.unwrap().status().as_u16(), 429);
    Plain::to(&server, Some(&tokens[2])).await.call(CUSTOMERS, &list).await.good();
}

/// What a reader of the description relies on, beside the schemas that every answer of every test here was held to.
#[tokio::test]
async fn the_description_has_every_status_and_no_more() {
    let server = Setup::simulator().http().await;
    let plain = Plain::to(&server, None).await;
    let description = &plain.description;
    assert_eq!(description["servers"][0]["url"], server.url(""));
    assert_eq!(description.get("security"), None);
    assert!(description["info"]["title"].as_str().unwrap().contains("simulator"));
    let mut kinds = BTreeSet::new();
    for (status, response) in description["components"]["responses"].as_object().unwrap() {
        let text = response["description"].as_str().unwrap();
        kinds.extend(
            ErrorKind::ALL
                .iter()
                .map(|kind| kind.as_str())
                .filter(|kind| text.contains(&format!("`{kind}`"))),
        );
        let names: Vec<&str> = description["paths"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(path, _)| path.starts_with("/v1/"))
            .map(|(path, _)| path.as_str())
            .collect();
        for path in names {
            let place = format!("#/components/responses/{status}");
            assert_eq!(description["paths"][path]["post"]["responses"][status]["$ref"], place);
        }
    }
    assert_eq!(kinds.len(), ErrorKind::ALL.len());
    insta::assert_json_snapshot!(json!({
        "info": description["info"],
        "responses": description["components"]["responses"].as_object().unwrap().iter()
            .map(|(status, response)| (status, &response["description"])).collect::<std::collections::BTreeMap<_, _>>(),
        "a tool": description["paths"]["/v1/tools/verify_identity"],
        "result": description["components"]["schemas"]["verify_identity_result"],
    }));
}

#[test]
fn the_page_about_plain_http_has_the_status_of_every_kind() {
    let told: BTreeSet<Vec<String>> = table(&page("http.md"), "## Statuses")[1..].iter().cloned().collect();
    let statuses =
        ErrorKind::ALL.map(|kind| vec![kind.as_str().to_owned(), status(kind).as_str().to_owned()]);
    assert_eq!(told, statuses.into());
}
