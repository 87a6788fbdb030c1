//! The tools as an agent sees them: shapes from the Rust types, words from the capability files.

use serde_json::{Map, Value, json};

use super::definition::{ActionDefinition, Definition, Offer};
use crate::capability::{ArgumentKind, ToolWords};

/// A tool of `tools/list`.
#[derive(Debug, Clone)]
pub struct Tool {
    /// What an agent calls it by.
    pub name: &'static str,
    /// What a person reads.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// Flat JSON Schema of the arguments.
    pub input_schema: Map<String, Value>,
    /// JSON Schema of every result, errors included.
    pub output_schema: Map<String, Value>,
    /// Whether no action of it changes anything.
    pub read_only: bool,
    /// A call of each action, with every argument that it takes.
    pub examples: Vec<Example>,
}

/// A call that is right.
#[derive(Debug, Clone)]
pub struct Example {
    /// The action that it is of.
    pub action: &'static str,
    /// What it is called with, `action` included.
    pub arguments: Map<String, Value>,
}

/// The tools that have an action to offer.
pub(super) fn build(tools: &[(Definition, ToolWords)], offer: Offer) -> Vec<Tool> {
    tools.iter().filter_map(|(definition, words)| tool(definition, words, offer)).collect()
}

fn tool(definition: &Definition, words: &ToolWords, offer: Offer) -> Option<Tool> {
    let actions: Vec<&ActionDefinition> =
        definition.actions.iter().filter(|action| action.is_offered(offer)).collect();
    (!actions.is_empty()).then(|| Tool {
        name: definition.tool,
        title: words.title.clone(),
        description: words.description.clone(),
        input_schema: input_schema(&actions, words),
        output_schema: definition.output_schema.clone(),
        read_only: actions.iter().all(|action| !action.writes()),
        examples: actions.iter().map(|action| example(action)).collect(),
    })
}

fn example(action: &ActionDefinition) -> Example {
    let arguments = action.arguments.iter().map(|argument| (argument.name.clone(), argument.example.clone()));
    let arguments = std::iter::once(("action".to_owned(), json!(action.name))).chain(arguments);
    Example { action: action.name, arguments: arguments.collect() }
}

fn input_schema(actions: &[&ActionDefinition], words: &ToolWords) -> Map<String, Value> {
    let names: Vec<&str> = actions.iter().map(|action| action.name).collect();
    let mut properties = Map::new();
    properties.insert(
        "action".to_owned(),
        json!({ "type": "string", "enum": names, "description": words.describe_actions(&names) }),
    );
    for argument in actions.iter().flat_map(|action| &action.arguments) {
        let kind = match argument.kind {
            ArgumentKind::String => "string",
            ArgumentKind::Integer => "integer",
        };
        let description = words.argument(&argument.name).unwrap_or_default();
        properties
            .entry(argument.name.clone())
            .or_insert_with(|| json!({ "type": kind, "description": description }));
    }
    let always = |name: &&String| {
        actions.iter().all(|action| action.argument(name).is_some_and(|argument| argument.required))
    };
    let required: Vec<&str> =
        std::iter::once("action").chain(properties.keys().filter(always).map(String::as_str)).collect();
    let required = json!(required);
    Map::from_iter([
        ("type".to_owned(), json!("object")),
        ("properties".to_owned(), Value::Object(properties)),
        ("required".to_owned(), required),
    ])
}
