//! The skill as it stands on disk, and what its texts name.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::process::run;

/// The name of the skill, and of its folder.
pub(crate) const NAME: &str = "kyc-check";

/// Files by their paths in the skill's folder.
pub(crate) type Files = BTreeMap<String, String>;

/// The skill as `skill export` writes it, with these flags, without the hidden record.
pub(crate) async fn exported(flags: &[&str]) -> Files {
    let dir = TempDir::new().unwrap();
    let arguments = [&["skill", "export", dir.path().to_str().unwrap()], flags].concat();
    let ended = run(&arguments, &[]).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let mut files = read(&dir.path().join(NAME));
    files.remove(".fintecture-mcp.sha256").expect("a record of what was written");
    files
}

/// Every file below a folder.
pub(crate) fn read(folder: &Path) -> Files {
    let mut files = Files::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            files.extend(read(&path).into_iter().map(|(below, text)| (format!("{name}/{below}"), text)));
        } else {
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    files
}

/// The head of a `SKILL.md` as JSON, and what follows it.
pub(crate) fn front_matter(text: &str) -> (Value, &str) {
    let (yaml, rest) = text.strip_prefix("---\n").unwrap().split_once("\n---\n").unwrap();
    (serde_saphyr::from_str(yaml).unwrap(), rest)
}

/// The fenced blocks of one language.
pub(crate) fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let start = format!("```{language}\n");
    text.split(&start).skip(1).map(|rest| rest.split_once("\n```").unwrap().0).collect()
}

/// What stands in backticks, outside blocks.
pub(crate) fn names(text: &str) -> Vec<&str> {
    let prose: Vec<&str> = text.split("```").step_by(2).collect();
    prose.iter().flat_map(|prose| prose.split('`').skip(1).step_by(2)).collect()
}

/// Everything that a skill may name beside an error's kinds: the tools that are listed, each with its actions, their
/// arguments, and the members of results.
pub(crate) fn known(tools: &[Value]) -> Vec<String> {
    let mut known = Vec::new();
    for tool in tools {
        let name = tool["name"].as_str().unwrap();
        known.push(name.to_owned());
        let properties = tool["inputSchema"]["properties"].as_object().unwrap();
        known.extend(properties.keys().cloned());
        let actions = properties["action"]["enum"].as_array().unwrap();
        known.extend(actions.iter().map(|action| format!("{name} {}", action.as_str().unwrap())));
        members(&tool["outputSchema"], &mut known);
    }
    known
}

fn members(schema: &Value, known: &mut Vec<String>) {
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        known.push(name.clone());
        members(member, known);
    }
}

/// The text without what changes from version to version.
pub(crate) fn settled(text: &str) -> String {
    text.replace(&json!(env!("CARGO_PKG_VERSION")).to_string(), "\"[version]\"")
}
