//! The card as a client gets it. What it shows is held in Chromium (`tests/browser/card.mjs`).

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use fintecture_mcp::calls::{CallLimits, CallsConfig};
use rmcp::model::ReadResourceRequestParams;
use serde_json::{Value, json};

use crate::support::in_time;
use crate::support::inside::{Inside, principal};
use crate::support::setup::Setup;
use crate::support::upstream::Upstream;
use crate::support::wire::{self, OLDER, Wire, stateless};

const URI: &str = "ui://fintecture/card";
const EXTENSION: &str = "io.modelcontextprotocol/ui";

/// The card, after a look at how the lists tell of it.
async fn found(wire: &mut Wire, wrap: fn(Value) -> Value) -> Value {
    let tools = wire.request("tools/list", wrap(json!({}))).await["result"]["tools"].clone();
    for tool in tools.as_array().unwrap() {
        let card = &tool["_meta"]["ui"]["resourceUri"];
        assert_eq!(card == URI, tool["name"] == "verify_identity", "{tool}");
    }
    let resources = wire.request("resources/list", wrap(json!({}))).await["result"]["resources"].clone();
    let listed = resources.as_array().unwrap().iter().find(|one| one["uri"] == URI).unwrap().clone();
    let result = wire.request("resources/read", wrap(json!({"uri": URI}))).await["result"].clone();
    let [card] = result["contents"].as_array().unwrap().as_slice() else { panic!("{result}") };
    for shown in [&listed, card] {
        assert_eq!((&shown["uri"], &shown["mimeType"]), (&json!(URI), &json!("text/html;profile=mcp-app")));
        let asked = shown["_meta"]["ui"]["csp"].as_object().unwrap();
        assert!(asked.len() == 4 && asked.values().all(|origins| origins == &json!([])), "{shown}");
        assert_eq!(shown["_meta"]["ui"]["permissions"], json!({}));
    }
    assert_eq!(listed["size"], card["text"].as_str().unwrap().len());
    card["text"].clone()
}

#[tokio::test]
async fn each_client_is_told_of_the_same_card_at_every_revision() {
    let mut cards = Vec::new();
    for revision in OLDER {
        for (_, mut wire) in wire::each().await {
            let about = wire.initialize(revision).await;
            assert_eq!(about["capabilities"]["extensions"][EXTENSION], json!({}), "{about}");
            cards.push(found(&mut wire, |params| params).await);
        }
    }
    for (name, mut wire) in wire::each().await {
        let about = wire.request("server/discover", stateless(json!({}))).await["result"].clone();
        assert_eq!(about["capabilities"]["extensions"][EXTENSION], json!({}), "{name} {about}");
        cards.push(found(&mut wire, stateless).await);
        let read = wire.request("resources/read", stateless(json!({"uri": URI}))).await["result"].clone();
        assert_eq!((&read["ttlMs"], &read["cacheScope"]), (&json!(300_000), &json!("private")), "{name}");
    }
    cards.dedup();
    assert_eq!(cards.len(), 1);
}

/// Between two marks that are there once.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    assert_eq!(text.matches(from).count(), 1, "{from}");
    text.split_once(from).unwrap().1.split_once(to).unwrap().0
}

#[tokio::test]
async fn its_policy_lets_its_own_style_and_script_run_and_nothing_else() {
    let mut pipe = Setup::simulator().pipe();
    pipe.initialize("2025-11-25").await;
    let answer = pipe.request("resources/read", json!({"uri": URI})).await;
    let card = answer["result"]["contents"][0]["text"].as_str().unwrap();
    assert!(card.starts_with(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv="
    ));
    let hash = |from: &str, to: &str| STANDARD.encode(digest(&SHA256, between(card, from, to).as_bytes()));
    let own = ["<style>", "<script>"].map(|tag| format!("'sha256-{}'", hash(tag, &tag.replace('<', "</"))));
    let policy = between(card, "Content-Security-Policy\" content=\"", "\"").replace("&#39;", "'");
    let expected = [
        "default-src 'none'".to_owned(),
        format!("script-src {}", own[1]),
        format!("style-src {}", own[0]),
        "base-uri 'none'".to_owned(),
        "form-action 'none'".to_owned(),
        "require-trusted-types-for 'script'".to_owned(),
        "trusted-types 'none'".to_owned(),
    ];
    assert_eq!(policy.split("; ").collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn reading_it_counts() {
    let upstream = Upstream::saying(json!({})).await;
    // One for the list of tools that every agent asks for, one for the card.
    let limits = CallLimits { per_minute: 2, ..CallLimits::default() };
    let inside = Inside::before(&upstream.base_url(), CallsConfig { limits, ..CallsConfig::default() });
    let agent = inside.agent(&principal("reader", "customers:read")).await;
    let read = in_time(agent.client.read_resource(ReadResourceRequestParams::new(URI))).await;
    assert_eq!(read.unwrap().contents.len(), 1);
    let error = agent.error("manage_customers", json!({"action": "get", "customer_id": "cus_1"})).await;
    assert_eq!(error["kind"], "rate_limited", "{error}");
    assert_eq!(upstream.requests().await.len(), 0);
}

#[tokio::test]
async fn reading_it_is_on_record() {
    let upstream = Upstream::saying(json!({})).await;
    let folder = tempfile::tempdir().unwrap();
    let [log, key] = ["log", "key"].map(|name| folder.path().join(name).to_str().unwrap().to_owned());
    std::fs::write(&key, "canary-audit-key-".repeat(4)).unwrap();
    let setup =
        Setup::against(&upstream.base_url()).flag("--audit-log").flag(&log).flag("--audit-key").flag(&key);
    let mut pipe = setup.pipe();
    pipe.initialize("2025-11-25").await;
    assert!(pipe.request("resources/read", json!({"uri": URI})).await["result"].is_object());
    pipe.close();
    assert_eq!(pipe.process.ended().await.0.code(), Some(0));
    let lines = std::fs::read_to_string(&log).unwrap();
    let mut lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let read = lines.find(|line| line["event"] == "resource").unwrap();
    assert_eq!((&read["resource"], &read["principal"]), (&json!("card"), &json!("local")), "{read}");
    assert_eq!(upstream.requests().await.len(), 0);
}
