//! The OpenAPI description, from the same schemas and words that MCP's clients see.

use serde_json::{Map, Value, json};

use super::{OPENAPI_ROUTE, RestConfig, TOOL_ROUTE, responses};
use crate::domain::Environment;
use crate::tools::{Tool, about};

/// The revision that it is written in.
const REVISION: &str = "3.1.1";
/// The name of the way in, where callers show a token.
const BEARER: &str = "bearer";

/// Describes these tools.
pub(super) fn describe(tools: &[Tool], environment: Environment, config: &RestConfig) -> Value {
    let mut paths: Map<String, Value> = tools.iter().map(|tool| path(tool, config)).collect();
    paths.insert(OPENAPI_ROUTE.to_owned(), own_path(config));
    let mut description = Map::from_iter([
        ("openapi".to_owned(), json!(REVISION)),
        ("info".to_owned(), info(environment, config)),
        ("servers".to_owned(), json!([{ "url": config.address }])),
        ("paths".to_owned(), Value::Object(paths)),
        ("components".to_owned(), components(tools, environment, config)),
    ]);
    if config.authenticates {
        description.insert("security".to_owned(), json!([{ BEARER: [] }]));
    }
    Value::Object(description)
}

fn info(environment: Environment, config: &RestConfig) -> Value {
    let (title, notice) = about(environment);
    json!({
        "title": title,
        "description": format!("{notice}{}", config.words),
        "version": env!("CARGO_PKG_VERSION"),
        "license": { "name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE") },
    })
}

/// The path of a tool.
fn path(tool: &Tool, config: &RestConfig) -> (String, Value) {
    let example =
        |example: &crate::tools::Example| (example.action.to_owned(), json!({ "value": example.arguments }));
    let examples: Map<String, Value> = tool.examples.iter().map(example).collect();
    let mut responses = responses::of_a_call(config.authenticates);
    let result = json!({ "schema": { "$ref": format!("#/components/schemas/{}_result", tool.name) } });
    let success =
        json!({ "description": "What the action came to.", "content": { "application/json": result } });
    responses.shift_insert(0, "200".to_owned(), success);
    let body = json!({
        "required": true,
        "content": { "application/json": {
            "schema": { "$ref": format!("#/components/schemas/{}", tool.name) },
            "examples": examples,
        } },
    });
    let operation = json!({
        "operationId": tool.name,
        "summary": tool.title,
        "description": tool.description,
        "requestBody": body,
        "responses": responses,
    });
    (TOOL_ROUTE.replace("{tool}", tool.name), json!({ "post": operation }))
}

/// The path of the description itself.
fn own_path(config: &RestConfig) -> Value {
    let mut responses = responses::of_a_read(config.authenticates);
    let content = json!({ "application/json": { "schema": { "type": "object" } } });
    let success =
        json!({ "description": "This description, as the caller's rights have it.", "content": content });
    responses.shift_insert(0, "200".to_owned(), success);
    json!({ "get": {
        "operationId": "describe",
        "summary": "Describe what can be called",
        "responses": responses,
    } })
}

fn components(tools: &[Tool], environment: Environment, config: &RestConfig) -> Value {
    let error = tools.iter().find_map(|tool| tool.output_schema.get("properties")?.get("error").cloned());
    let error = error.unwrap_or_else(|| json!({ "type": "object" }));
    let mut schemas: Map<String, Value> = responses::schemas(error).into_iter().collect();
    let environment = json!({
        "description": "Which upstream the result is from.",
        "type": "string",
        "enum": [environment.as_str()],
    });
    schemas.insert("Environment".to_owned(), environment);
    for tool in tools {
        schemas.insert(tool.name.to_owned(), Value::Object(tool.input_schema.clone()));
        schemas.insert(format!("{}_result", tool.name), result(tool));
    }
    let mut components = Map::from_iter([
        ("schemas".to_owned(), Value::Object(schemas)),
        ("responses".to_owned(), responses::components(config.authenticates)),
    ]);
    if config.authenticates {
        let scheme = json!({ "type": "http", "scheme": "bearer",
            "description": "The token that agents hold. What it may do decides what is described here." });
        components.insert("securitySchemes".to_owned(), json!({ BEARER: scheme }));
    }
    Value::Object(components)
}

/// The schema of a result that went well: that of every result, without the error.
fn result(tool: &Tool) -> Value {
    let mut schema = tool.output_schema.clone();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        let actions: Vec<&str> = tool.examples.iter().map(|example| example.action).collect();
        properties.shift_remove("error");
        properties.insert("action".to_owned(), json!({ "type": "string", "enum": actions }));
        properties.insert("environment".to_owned(), json!({ "$ref": "#/components/schemas/Environment" }));
    }
    schema.insert("required".to_owned(), json!(["action", "environment"]));
    Value::Object(schema)
}
