//! This server's entry in a client's file, and whether one that is there is this server's.

use serde_json::{Map, Value, json};

use super::client::Client;

/// What a program of this name is called on every platform.
const PROGRAM: &str = "fintecture-mcp";

/// How the client gets to the server.
#[derive(Debug, Clone)]
pub enum Server {
    /// It starts a program and speaks to it over its standard input and output.
    Program {
        /// The program.
        command: String,
        /// Its arguments.
        arguments: Vec<String>,
        /// Its variables, names and values. Others that stand there stay.
        variables: Vec<(String, String)>,
        /// Variables that go where they stand there.
        dropped: Vec<String>,
    },
    /// It connects to one that runs.
    Address {
        /// Where it runs, such as `http://127.0.0.1:8080/mcp`.
        url: String,
        /// What it is shown as `Authorization`.
        authorization: Option<String>,
    },
}

/// A secret that the client asks its user for.
#[derive(Debug, Clone)]
pub struct Question {
    /// What the entry refers to it by.
    pub id: String,
    /// What the user is asked for.
    pub description: String,
}

impl Question {
    /// As it stands in a client's file.
    pub(super) fn input(&self) -> Value {
        json!({ "type": "promptString", "id": self.id, "description": self.description, "password": true })
    }
}

/// The members of an entry, as this client writes them.
pub(super) fn entry(client: Client, server: &Server) -> Map<String, Value> {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    match server {
        Server::Program { command, arguments, variables, .. } => {
            if client.names_transports() {
                put("type", "stdio".into());
            }
            put("command", command.as_str().into());
            put("args", arguments.as_slice().into());
            if !variables.is_empty() {
                let variables =
                    variables.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
                put("env", Value::Object(variables.collect()));
            }
        }
        Server::Address { url, authorization } => {
            if client.names_transports() {
                put("type", if url.ends_with("/sse") { "sse" } else { "http" }.into());
            }
            put("url", url.as_str().into());
            if let Some(authorization) = authorization {
                put("headers", json!({ "Authorization": authorization }));
            }
        }
    }
    members
}

/// What an entry of this server's says that is there.
#[derive(Debug)]
pub struct Existing {
    /// The words behind the program.
    pub arguments: Vec<String>,
    /// The variables whose values are texts.
    pub variables: Vec<(String, String)>,
}

/// Reads one; `None` where it is another program's, or leads to an address.
pub(super) fn existing(entry: &Value) -> Option<Existing> {
    let Start::Here(arguments) = start(entry.as_object()?) else { return None };
    let variables = entry.get("env").and_then(Value::as_object).into_iter().flatten();
    let variables = variables.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    Some(Existing { arguments, variables: variables.collect() })
}

/// What an entry that is there has to do with the wanted one.
#[derive(Debug)]
pub(super) enum Standing {
    /// It is another program's.
    Foreign,
    /// It is this program's, in a container.
    Contained,
    /// What is to become of it; nothing: it is as it should be.
    Ours(Vec<Change>),
    /// It leads to this server another way: the whole of it is to be replaced.
    OursOtherwise,
}

/// What becomes of a member of an entry.
#[derive(Debug)]
pub(super) struct Change {
    /// Where: the names of members, one in the other.
    pub(super) path: Vec<String>,
    pub(super) value: Value,
    /// What the person is told. Nothing of what stood there: it may be a secret.
    pub(super) told: Vec<String>,
}

/// Compares. What this program does not write is the user's, members and variables alike, and is left alone.
pub(super) fn compare(existing: &Value, wanted: &Map<String, Value>, dropped: &[String]) -> Standing {
    let Some(existing) = existing.as_object() else { return Standing::Foreign };
    let is_same_address = existing.get("url").is_some() && existing.get("url") == wanted.get("url");
    if !is_same_address {
        match start(existing) {
            Start::Elsewhere => return Standing::Foreign,
            Start::Container => return Standing::Contained,
            Start::Here(_) if wanted.contains_key("url") => return Standing::OursOtherwise,
            Start::Here(_) => {}
        }
    }
    let mut changes = Vec::new();
    for (name, value) in wanted {
        let old = existing.get(name);
        if let Some(members) = value.as_object() {
            changes.extend(change_members(name, old, members, dropped));
            continue;
        }
        let stays = old == Some(value)
            // Where no transport is named it is this one.
            || name == "type" && value == "stdio" && old.is_none();
        if !stays {
            let told = if old.is_some() { "becomes" } else { "is added:" };
            let told = vec![format!("{name} {told} {value}")];
            changes.push(Change { path: vec![name.clone()], value: value.clone(), told });
        }
    }
    if !wanted.contains_key("env") {
        changes.extend(change_members("env", existing.get("env"), &Map::new(), dropped));
    }
    Standing::Ours(changes)
}

/// Sets members of an object one by one. Where some go, it is written anew, with the others in it.
fn change_members(
    name: &str,
    old: Option<&Value>,
    wanted: &Map<String, Value>,
    dropped: &[String],
) -> Vec<Change> {
    let none = Map::new();
    let there = old.and_then(Value::as_object).unwrap_or(&none);
    let mut changes = Vec::new();
    for (key, value) in wanted.iter().filter(|(key, value)| there.get(*key) != Some(value)) {
        let what = if there.contains_key(key) { "gets another value" } else { "is added" };
        let told = vec![format!("{name}: {key} {what}")];
        changes.push(Change { path: vec![name.to_owned(), key.clone()], value: value.clone(), told });
    }
    let goes = |key: &String| dropped.contains(key) && !wanted.contains_key(key);
    if old.is_none_or(Value::is_object) && !there.keys().any(goes) {
        return changes;
    }
    let gone = there.keys().filter(|key| goes(key)).map(|key| format!("{name}: {key} is removed"));
    let told = gone.chain(changes.into_iter().flat_map(|change| change.told)).collect();
    let mut value = there.clone();
    value.retain(|key, _| !goes(key));
    value.extend(wanted.clone());
    vec![Change { path: vec![name.to_owned()], value: Value::Object(value), told }]
}

/// What an entry starts.
enum Start {
    /// This program, by itself or through a package runner, with these words behind it.
    Here(Vec<String>),
    /// This program, in a container.
    Container,
    /// Something else, or nothing.
    Elsewhere,
}

/// The command alone decides, and the package of a known runner: a folder or a file of another program may be called
/// like this one.
fn start(entry: &Map<String, Value>) -> Start {
    let Some(command) = entry.get("command").and_then(Value::as_str) else { return Start::Elsewhere };
    let words = entry.get("args").and_then(Value::as_array).into_iter().flatten();
    let words: Vec<&str> = words.filter_map(Value::as_str).collect();
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match program_name(command) {
        PROGRAM => Start::Here(owned(&words)),
        "npx" | "uvx" => {
            let package = words.iter().position(|word| !word.starts_with('-'));
            let is_ours = |at: &usize| words.get(*at).is_some_and(|word| bare_name(word) == PROGRAM);
            let Some(package) = package.filter(is_ours) else { return Start::Elsewhere };
            let behind = words.get(package + 1..).unwrap_or_default();
            // `--package fintecture-mcp fintecture-mcp`
            Start::Here(owned(behind.strip_prefix(&[PROGRAM]).unwrap_or(behind)))
        }
        "docker" | "podman" if words.iter().any(|word| is_image(word)) => Start::Container,
        _ => Start::Elsewhere,
    }
}

/// The name of a program's file.
fn program_name(command: &str) -> &str {
    let name = command.rsplit(['/', '\\']).next().unwrap_or_default();
    [".exe", ".cmd"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

/// A package or an image without its version.
fn bare_name(word: &str) -> &str {
    word.split(['@', ':', '=']).next().unwrap_or_default()
}

fn is_image(word: &str) -> bool {
    !word.starts_with(['-', '/', '.', '~'])
        && bare_name(word.rsplit('/').next().unwrap_or_default()) == PROGRAM
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_is_known_by_what_is_started() {
        let started = |command: &str, words: &[&str]| {
            start(json!({ "command": command, "args": words }).as_object().unwrap())
        };
        for (command, words) in [
            ("fintecture-mcp", &["--read-only"][..]),
            ("/usr/local/bin/fintecture-mcp", &["--read-only"]),
            (r"C:\Tools\fintecture-mcp.exe", &["--read-only"]),
            ("npx", &["-y", "fintecture-mcp@0.1.0", "--read-only"]),
            (r"C:\node\npx.cmd", &["-y", "--package", "fintecture-mcp", "fintecture-mcp", "--read-only"]),
            ("/home/ada/.local/bin/uvx", &["fintecture-mcp==0.1.0", "--read-only"]),
        ] {
            let Start::Here(behind) = started(command, words) else { panic!("{command} {words:?}") };
            assert_eq!(behind, ["--read-only"], "{command}");
        }
        let image = "ghcr.io/example/fintecture-mcp:latest";
        for runner in ["docker", "/usr/bin/podman"] {
            assert!(matches!(started(runner, &["run", "-i", image]), Start::Container));
        }
        for (command, words) in [
            ("uv", &["--directory", "/home/u/src/fintecture-mcp", "run", "inhouse_server.py"][..]),
            ("node", &["/opt/fintecture-mcp"]),
            ("/fintecture-mcp/other", &[]),
            ("fintecture-mcp-proxy", &["fintecture-mcp"]),
            ("npx", &["-y", "other", "fintecture-mcp"]),
            ("npx", &["@other/fintecture-mcp"]),
            ("docker", &["run", "-v", "/home/u/fintecture-mcp:/a", "other"]),
            ("docker", &["run", "-v", "/home/u/fintecture-mcp", "other"]),
        ] {
            assert!(matches!(started(command, words), Start::Elsewhere), "{command} {words:?}");
        }
    }
}
