//! The words and shapes that an agent gets before it calls anything.

use serde_json::{Value, json};

use crate::support::setup::Setup;

const LATEST: &str = "2025-11-25";

async fn tools(setup: &Setup) -> Vec<Value> {
    let mut pipe = setup.pipe();
    pipe.initialize(LATEST).await;
    let answer = pipe.request("tools/list", json!({})).await;
    assert_eq!(answer["result"].get("nextCursor"), None, "one page holds all tools");
    answer["result"]["tools"].as_array().unwrap().clone()
}

#[tokio::test]
async fn each_tool() {
    for tool in tools(&Setup::simulator()).await {
        let name = tool["name"].as_str().unwrap().to_owned();
        insta::assert_json_snapshot!(format!("tool_{name}"), tool);
    }
}

#[tokio::test]
async fn each_tool_where_nothing_may_be_written() {
    let read_only = tools(&Setup::simulator().flag("--read-only")).await;
    for tool in &read_only {
        let name = tool["name"].as_str().unwrap();
        // The output schema is that of the full tool.
        let mut shown = tool.clone();
        shown.as_object_mut().unwrap().shift_remove("outputSchema");
        insta::assert_json_snapshot!(format!("read_only_tool_{name}"), shown);
    }
    let all = tools(&Setup::simulator()).await;
    for (reduced, full) in read_only.iter().zip(&all) {
        assert_eq!(reduced["outputSchema"], full["outputSchema"]);
    }
}

#[tokio::test]
async fn the_list_is_small_enough_for_any_context() {
    let list = json!({"tools": tools(&Setup::simulator()).await});
    let compact = list.to_string();
    assert!(compact.len() < 10_000, "{} bytes", compact.len());
    // As Python's json.dumps writes it: a space after each separator that stands outside of strings.
    let (mut separators, mut in_string, mut escaped) = (0, false, false);
    for c in compact.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            ',' | ':' if !in_string => separators += 1,
            _ => {}
        }
    }
    assert!(compact.len() + separators < 10_000, "{} bytes as Python writes it", compact.len() + separators);
}

#[tokio::test]
async fn input_schemas_are_flat() {
    for setup in [Setup::simulator(), Setup::simulator().flag("--read-only")] {
        for tool in tools(&setup).await {
            assert!(tool["description"].as_str().unwrap().chars().count() <= 1024);
            let schema = tool["inputSchema"].as_object().unwrap();
            let keys: Vec<&String> = schema.keys().collect();
            assert_eq!(keys, ["type", "properties", "required"]);
            assert_eq!(schema["type"], "object");
            let properties = schema["properties"].as_object().unwrap();
            for required in schema["required"].as_array().unwrap() {
                assert!(properties.contains_key(required.as_str().unwrap()), "{required} is no property");
            }
            for (name, property) in properties {
                for keyword in property.as_object().unwrap().keys() {
                    let allowed = ["type", "description"].contains(&keyword.as_str())
                        || (name == "action" && keyword == "enum");
                    assert!(allowed, "{keyword} in {name}");
                }
                assert!(["string", "integer"].contains(&property["type"].as_str().unwrap()), "{name}");
                let words = property["description"].as_str().unwrap();
                assert!((1..=1024).contains(&words.chars().count()), "{name}");
                let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
                assert!(name.len() <= 64 && name.chars().all(fits), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn output_schemas_promise_an_object_and_its_environment() {
    for tool in tools(&Setup::simulator()).await {
        let schema = &tool["outputSchema"];
        assert_eq!(schema["type"], "object");
        assert_eq!(schema["required"], json!(["environment"]));
        let text = schema.to_string();
        for word in ["$ref", "$defs", "oneOf", "anyOf", "allOf", "const", "additionalProperties", "\"null\""]
        {
            assert!(!text.contains(word), "{word} in the output schema of {}", tool["name"]);
        }
    }
}

fn in_environment(name: &str) -> Setup {
    let setup = Setup::simulator().flag("--environment").flag(name);
    if name == "simulator" { setup } else { setup.variable("FINTECTURE_CUSTOMER_TOKEN", "t") }
}

#[tokio::test]
async fn what_the_server_says_of_itself() {
    for environment in ["simulator", "sandbox", "production"] {
        let mut about = in_environment(environment).pipe().initialize(LATEST).await;
        assert_eq!(about["serverInfo"]["version"], env!("CARGO_PKG_VERSION"));
        about["serverInfo"]["version"] = json!("[version]");
        insta::assert_json_snapshot!(format!("initialize_{environment}"), about);
    }
}

#[tokio::test]
async fn the_simulator_says_so_on_standard_error() {
    let mut pipe = Setup::simulator().pipe();
    pipe.initialize(LATEST).await;
    pipe.process.logged("SIMULATOR: every customer, account and verification is made up").await;
}

#[tokio::test]
async fn broken_calls_get_protocol_errors() {
    let mut pipe = Setup::simulator().pipe();
    pipe.initialize(LATEST).await;
    let unknown = pipe.request("tools/call", json!({"name": "manage_customer", "arguments": {}})).await;
    assert_eq!(unknown["error"]["code"], -32602);
    let said = unknown["error"]["message"].as_str().unwrap();
    assert!(said.contains("manage_customers"), "it names the tools that there are: {said}");
    let shapeless = pipe.request("tools/call", json!({"name": 1})).await;
    assert_eq!(shapeless["error"]["code"], -32602, "{shapeless}");
    let no_method = pipe.request("tools/delete", json!({})).await;
    assert_eq!(no_method["error"]["code"], -32601, "{no_method}");
}
