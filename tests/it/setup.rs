//! `setup`: a client's file gets our entry and loses nothing; what is broken is left alone, and the place is told.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use jsonc_parser::parse_to_ast;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::process::{Ended, program};

/// What becomes of a file as people have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Our entry is new.
    Added,
    /// Ours was there, and is another now.
    Changed,
    /// It is left alone, for this.
    Refused(&'static str),
}
use Fate::{Added, Changed, Refused};

/// Each file of `tests/fixtures/setup`, whose it is, and what becomes of it.
const FILES: [(&str, &str, Fate); 49] = [
    ("empty", "claude-desktop", Added),
    ("white_space", "claude-desktop", Added),
    ("empty_object", "claude-desktop", Added),
    ("empty_object_line", "claude-code", Added),
    ("open_object", "cursor", Added),
    ("preferences", "claude-desktop", Added),
    ("empty_servers", "claude-desktop", Added),
    ("open_servers", "claude-desktop", Added),
    ("one_server", "claude-desktop", Added),
    ("many_servers", "cursor", Added),
    ("one_line", "claude-code", Added),
    ("one_line_spaced", "claude-code", Added),
    ("tabs", "claude-desktop", Added),
    ("four_spaces", "cursor", Added),
    ("crlf", "claude-desktop", Added),
    ("bom", "claude-code", Added),
    ("bom_alone", "claude-desktop", Added),
    ("no_final_newline", "claude-code", Added),
    ("unicode", "claude-code", Added),
    ("claude_code", "claude-code", Added),
    ("blank_lines", "claude-desktop", Added),
    ("odd_layout", "claude-desktop", Added),
    ("comments", "cursor", Added),
    ("comments_alone", "cursor", Added),
    ("comments_inside", "cursor", Added),
    ("trailing_commas", "cursor", Added),
    ("comma_first", "cursor", Added),
    ("vscode_inputs", "vscode", Added),
    ("vscode_empty_inputs", "vscode", Added),
    ("vscode_asked", "vscode", Added),
    ("ours_old", "cursor", Changed),
    ("ours_in_clear", "claude-desktop", Changed),
    ("ours_by_address", "cursor", Refused("the name \"fintecture\" is another server's there")),
    ("foreign", "claude-desktop", Refused("the name \"fintecture\" is another server's there")),
    ("broken_missing_comma", "cursor", Refused("line 3, column 28: expected comma")),
    ("broken_unclosed", "claude-desktop", Refused("line 2, column 17: unterminated object")),
    ("broken_comment", "claude-desktop", Refused("line 2, column 3: comments are not allowed")),
    ("broken_trailing_comma", "claude-code", Refused("line 3, column 26: trailing commas are not allowed")),
    ("broken_single_quotes", "vscode", Refused("line 2, column 3: single-quoted strings are not allowed")),
    ("broken_conflict", "cursor", Refused("line 2, column 1: unexpected token")),
    ("broken_two_values", "claude-code", Refused("line 2, column 1: text cannot contain more than one")),
    ("broken_twice", "claude-desktop", Refused("line 4, column 3: \"mcpServers\" stands here a second time")),
    ("broken_list", "claude-desktop", Refused("line 2, column 17: an object must stand here")),
    ("broken_null", "claude-desktop", Refused("line 1, column 17: an object must stand here")),
    ("broken_root", "vscode", Refused("line 1, column 1: an object must stand here")),
    ("broken_escape", "claude-desktop", Refused("line 3, column 14: invalid escape")),
    ("broken_html", "cursor", Refused("line 1, column 1: unexpected token")),
    ("broken_utf16", "claude-desktop", Refused("line 1 is not UTF-8 text")),
    ("broken_latin1", "claude-desktop", Refused("line 3 is not UTF-8 text")),
];

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/setup");
    fs::read(folder.join(format!("{name}.json"))).unwrap()
}

/// A user's empty home folder, with a project in it.
struct Home {
    folder: TempDir,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("project")).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    async fn setup(&self, arguments: &[&str]) -> Ended {
        let mut command = program();
        for variable in ["XDG_CONFIG_HOME", "CLAUDE_CONFIG_DIR"] {
            command.env_remove(variable);
        }
        command
            .env("HOME", self.folder.path())
            .current_dir(self.path("project"))
            .arg("setup")
            .args(arguments);
        let output = command.stdin(std::process::Stdio::null()).output().await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    async fn ok(&self, arguments: &[&str]) -> String {
        let ended = self.setup(arguments).await;
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
        ended.stdout
    }

    async fn refused(&self, code: i32, arguments: &[&str]) -> String {
        let ended = self.setup(arguments).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{}", ended.stderr);
        ended.stderr
    }
}

/// What a text says, comments and a byte order mark left out; an empty object where it says nothing.
fn json_of(bytes: &[u8]) -> Value {
    let text = str::from_utf8(bytes).unwrap();
    let parsed = parse_to_ast(text.trim_start_matches('\u{feff}'), &Default::default(), &Default::default());
    parsed.unwrap().value.map_or_else(|| json!({}), Value::from)
}

fn read(path: &Path) -> Value {
    json_of(&fs::read(path).unwrap())
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Whether every byte is still there, in its order.
fn loses_nothing(before: &[u8], after: &[u8]) -> bool {
    let mut rest = after.iter();
    before.iter().all(|byte| rest.any(|other| other == byte))
}

fn section(client: &str) -> &'static str {
    if client == "vscode" { "servers" } else { "mcpServers" }
}

#[tokio::test]
async fn no_file_loses_a_byte_that_is_not_ours() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/setup");
    let mut listed: Vec<String> = FILES.iter().map(|(name, ..)| format!("{name}.json")).collect();
    listed.sort();
    assert_eq!(names_in(&fixtures), listed);
    for (name, client, fate) in FILES {
        let home = Home::new();
        let before = fixture(name);
        let path = home.file("files/mcp.json", &before);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let at = path.to_str().unwrap();
        let arguments = [client, "--write", "--environment", "sandbox", "--file", at];
        if let Refused(reason) = fate {
            let said = home.refused(1, &arguments).await;
            assert!(said.contains(&format!("{at}: {reason}")), "{name}: {said}");
            assert_eq!(fs::read(&path).unwrap(), before, "{name}");
            assert_eq!(names_in(&home.path("files")), ["mcp.json"], "{name}");
            continue;
        }
        let said = home.ok(&arguments).await;
        let after = fs::read(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640, "{name}");
        assert_eq!(fs::read(home.path("files/mcp.json.backup")).unwrap(), before, "{name}");
        assert!(said.contains("mcp.json.backup"), "{name}: {said}");
        let shown = String::from_utf8_lossy(&after);
        assert!(fate == Changed || loses_nothing(&before, &after), "{name}: {shown}");
        let feeds = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
        if before.windows(2).any(|two| two == b"\r\n") {
            assert_eq!(feeds(&after), shown.matches("\r\n").count(), "{name}: {shown}");
        }

        let mut now = read(&path);
        let ours = now[section(client)].as_object_mut().unwrap().shift_remove("fintecture").unwrap();
        assert_eq!(ours["args"], json!(["--environment", "sandbox"]), "{name}");
        if client == "vscode" {
            assert_eq!(ours["env"]["FINTECTURE_CUSTOMER_TOKEN"], "${input:fintecture-sandbox-token}");
        } else {
            let token = home.path(".config/fintecture-mcp/sandbox-customer-token");
            assert_eq!(ours["env"], json!({ "FINTECTURE_CUSTOMER_TOKEN_FILE": token }), "{name}");
        }
        let mut then = json_of(&before);
        if let Some(servers) = then.get_mut(section(client)).and_then(Value::as_object_mut) {
            servers.shift_remove("fintecture");
        }
        for (member, value) in then.as_object().unwrap() {
            if member != "inputs" {
                assert_eq!(now[member], *value, "{name}");
            }
        }
        assert!(!shown.contains("canary"), "{name}: {shown}");

        let again = home.ok(&arguments).await;
        assert!(again.contains("nothing was written"), "{name}: {again}");
        assert_eq!(fs::read(&path).unwrap(), after, "{name}");
        assert_eq!(names_in(&home.path("files")), ["mcp.json", "mcp.json.backup"], "{name}");
    }
}

/// How it looks, for the layouts that are easiest to spoil.
#[tokio::test]
async fn what_is_added_looks_like_what_is_there() {
    let mut shown = String::new();
    for (name, client) in [
        ("tabs", "claude-desktop"),
        ("one_line", "claude-code"),
        ("blank_lines", "claude-desktop"),
        ("odd_layout", "claude-desktop"),
        ("comments", "cursor"),
        ("comments_alone", "cursor"),
        ("comments_inside", "cursor"),
        ("trailing_commas", "cursor"),
        ("comma_first", "cursor"),
        ("vscode_inputs", "vscode"),
        ("ours_old", "cursor"),
    ] {
        let home = Home::new();
        let path = home.file("mcp.json", &fixture(name));
        home.ok(&[client, "--write", "--environment", "sandbox", "--file", path.to_str().unwrap()]).await;
        let text = fs::read_to_string(&path).unwrap();
        let text = text.replace(env!("CARGO_BIN_EXE_fintecture-mcp"), "/bin/fintecture-mcp");
        let text = text.replace(home.folder.path().to_str().unwrap(), "/home/ada");
        shown.push_str(&format!("=== {name}\n{}", text.replace('\t', "→")));
    }
    insta::assert_snapshot!(shown);
}

#[tokio::test]
async fn each_client_finds_it_where_it_looks() {
    for (client, scope, file) in [
        ("claude-desktop", "user", ".config/Claude/claude_desktop_config.json"),
        ("claude-code", "user", ".claude.json"),
        ("claude-code", "project", "project/.mcp.json"),
        ("cursor", "user", ".cursor/mcp.json"),
        ("cursor", "project", "project/.cursor/mcp.json"),
        ("vscode", "user", ".config/Code/User/mcp.json"),
        ("vscode", "project", "project/.vscode/mcp.json"),
    ] {
        let home = Home::new();
        let shown = home.setup(&[client, "--scope", scope]).await;
        assert_eq!(shown.code, Some(0), "{}", shown.stderr);
        assert!(!home.path(file).exists(), "shown, not written: {file}");
        home.ok(&[client, "--scope", scope, "--write"]).await;
        let written = read(&home.path(file));
        assert_eq!(written, serde_json::from_str::<Value>(&shown.stdout).unwrap(), "{client}");
        let entry = &written[section(client)]["fintecture"];
        assert_eq!(entry["command"], env!("CARGO_BIN_EXE_fintecture-mcp"));
        let mode = fs::metadata(home.path(file)).unwrap().permissions().mode() & 0o077;
        assert!(scope == "project" || mode == 0, "{client}: {mode:o}");
    }
}

/// What is written starts: the client's own reading of it, word for word, lists the three tools.
#[tokio::test]
async fn the_entry_starts_a_server() {
    let home = Home::new();
    home.file(".config/fintecture-mcp/sandbox-customer-token", b"token\n");
    home.ok(&["cursor", "--environment", "sandbox", "--write", "--", "--read-only"]).await;
    let entry = &read(&home.path(".cursor/mcp.json"))["mcpServers"]["fintecture"];
    let mut command = tokio::process::Command::new(entry["command"].as_str().unwrap());
    command.args(entry["args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap())).env_clear();
    for (name, value) in entry["env"].as_object().unwrap() {
        command.env(name, value.as_str().unwrap());
    }
    let transport = rmcp::transport::TokioChildProcess::new(command).unwrap();
    let client = rmcp::ServiceExt::serve((), transport).await.unwrap();
    assert_eq!(client.list_all_tools().await.unwrap().len(), 3);
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn ours_changes_in_place_and_the_person_is_told_what() {
    let home = Home::new();
    let path = home.file(".cursor/mcp.json", &fixture("ours_old"));
    let said = home.ok(&["cursor", "--write"]).await;
    assert!(said.contains("command: \"/opt/old/fintecture-mcp\" becomes"), "{said}");
    assert!(said.contains("args: [\"serve\"] becomes [\"--environment\",\"simulator\"]"), "{said}");
    let text = fs::read_to_string(&path).unwrap();
    for kept in ["/* by hand */", "// off until Monday", "\"disabled\": true", "\"manage_customers\""] {
        assert!(text.contains(kept), "{kept} in {text}");
    }
}

#[tokio::test]
async fn a_secret_never_goes_into_a_clients_file() {
    let home = Home::new();
    let said = home
        .refused(2, &["cursor", "--environment", "sandbox", "--variable", "FINTECTURE_CUSTOMER_TOKEN=canary"])
        .await;
    assert!(said.contains("put it into a file, and give FINTECTURE_CUSTOMER_TOKEN_FILE"), "{said}");
    assert!(!said.contains("canary"), "{said}");

    // What stood there in clear goes, is not shown, and the person is told where it still is.
    let path = home.file("mcp.json", &fixture("ours_in_clear"));
    let at = path.to_str().unwrap();
    let said = home.ok(&["claude-desktop", "--environment", "sandbox", "--write", "--file", at]).await;
    assert!(!said.contains("canary") && !fs::read_to_string(&path).unwrap().contains("canary"), "{said}");
    for line in [
        "env: FINTECTURE_CUSTOMER_TOKEN is removed",
        "It may hold a secret in clear: remove it once everything works.",
        "(umask 077 && cat > ",
    ] {
        assert!(said.contains(line), "{line} in {said}");
    }
}

/// Not even where a variable with one is set.
#[tokio::test]
async fn nothing_of_the_surroundings_is_copied() {
    let home = Home::new();
    let mut command = program();
    command.env("HOME", home.folder.path()).env("FINTECTURE_CUSTOMER_TOKEN", "canary");
    command.args(["setup", "vscode", "--environment", "production"]);
    let output = command.stdin(std::process::Stdio::null()).output().await.unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && !shown.contains("canary"), "{shown}");
    let input = &serde_json::from_str::<Value>(&shown).unwrap()["inputs"][0];
    assert_eq!(
        *input,
        json!({
            "type": "promptString", "id": "fintecture-production-token",
            "description": "Fintecture customer token (production)", "password": true,
        })
    );
}

#[tokio::test]
async fn other_credentials_stand_in_files_too() {
    let home = Home::new();
    let secret = home.file("secrets/app", b"canary\n");
    home.ok(&[
        "claude-code",
        "--environment",
        "sandbox",
        "--variable",
        "FINTECTURE_APP_ID=shop",
        "--variable",
        "FINTECTURE_APP_SECRET_FILE=../secrets/app",
        "--write",
    ])
    .await;
    let entry = &read(&home.path(".claude.json"))["mcpServers"]["fintecture"];
    let file = entry["env"]["FINTECTURE_APP_SECRET_FILE"].as_str().unwrap();
    assert_eq!(fs::canonicalize(file).unwrap(), fs::canonicalize(secret).unwrap());
    assert!(Path::new(file).is_absolute() && entry["env"].get("FINTECTURE_CUSTOMER_TOKEN_FILE").is_none());
}

#[tokio::test]
async fn a_projects_file_names_nobodys_home() {
    for (client, home_word) in [("claude-code", "${HOME}"), ("cursor", "${userHome}")] {
        let home = Home::new();
        let shown = home.setup(&[client, "--scope", "project", "--environment", "sandbox"]).await.stdout;
        let entry = &serde_json::from_str::<Value>(&shown).unwrap()["mcpServers"]["fintecture"];
        let file = format!("{home_word}/.config/fintecture-mcp/sandbox-customer-token");
        assert_eq!(entry["env"]["FINTECTURE_CUSTOMER_TOKEN_FILE"], file);
    }
}

#[tokio::test]
async fn a_server_that_runs_is_reached_by_its_address() {
    let url = "http://127.0.0.1:8080/mcp";
    for (client, entry) in [
        (
            "claude-code",
            json!({ "type": "http", "url": url, "headers": { "Authorization": "Bearer ${FINTECTURE_MCP_TOKEN}" } }),
        ),
        (
            "cursor",
            json!({ "url": url, "headers": { "Authorization": "Bearer ${env:FINTECTURE_MCP_TOKEN}" } }),
        ),
        (
            "vscode",
            json!({ "type": "http", "url": url, "headers": { "Authorization": "Bearer ${input:fintecture-mcp-token}" } }),
        ),
    ] {
        let home = Home::new();
        let shown = home.setup(&[client, "--url", url, "--bearer"]).await.stdout;
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown[section(client)]["fintecture"], entry);
        assert_eq!(shown.get("inputs").is_some(), client == "vscode");
    }
    let legacy = Home::new().setup(&["vscode", "--url", "http://localhost:8080/sse"]).await.stdout;
    assert!(legacy.contains("\"type\": \"sse\""), "{legacy}");
}

#[tokio::test]
async fn help() {
    insta::assert_snapshot!(Home::new().ok(&["--help"]).await);
}

#[tokio::test]
async fn wrong_flags_are_told_all_at_once() {
    let home = Home::new();
    let mut said = String::new();
    for arguments in [
        &["claude-desktop", "--scope", "project", "--name", "a b", "--url", "http://127.0.0.1:1/mcp"][..],
        &["cursor", "--url", "http://api.example/mcp"],
        &["cursor", "--url", "https://u:p@api.example/mcp"],
        &["cursor", "--url", "https://api.example"],
        &["cursor", "--bearer"],
        &["cursor", "--url", "https://api.example/mcp", "--environment", "sandbox"],
        &["cursor", "--environment", "prod", "--variable", "X", "--variable", "FINTECTURE_TOKEN=a"],
        &[
            "cursor",
            "--variable",
            "FINTECTURE_ENVIRONMENT=sandbox",
            "--variable",
            "FINTECTURE_BASE_URL=http://x.example",
        ],
        &[
            "cursor",
            "--",
            "--transport",
            "http",
            "--environment",
            "sandbox",
            "--bogus",
            "--confirm-writes",
            "perhaps",
        ],
        &["vim"],
    ] {
        said.push_str(&format!("{}\n{}", arguments.join(" "), home.refused(2, arguments).await));
    }
    insta::assert_snapshot!(said);
    assert_eq!(names_in(home.folder.path()), ["project"]);
}

#[tokio::test]
async fn links_are_followed_and_odd_files_left_alone() {
    let home = Home::new();
    let real = home.file("dotfiles/cursor.json", b"{}\n");
    fs::create_dir(home.path(".cursor")).unwrap();
    let link = home.path(".cursor/mcp.json");
    symlink("../dotfiles/cursor.json", &link).unwrap();
    home.ok(&["cursor", "--write"]).await;
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(read(&real)["mcpServers"]["fintecture"].is_object());
    assert_eq!(names_in(&home.path("dotfiles")), ["cursor.json", "cursor.json.backup"]);

    fs::remove_file(&real).unwrap();
    let said = home.refused(1, &["cursor", "--write"]).await;
    assert!(said.contains("is a link to a file that is not there"), "{said}");

    let locked = home.file("locked.json", b"{}\n");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o444)).unwrap();
    let said = home.refused(1, &["cursor", "--write", "--file", locked.to_str().unwrap()]).await;
    assert!(said.contains("is read-only") && fs::read(&locked).unwrap() == b"{}\n", "{said}");

    let folder = home.path("dotfiles");
    let said = home.refused(1, &["cursor", "--write", "--file", folder.to_str().unwrap()]).await;
    assert!(said.contains("is not a file"), "{said}");
}

#[tokio::test]
async fn backups_are_never_overwritten() {
    let home = Home::new();
    let path = home.file(".cursor/mcp.json", b"{\"theme\": 1}\n");
    for environment in ["simulator", "sandbox", "production"] {
        home.ok(&["cursor", "--environment", environment, "--write"]).await;
    }
    assert_eq!(fs::read(home.path(".cursor/mcp.json.backup")).unwrap(), b"{\"theme\": 1}\n");
    assert_eq!(
        names_in(path.parent().unwrap()),
        ["mcp.json", "mcp.json.backup", "mcp.json.backup-2", "mcp.json.backup-3"]
    );
}

/// Claude Code keeps its history in the same file: megabytes of it.
#[tokio::test]
async fn a_huge_file_is_one_more_file() {
    let home = Home::new();
    let entries: Vec<Value> =
        (0..60_000).map(|n| json!({ "display": format!("prompt {n}"), "pastedContents": {} })).collect();
    let huge = json!({ "projects": { "/home/ada/shop": { "history": entries } } });
    let before = serde_json::to_vec_pretty(&huge).unwrap();
    assert!(before.len() > 3_000_000);
    let path = home.file(".claude.json", &before);
    home.ok(&["claude-code", "--write"]).await;
    let after = fs::read(&path).unwrap();
    assert!(loses_nothing(&before, &after));
    let now: Value = serde_json::from_slice(&after).unwrap();
    assert_eq!(now["projects"], huge["projects"]);
}
