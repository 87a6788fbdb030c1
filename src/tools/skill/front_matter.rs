//! The head of a `SKILL.md`: the fields that the Agent Skills format has, as JSON and as YAML.

use serde_json::{Map, Value, json};

use crate::capability::SkillWords;

/// The fields, in the order of the format; those that the file does not state are left out.
pub(super) fn fields(words: &SkillWords) -> Map<String, Value> {
    let mut metadata: Map<String, Value> =
        words.metadata.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    // So that a person sees which program's words these are.
    metadata.insert("version".to_owned(), json!(env!("CARGO_PKG_VERSION")));
    let fields = [
        ("name", Some(json!(words.skill))),
        ("description", Some(json!(words.description))),
        ("license", words.license.as_ref().map(|license| json!(license))),
        ("compatibility", words.compatibility.as_ref().map(|compatibility| json!(compatibility))),
        ("metadata", Some(Value::Object(metadata))),
    ];
    fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

/// The same between its marks. A JSON text is a YAML text in double quotes: nothing in one ends it.
pub(super) fn text(fields: &Map<String, Value>) -> String {
    let line = |(key, value): (&String, &Value)| match value {
        Value::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(key, value)| format!("\n  {key}: {value}")).collect();
            format!("{key}:{}\n", members.concat())
        }
        // Readers that know little YAML want it without quotes, and it needs none.
        Value::String(name) if key == "name" => format!("{key}: {name}\n"),
        _ => format!("{key}: {value}\n"),
    };
    let lines: Vec<String> = fields.iter().map(line).collect();
    format!("---\n{}---\n", lines.concat())
}
