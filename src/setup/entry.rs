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
        /// Its variables, names and values.
        variables: Vec<(String, String)>,
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
        Server::Program { command, arguments, variables } => {
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

/// What an entry that is there has to do with the wanted one.
#[derive(Debug)]
pub(super) enum Standing {
    /// It is another program's.
    Foreign,
    /// These members are to be set; none: it is as it should be.
    Ours(Vec<(String, Value)>),
    /// It leads to this server another way: the whole of it is to be replaced.
    OursOtherwise,
}

/// Compares. Members of the entry that this program does not write are the user's, and are left alone.
pub(super) fn compare(existing: &Value, wanted: &Map<String, Value>) -> Standing {
    let Some(existing) = existing.as_object() else { return Standing::Foreign };
    if !is_ours(existing, wanted) {
        return Standing::Foreign;
    }
    let is_program = |members: &Map<String, Value>| members.contains_key("command");
    if is_program(existing) != is_program(wanted) {
        return Standing::OursOtherwise;
    }
    let empty = Value::Object(Map::new());
    let mut changes = Vec::new();
    for (name, value) in wanted {
        let stays = existing.get(name) == Some(value)
            // Where no transport is named it is this one.
            || name == "type" && value == "stdio" && !existing.contains_key(name);
        if !stays {
            changes.push((name.clone(), value.clone()));
        }
    }
    for name in ["env", "headers"] {
        if !wanted.contains_key(name) && existing.get(name).is_some_and(|value| *value != empty) {
            changes.push((name.to_owned(), empty.clone()));
        }
    }
    Standing::Ours(changes)
}

/// Whether an entry starts this program, by itself or through a package runner, or leads to the same address.
fn is_ours(existing: &Map<String, Value>, wanted: &Map<String, Value>) -> bool {
    let words = existing.get("args").and_then(Value::as_array).into_iter().flatten();
    let mut words = existing.get("command").into_iter().chain(words).filter_map(Value::as_str);
    let is_same_address = existing.get("url").is_some() && existing.get("url") == wanted.get("url");
    is_same_address || words.any(names_this_program)
}

/// Whether a word is this program: its name, a path to it, a package or image with a version behind it.
fn names_this_program(word: &str) -> bool {
    let name = word.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = name.split(['@', ':']).next().unwrap_or_default();
    name.strip_suffix(".exe").unwrap_or(name) == PROGRAM
}

/// What changes, a line each, for the person. Of variables and headers the names alone: a value may be a secret.
pub(super) fn told(existing: &Value, changes: &[(String, Value)]) -> Vec<String> {
    changes.iter().flat_map(|(name, value)| told_of(name, existing.get(name), value)).collect()
}

fn told_of(name: &str, old: Option<&Value>, new: &Value) -> Vec<String> {
    let Some(new_members) = new.as_object() else {
        return vec![match old {
            Some(old) => format!("{name}: {old} becomes {new}"),
            None => format!("{name}: {new} is added"),
        }];
    };
    let none = Map::new();
    let old_members = old.and_then(Value::as_object).unwrap_or(&none);
    let gone = old_members.keys().filter(|key| !new_members.contains_key(*key));
    let gone = gone.map(|key| format!("{name}: {key} is removed"));
    let set = new_members.iter().filter_map(|(key, value)| match old_members.get(key) {
        Some(old) if old == value => None,
        Some(_) => Some(format!("{name}: {key} gets another value")),
        None => Some(format!("{name}: {key} is added")),
    });
    gone.chain(set).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_is_known_however_it_is_started() {
        for ours in [
            "fintecture-mcp",
            "/usr/local/bin/fintecture-mcp",
            r"C:\Tools\fintecture-mcp.exe",
            "fintecture-mcp@0.1.0",
            "ghcr.io/example/fintecture-mcp:latest",
        ] {
            assert!(names_this_program(ours), "{ours}");
        }
        for other in ["fintecture", "not-fintecture-mcp", "fintecture-mcp-proxy", "/fintecture-mcp/other", ""]
        {
            assert!(!names_this_program(other), "{other}");
        }
    }
}
