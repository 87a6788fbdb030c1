//! `setup --write` on files as people have them: they get our entry and lose nothing; what is broken is left alone,
//! and the place is told.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::{Value, json};

use crate::support::home::{Home, fixture, json_of, names_in, read, section};

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

/// Whether every byte is still there, in its order.
fn loses_nothing(before: &[u8], after: &[u8]) -> bool {
    let mut rest = after.iter();
    before.iter().all(|byte| rest.any(|other| other == byte))
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
        if before.windows(2).any(|two| two == b"\r\n") {
            assert_eq!(shown.matches('\n').count(), shown.matches("\r\n").count(), "{name}: {shown}");
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
    let mut shown = Vec::new();
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
        shown.push(format!("=== {name}\n{}", text.replace('\t', "→")));
    }
    insta::assert_snapshot!(shown.concat());
}

#[tokio::test]
async fn ours_changes_in_place_and_the_person_is_told_what() {
    let home = Home::new();
    let path = home.file(".cursor/mcp.json", &fixture("ours_old"));
    let said = home.ok(&["cursor", "--write"]).await;
    assert!(said.contains("command becomes \"") && !said.contains("/opt/old"), "{said}");
    assert!(said.contains("args becomes [\"--environment\",\"simulator\"]"), "{said}");
    let text = fs::read_to_string(&path).unwrap();
    for kept in ["/* by hand */", "// off until Monday", "\"disabled\": true", "\"manage_customers\""] {
        assert!(text.contains(kept), "{kept} in {text}");
    }
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
