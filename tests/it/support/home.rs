//! A user's home folder, and what `setup` makes of the clients' files in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::process::{Ended, program};

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/setup");
    fs::read(folder.join(format!("{name}.json"))).unwrap()
}

/// A user's empty home folder, with a project in it.
pub(crate) struct Home {
    pub(crate) folder: TempDir,
    /// What is set there, beside `HOME`.
    pub(crate) variables: Vec<(&'static str, &'static str)>,
}

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("project")).unwrap();
        Self { folder, variables: Vec::new() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) async fn setup(&self, arguments: &[&str]) -> Ended {
        let mut command = program();
        for variable in ["XDG_CONFIG_HOME", "CLAUDE_CONFIG_DIR"] {
            command.env_remove(variable);
        }
        command
            .env("HOME", self.folder.path())
            .envs(self.variables.iter().copied())
            .current_dir(self.path("project"))
            .arg("setup")
            .args(arguments);
        let output = command.stdin(Stdio::null()).output().await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    pub(crate) async fn ok(&self, arguments: &[&str]) -> String {
        let ended = self.setup(arguments).await;
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
        ended.stdout
    }

    pub(crate) async fn refused(&self, code: i32, arguments: &[&str]) -> String {
        let ended = self.setup(arguments).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{}", ended.stderr);
        ended.stderr
    }
}

/// What a text says, comments and a byte order mark left out; an empty object where it says nothing.
pub(crate) fn json_of(bytes: &[u8]) -> Value {
    let text = str::from_utf8(bytes).unwrap();
    let parsed = parse_to_ast(
        text.trim_start_matches('\u{feff}'),
        &CollectOptions::default(),
        &ParseOptions::default(),
    );
    parsed.unwrap().value.map_or_else(|| json!({}), Value::from)
}

pub(crate) fn read(path: &Path) -> Value {
    json_of(&fs::read(path).unwrap())
}

pub(crate) fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

pub(crate) fn section(client: &str) -> &'static str {
    if client == "vscode" { "servers" } else { "mcpServers" }
}
