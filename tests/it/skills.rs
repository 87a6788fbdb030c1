//! The skill over MCP (SEP-2640), through a real client: what is promised by digest is what is read, and it is what
//! `skill export` writes.

use std::collections::BTreeMap;

use fintecture_mcp::calls::{CallLimits, CallsConfig};
use rmcp::model::{
    DIRECTORY_MIME_TYPE, GetSkillRequestParams, ReadResourceDirectoryRequestParams,
    ReadResourceRequestParams, Skill, SkillResources, validate_skills,
};
use serde_json::{Value, json};

use crate::support::agent::Agent;
use crate::support::in_time;
use crate::support::inside::{Inside, principal};
use crate::support::pipe::Pipe;
use crate::support::setup::Setup;
use crate::support::simulator::simulator;
use crate::support::skill::{Files, NAME, exported, front_matter, known, names};
use crate::support::wire::{self, OLDER, stateless};

const ENTRY: &str = "skill://kyc-check/SKILL.md";
const FOLDER: &str = "skill://kyc-check";

async fn listed(agent: &Agent) -> Vec<Skill> {
    let skills = in_time(agent.client.list_all_skills()).await.unwrap();
    validate_skills(&skills).unwrap();
    skills
}

/// The files of a skill, each as its entry promised it.
async fn files(agent: &Agent, skill: &Skill) -> Files {
    let SkillResources::Files(promised) = &skill.resources else { panic!("{skill:?}") };
    let mut files = BTreeMap::new();
    for file in promised {
        let read =
            in_time(agent.client.read_resource(ReadResourceRequestParams::new(&file.uri))).await.unwrap();
        let read = json!(read);
        let [contents] = read["contents"].as_array().unwrap().as_slice() else { panic!("{read}") };
        assert_eq!((&contents["uri"], &contents["mimeType"]), (&json!(file.uri), &json!("text/markdown")));
        let text = contents["text"].as_str().unwrap();
        file.verify(text.as_bytes()).unwrap();
        files.insert(file.uri.strip_prefix("skill://kyc-check/").unwrap().to_owned(), text.to_owned());
    }
    files
}

#[tokio::test]
async fn what_is_served_is_what_is_promised_and_what_is_exported_on_each_way_in() {
    let http = Setup::simulator().http().await;
    let agents = [Setup::simulator().agent().await, http.agent().await, http.agent_over_legacy_sse().await];
    let on_disk = exported(&[]).await;
    for agent in agents {
        let skills = listed(&agent).await;
        let [skill] = skills.as_slice() else { panic!("{skills:?}") };
        let got = in_time(agent.client.get_skill(GetSkillRequestParams::new(ENTRY))).await.unwrap();
        assert_eq!((&got.skill, skill.uri.as_str(), skill.name()), (skill, ENTRY, NAME));
        let files = files(&agent, skill).await;
        assert_eq!(files, on_disk);
        let (head, _) = front_matter(&files["SKILL.md"]);
        assert_eq!(json!(skill.frontmatter), head, "hosts refuse a skill whose entry says otherwise");
    }
}

#[tokio::test]
async fn folders_are_listed_one_step_deep() {
    let agent = Setup::simulator().agent().await;
    let read = async |uri: &str| {
        in_time(agent.client.read_resource_directory(ReadResourceDirectoryRequestParams::new(uri))).await
    };
    let children: Vec<_> = read(FOLDER).await.unwrap().resources;
    let kinds: Vec<(&str, bool)> =
        children.iter().map(|child| (child.uri.as_str(), child.is_directory())).collect();
    assert_eq!(kinds, [(ENTRY, false), ("skill://kyc-check/references", true)]);
    assert_eq!(children[1].mime_type.as_deref(), Some(DIRECTORY_MIME_TYPE));
    let below = read("skill://kyc-check/references").await.unwrap().resources;
    let names: Vec<&str> = below.iter().map(|child| child.name.as_str()).collect();
    assert_eq!(names, ["tools.md", "errors.md", "limits.md", "other-tasks.md"]);
    // So that a client that knows resources alone finds the same.
    let listed = in_time(agent.client.list_all_resources()).await.unwrap();
    for child in below.iter().chain(children.first()) {
        assert!(listed.contains(child), "{child:?}");
    }
    for uri in
        ["skill://", "skill:/", "skill://kyc", ENTRY, "skill://kyc-check/", "fintecture://capabilities", ""]
    {
        let refused = read(uri).await.unwrap_err().to_string();
        assert!(refused.contains("no folder of a skill") && refused.contains(FOLDER), "{uri}: {refused}");
    }
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_with_those_that_are() {
    let mut pipe = Setup::simulator().pipe();
    let mut ask = async |method: &str, uri: Value| {
        let refused = pipe.request(method, stateless(json!({"uri": uri}))).await;
        assert_eq!(refused["error"]["code"], -32602, "{method} {uri}: {refused}");
        refused["error"]["message"].as_str().unwrap().to_owned()
    };
    let told = ask("skills/get", json!("skill://other/SKILL.md")).await;
    assert_eq!(told, "there is no such skill; the only one is skill://kyc-check/SKILL.md");
    for uri in [
        "skill://kyc-check",
        "skill://KYC-check/SKILL.md",
        "skill://kyc-check/SKILL.md?",
        "fintecture://customers/x",
    ] {
        ask("skills/get", json!(uri)).await;
    }
    for uri in [
        "skill://kyc-check",
        "skill://kyc-check/",
        "skill://kyc-check/../SKILL.md",
        "skill://kyc-check/references/none.md",
        "skill://",
    ] {
        ask("resources/read", json!(uri)).await;
    }
    for method in ["skills/get", "resources/directory/read"] {
        let told = ask(method, json!(7)).await;
        assert!(told.contains("do not have the shape that the protocol asks for"), "{method}: {told}");
    }
}

#[tokio::test]
async fn on_each_way_in_with_and_without_a_handshake() {
    for revision in OLDER {
        for (name, mut wire) in wire::each().await {
            wire.initialize(revision).await;
            let list = wire.request("skills/list", json!({})).await;
            assert_eq!(list["result"]["skills"][0]["uri"], ENTRY, "{name} {revision}");
        }
    }
    for (name, mut wire) in wire::each().await {
        for (method, params) in [
            ("skills/list", json!({})),
            ("skills/get", json!({"uri": ENTRY})),
            ("resources/read", json!({"uri": ENTRY})),
            ("resources/directory/read", json!({"uri": FOLDER})),
        ] {
            let result = wire.request(method, stateless(params)).await["result"].clone();
            assert_eq!(
                (&result["ttlMs"], &result["cacheScope"]),
                (&json!(300_000), &json!("private")),
                "{name} {method}"
            );
            assert_eq!(result["resultType"], "complete", "{name} {method}");
            assert!(result["_meta"]["io.modelcontextprotocol/serverInfo"].is_object(), "{name} {method}");
        }
    }
}

/// It goes with its prompt: a procedure whose steps cannot be taken is none.
#[tokio::test]
async fn where_nothing_may_be_written_there_is_no_skill() {
    let mut pipe: Pipe = Setup::simulator().flag("--read-only").pipe();
    pipe.initialize("2025-11-25").await;
    let list = pipe.request("skills/list", json!({})).await;
    assert_eq!(list["result"]["skills"], json!([]));
    for (method, uri) in [("skills/get", ENTRY), ("resources/directory/read", FOLDER)] {
        let refused = pipe.request(method, json!({"uri": uri})).await["error"].clone();
        assert_eq!(refused["code"], -32602);
        assert!(refused["message"].as_str().unwrap().contains("this server is read-only"), "{refused}");
    }
    assert_eq!(pipe.request("resources/read", json!({"uri": ENTRY})).await["error"]["code"], -32002);
    let resources = pipe.request("resources/list", json!({})).await;
    assert!(!resources.to_string().contains("skill://"), "{resources}");
}

#[tokio::test]
async fn whoever_may_do_less_reads_of_less_by_digests_of_its_own() {
    let simulator = simulator(&[]).await;
    let inside = Inside::before(&simulator.base_url(), CallsConfig::default());
    let everything =
        inside.agent(&principal("ada", "customers:write bank-accounts:write verifications:write")).await;
    let least =
        inside.agent(&principal("bob", "customers:read bank-accounts:read verifications:write")).await;
    let [all, some] = [&listed(&everything).await[0], &listed(&least).await[0]].map(Clone::clone);
    assert_ne!(all.resources, some.resources);
    let whole = files(&everything, &all).await;
    assert_eq!(whole, exported(&[]).await);
    let part = files(&least, &some).await;
    assert!(whole["references/tools.md"].contains("### `manage_customers create`"));
    for (path, text) in &part {
        assert!(!text.contains("manage_customers create") && !text.contains("`iban`"), "{path}");
    }
    let tools = in_time(least.client.list_all_tools()).await.unwrap();
    let tools: Vec<Value> = tools.iter().map(|tool| json!(tool)).collect();
    let known = known(&tools);
    for path in ["SKILL.md", "references/tools.md", "references/other-tasks.md"] {
        for name in names(&part[path]).into_iter().filter(|name| *name != "--header @FILE") {
            assert!(known.iter().any(|known| known == name), "{path} names `{name}`");
        }
    }
    let nobody = inside.agent(&principal("eve", "customers:read verifications:write")).await;
    assert!(listed(&nobody).await.is_empty());
    let refused =
        in_time(nobody.client.get_skill(GetSkillRequestParams::new(ENTRY))).await.unwrap_err().to_string();
    assert!(refused.contains("scope bank-accounts:read"), "{refused}");
    let read =
        nobody.client.read_resource(ReadResourceRequestParams::new("skill://kyc-check/references/limits.md"));
    assert!(in_time(read).await.unwrap_err().to_string().contains("no such resource"));
}

#[tokio::test]
async fn each_request_counts_towards_the_limits() {
    let simulator = simulator(&[]).await;
    let limits = CallLimits { per_minute: 1, ..CallLimits::default() };
    for (method, params) in [
        ("skills/list", json!({})),
        ("skills/get", json!({"uri": ENTRY})),
        ("skills/get", json!({"uri": "skill://other/SKILL.md"})),
        ("resources/directory/read", json!({"uri": FOLDER})),
        ("resources/read", json!({"uri": ENTRY})),
    ] {
        let inside = Inside::before(&simulator.base_url(), CallsConfig { limits, ..CallsConfig::default() });
        let ada = principal("ada", "customers:read bank-accounts:read verifications:write");
        inside.request(&ada, method, stateless(params.clone())).await;
        let over = inside.request(&ada, method, stateless(params)).await;
        assert_eq!(over["error"]["data"]["error"]["kind"], "rate_limited", "{method}: {over}");
    }
}
