//! Portable JSON Schemas from Rust types: flat, one type a property, no references, no null unions.
//!
//! schemars' own form uses references, null unions and number formats, which clients in wide use refuse.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::definition::Argument;
use crate::capability::ArgumentKind;

/// Keywords that carry no shape, or that some client cannot take.
const LEFT_OUT: [&str; 8] =
    ["$schema", "title", "description", "examples", "format", "minimum", "maximum", "additionalProperties"];

/// The arguments that a type describes, in the order of its fields.
pub(super) fn arguments<Input: JsonSchema>() -> Vec<Argument> {
    let schema = generate::<Input>();
    let required = |name: &String| {
        schema
            .get("required")
            .and_then(Value::as_array)
            .is_some_and(|names| names.iter().any(|other| other == name))
    };
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    properties
        .map(|(name, property)| Argument {
            name: name.clone(),
            kind: if has_type(property, "integer") { ArgumentKind::Integer } else { ArgumentKind::String },
            required: required(name),
            example: example(property),
        })
        .collect()
}

/// The schema of a tool's results.
pub(super) fn output<Output: JsonSchema>() -> Map<String, Value> {
    let mut schema = Value::Object(generate::<Output>());
    simplify(&mut schema);
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

fn generate<T: JsonSchema>() -> Map<String, Value> {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    match settings.into_generator().into_root_schema_for::<T>().to_value() {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

fn has_type(property: &Value, wanted: &str) -> bool {
    match property.get("type") {
        Some(Value::String(kind)) => kind == wanted,
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == wanted),
        _ => property
            .get("anyOf")
            .and_then(Value::as_array)
            .is_some_and(|any| any.iter().any(|one| has_type(one, wanted))),
    }
}

fn example(property: &Value) -> Value {
    let own = property.get("examples").and_then(Value::as_array).and_then(|examples| examples.first());
    let inner =
        || property.get("anyOf")?.as_array()?.iter().find_map(|one| one.get("examples")?.as_array()?.first());
    own.or_else(inner).cloned().unwrap_or_default()
}

/// Leaves a schema with types, properties, items and required members.
fn simplify(schema: &mut Value) {
    let Value::Object(members) = schema else {
        return;
    };
    if let Some(Value::Array(any)) = members.shift_remove("anyOf") {
        // `Option<T>` of a type with a schema of its own is a union with null; absence says the same.
        if let Some(Value::Object(present)) = any.into_iter().find(|one| !has_type(one, "null")) {
            members.extend(present);
        }
    }
    if let Some(Value::Array(kinds)) = members.get("type") {
        let kind = kinds.iter().find(|kind| *kind != "null").cloned().unwrap_or_default();
        members.insert("type".to_owned(), kind);
    }
    for keyword in LEFT_OUT {
        members.shift_remove(keyword);
    }
    if let Some(Value::Object(properties)) = members.get_mut("properties") {
        for property in properties.values_mut() {
            if *property == Value::Bool(true) {
                *property = Value::Object(Map::new());
            }
            simplify(property);
        }
    }
    if let Some(items) = members.get_mut("items") {
        simplify(items);
    }
}
