//! Resources: capability files as they were read, and records by the way of a tool call.

use std::fs;

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::pipe::Pipe;
use crate::support::setup::Setup;
use crate::support::upstream::Upstream;
use crate::support::wire::{self, OLDER, Wire, stateless};

const FILES: [&str; 3] = ["manage-bank-accounts.yml", "manage-customers.yml", "verify-identity.yml"];

async fn ready(setup: Setup) -> Pipe {
    let mut pipe = setup.pipe();
    pipe.initialize("2025-11-25").await;
    pipe
}

async fn read(pipe: &mut Pipe, uri: &str) -> Value {
    pipe.request("resources/read", json!({"uri": uri})).await
}

/// The JSON of a resource that is one.
fn record(answer: &Value, uri: &str) -> Value {
    let contents = answer["result"]["contents"].as_array().unwrap_or_else(|| panic!("{uri}: {answer}"));
    let json = contents.iter().find(|one| one["mimeType"] == "application/json").unwrap();
    assert!(contents.iter().all(|one| one["uri"] == uri), "{answer}");
    serde_json::from_str(json["text"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn the_lists() {
    let mut pipe = ready(Setup::simulator()).await;
    let mut resources = pipe.request("resources/list", json!({})).await["result"]["resources"].clone();
    for resource in resources.as_array_mut().unwrap() {
        assert!(resource["size"].as_u64().unwrap() > 1000);
        resource["size"] = json!("[bytes]");
    }
    insta::assert_json_snapshot!("resources", resources);
    let templates = pipe.request("resources/templates/list", json!({})).await;
    insta::assert_json_snapshot!("resource_templates", templates["result"]["resourceTemplates"]);
}

#[tokio::test]
async fn capability_files_are_served_as_they_were_read() {
    let own = tempfile::TempDir::new().unwrap();
    for name in FILES {
        let built_in =
            fs::read_to_string(format!("{}/capabilities/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        fs::write(own.path().join(name), format!("# our own copy\n{built_in}")).unwrap();
    }
    let changed = Setup::simulator().flag("--capabilities").flag(own.path().to_str().unwrap());
    for (setup, starts) in [(Setup::simulator(), "# The tool "), (changed, "# our own copy\n# The tool ")] {
        let mut pipe = ready(setup).await;
        for name in FILES {
            let uri = format!("fintecture://capabilities/{name}");
            let answer = read(&mut pipe, &uri).await;
            let [file] = answer["result"]["contents"].as_array().unwrap().as_slice() else {
                panic!("{answer}")
            };
            assert_eq!((&file["uri"], &file["mimeType"]), (&json!(uri), &json!("application/yaml")));
            let text = file["text"].as_str().unwrap();
            assert!(text.starts_with(starts));
            let on_disk = fs::read_to_string(own.path().join(name)).unwrap();
            assert!(on_disk.ends_with(text), "{name}");
        }
    }
}

/// A customer with an account and a verification: the URIs of all three.
async fn made(wire: &mut Wire, wrap: fn(Value) -> Value) -> [(String, &'static str, Value); 3] {
    let mut records = Vec::new();
    // A verification says of an account that it was verified, so it comes first.
    for (tool, arguments) in [
        (
            "verify_identity",
            json!({"action": "start", "customer_id": "sim_cus_ada", "expected_name": "Ada Byron"}),
        ),
        ("manage_customers", json!({"action": "get", "customer_id": "sim_cus_ada"})),
        ("manage_bank_accounts", json!({"action": "list", "customer_id": "sim_cus_ada"})),
    ] {
        let answer = wire.request("tools/call", wrap(json!({"name": tool, "arguments": arguments}))).await;
        records.push(answer["result"]["structuredContent"].clone());
    }
    let customer = records[1]["customer"].clone();
    let (account, verification) =
        (records[2]["bank_accounts"][0].clone(), records[0]["verification"].clone());
    let below = |kind: &str, record: &Value| {
        format!("fintecture://customers/sim_cus_ada/{kind}/{}", record["id"].as_str().unwrap())
    };
    [
        (below("bank-accounts", &account), "bank_account", account),
        (below("verifications", &verification), "verification", verification),
        ("fintecture://customers/sim_cus_ada".to_owned(), "customer", customer),
    ]
}

#[tokio::test]
async fn each_record_on_each_way_in_with_and_without_a_handshake() {
    for revision in OLDER {
        for (name, mut wire) in wire::each().await {
            wire.initialize(revision).await;
            for (uri, member, expected) in made(&mut wire, |params| params).await {
                let answer = wire.request("resources/read", json!({"uri": uri})).await;
                let read = record(&answer, &uri);
                assert_eq!(read[member], expected, "{name} {revision}");
                assert_eq!(read["environment"], "simulator");
            }
        }
    }
    for (name, mut wire) in wire::each().await {
        for list in ["resources/list", "resources/templates/list"] {
            let list = wire.request(list, stateless(json!({}))).await["result"].clone();
            assert_eq!((&list["ttlMs"], &list["cacheScope"]), (&json!(300_000), &json!("private")), "{name}");
        }
        for (uri, member, expected) in made(&mut wire, stateless).await {
            let answer = wire.request("resources/read", stateless(json!({"uri": uri}))).await;
            assert_eq!(record(&answer, &uri)[member], expected, "{name}");
            let result = &answer["result"];
            assert_eq!((&result["ttlMs"], &result["cacheScope"]), (&json!(0), &json!("private")), "{name}");
            assert!(result["_meta"]["io.modelcontextprotocol/serverInfo"].is_object(), "{name}");
        }
    }
}

#[tokio::test]
async fn masking_holds_for_resources_too() {
    let account =
        json!({"id": "acc_1", "iban": "FR7630006000011234567890189", "note": "mail a.b@example.org"});
    let upstream = Upstream::saying(account).await;
    let mut pipe = ready(Setup::against(&upstream.base_url()).flag("--personal-data=masked")).await;
    let uri = "fintecture://customers/cus_1/bank-accounts/acc_1";
    let answer = read(&mut pipe, uri).await;
    assert_eq!(record(&answer, uri)["bank_account"]["iban"], "FR76…0189");
    assert!(!answer.to_string().contains("a.b@example.org"), "{answer}");
    let refusal = ResponseTemplate::new(400).set_body_json(json!({"message": "no a.b@example.org here"}));
    upstream.now_answering(refusal).await;
    let refused = read(&mut pipe, uri).await;
    assert_eq!(refused["error"]["data"]["error"]["kind"], "upstream_rejected");
    assert!(!refused.to_string().contains("a.b@example.org"), "{refused}");
}

#[tokio::test]
async fn an_error_carries_what_the_tool_would_say() {
    for (status, code, kind) in
        [(404, -32002, "not_found"), (401, -32603, "unauthorized"), (503, -32603, "upstream_unavailable")]
    {
        let upstream = Upstream::answering(ResponseTemplate::new(status)).await;
        let mut pipe = ready(Setup::against(&upstream.base_url())).await;
        let uri = "fintecture://customers/cus_1";
        let error = read(&mut pipe, uri).await["error"].clone();
        assert_eq!(error["code"], code, "{error}");
        let (data, said) = (&error["data"]["error"], error["message"].as_str().unwrap());
        assert_eq!((&data["kind"], &data["upstream_status"]), (&json!(kind), &json!(status)), "{error}");
        assert!(
            said.contains(data["message"].as_str().unwrap()) && said.contains(data["hint"].as_str().unwrap())
        );
        assert_eq!((&error["data"]["uri"], &error["data"]["environment"]), (&json!(uri), &json!("sandbox")));
    }
}

#[tokio::test]
async fn what_is_not_found_has_the_code_of_its_revision() {
    let (missing, nothing) = ("fintecture://customers/sim_cus_nobody", "fintecture://nothing");
    for (name, mut wire) in wire::each().await {
        for uri in [missing, nothing] {
            let error = wire.request("resources/read", stateless(json!({"uri": uri}))).await["error"].clone();
            assert_eq!((&error["code"], &error["data"]["uri"]), (&json!(-32602), &json!(uri)), "{name}");
        }
    }
}

#[tokio::test]
async fn an_odd_uri_is_refused_and_nothing_is_sent() {
    let upstream = Upstream::saying(json!({"id": "cus_1"})).await;
    let mut pipe = ready(Setup::against(&upstream.base_url())).await;
    for uri in [
        "",
        "fintecture://",
        "fintecture://customers",
        "fintecture://customers/",
        "fintecture://customers//dossier",
        "fintecture://customers/cus_1/",
        "fintecture://customers/cus_1/verifications",
        "FINTECTURE://customers/cus_1",
        "fintecture:customers/cus_1",
        "file:///etc/passwd",
        "fintecture://customers/cus_1/other/x",
        "fintecture://customers/cus_1/bank-accounts/acc_1/x",
        "fintecture://capabilities/../Cargo.toml",
        "fintecture://capabilities/manage-customers.yml?x",
        "fintecture://capabilities/manage%2Dcustomers.yml",
        " fintecture://customers/cus_1",
    ] {
        let refused = read(&mut pipe, uri).await;
        assert_eq!(refused["error"]["code"], -32002, "{uri}: {refused}");
        assert_eq!(refused["error"]["data"]["uri"], uri);
    }
    let long = format!("fintecture://customers/{}", "a".repeat(65));
    for uri in [
        "fintecture://customers/..",
        "fintecture://customers/%63us_1",
        "fintecture://customers/cus_1?page=1",
        "fintecture://customers/cus_1#x",
        "fintecture://customers/cus%2F1",
        "fintecture://customers/{customer_id}",
        "fintecture://customers/cus_1 ",
        "fintecture://customers/../verifications/ver_1",
        &long,
        "fintecture://customers/cus_1/bank-accounts/..%2F..",
    ] {
        let refused = read(&mut pipe, uri).await["error"].clone();
        assert_eq!(
            (&refused["code"], &refused["data"]["error"]["kind"]),
            (&json!(-32602), &json!("invalid_input")),
            "{uri}"
        );
        assert!(refused["message"].as_str().unwrap().contains("example"), "{refused}");
    }
    assert_eq!(upstream.count().await, 0);
}

/// Both contents, and the link from the tool's result, tell of one and the same dossier.
#[tokio::test]
async fn the_dossier_to_read_and_to_work_with() {
    let uri = "fintecture://customers/sim_cus_ada/dossier";
    let dossier = json!({"action": "dossier", "customer_id": "sim_cus_ada"});
    let wraps: [fn(Value) -> Value; 2] = [|params| params, stateless];
    for (name, wrap) in ["2025-11-25", "2026-07-28"].into_iter().zip(wraps) {
        let mut pipe = Setup::simulator().pipe();
        if name == "2025-11-25" {
            pipe.initialize(name).await;
        }
        let answer = pipe.request("resources/read", wrap(json!({"uri": uri}))).await;
        let kinds: Vec<&Value> =
            answer["result"]["contents"].as_array().unwrap().iter().map(|one| &one["mimeType"]).collect();
        assert_eq!(kinds, ["text/markdown", "application/json"], "{name}: {answer}");
        let to_read = answer["result"]["contents"][0]["text"].as_str().unwrap();
        assert!(to_read.starts_with('#') && to_read.contains("Byron"), "{to_read}");
        let record = record(&answer, uri);
        assert_eq!((&record["action"], record["dossier"].is_object()), (&json!("dossier"), true));
        let called = wrap(json!({"name": "verify_identity", "arguments": dossier}));
        let content = pipe.request("tools/call", called).await["result"]["content"].clone();
        let linked: Vec<&Value> =
            content.as_array().unwrap().iter().skip(1).map(|link| &link["uri"]).collect();
        assert_eq!(linked, [uri], "{name}");
    }
}
