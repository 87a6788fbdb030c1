//! `setup` where an entry stands already: what protects stays, what is another's is left alone, nothing old is shown.

use std::fs;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::home::{Home, read};
use crate::support::process::program;

const FILE: &str = ".config/Claude/claude_desktop_config.json";

fn entry(home: &Home) -> Value {
    read(&home.path(FILE))["mcpServers"]["fintecture"].clone()
}

fn put(home: &Home, entry: &Value) {
    let file = json!({ "mcpServers": { "fintecture": entry } });
    home.file(FILE, &serde_json::to_vec_pretty(&file).unwrap());
}

#[tokio::test]
async fn no_protection_and_no_environment_goes_by_being_left_out() {
    let home = Home::new();
    let first = ["claude-desktop", "--environment", "production", "--write", "--", "--read-only"];
    home.ok(&[&first[..], &["--confirm-writes", "always"]].concat()).await;
    let before = entry(&home);
    let said = home.ok(&["claude-desktop", "--write"]).await;
    assert!(said.contains("nothing was written"), "{said}");
    assert!(said.contains("Kept as the entry has it: --read-only, --confirm-writes."), "{said}");
    assert_eq!(entry(&home), before);

    // What is named is laid over the rest.
    home.ok(&["claude-desktop", "--write", "--", "--confirm-writes", "auto", "--stop-writes", "/stop"]).await;
    let flags =
        ["--environment", "production", "--read-only", "--confirm-writes", "auto", "--stop-writes", "/stop"];
    assert_eq!(entry(&home)["args"], json!(flags));
    assert_eq!(entry(&home)["env"], before["env"]);

    // Another environment has another token, and as many protections.
    home.ok(&["claude-desktop", "--environment", "sandbox", "--write"]).await;
    assert_eq!(entry(&home)["args"][1], "sandbox");
    assert_eq!(entry(&home)["args"][2], "--read-only");
    let token = home.path(".config/fintecture-mcp/sandbox-customer-token");
    assert_eq!(entry(&home)["env"], json!({ "FINTECTURE_CUSTOMER_TOKEN_FILE": token }));
}

#[tokio::test]
async fn an_environment_in_the_shell_is_not_passed_over() {
    let home = Home::new();
    let mut command = program();
    command.env("HOME", home.folder.path()).env_remove("XDG_CONFIG_HOME");
    command.env("FINTECTURE_ENVIRONMENT", "production");
    command.args(["setup", "claude-desktop", "--write"]);
    let output = command.stdin(Stdio::null()).output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && said.contains("say --environment"), "{said}");
    assert!(!home.path(FILE).exists());

    // Nor one that an older entry has among its variables.
    put(&home, &json!({ "command": "fintecture-mcp", "env": { "FINTECTURE_ENVIRONMENT": "production" } }));
    home.ok(&["claude-desktop", "--write"]).await;
    assert_eq!(entry(&home)["args"], json!(["--environment", "production"]));
}

#[tokio::test]
async fn arguments_that_cannot_be_kept_are_not_lost() {
    let home = Home::new();
    put(&home, &json!({ "command": "fintecture-mcp", "args": ["--read-olny", "canary"] }));
    let before = fs::read(home.path(FILE)).unwrap();
    let said = home.refused(2, &["claude-desktop", "--environment", "sandbox", "--write"]).await;
    assert!(said.contains("no flags of serve") && !said.contains("canary"), "{said}");
    assert_eq!(fs::read(home.path(FILE)).unwrap(), before);
}

#[tokio::test]
async fn a_path_behind_the_dashes_stands_in_full() {
    let home = Home::new();
    home.ok(&["claude-desktop", "--write", "--", "--stop-writes", "stop.flag", "--audit-log=../trail"]).await;
    let given = ["claude-desktop", "--write", "--", "--stop-writes", "${HOME}/stop"];
    assert!(home.refused(2, &given).await.contains("puts nothing into placeholders"));
    let words = entry(&home)["args"].clone();
    let here = fs::canonicalize(home.path("project")).unwrap();
    assert_eq!(words[3], here.join("stop.flag").to_str().unwrap());
    assert_eq!(words[5], here.join("../trail").to_str().unwrap());
}

#[tokio::test]
async fn what_may_hold_a_secret_or_holds_nothing_is_no_variable() {
    let home = Home::new();
    for (given, reason) in [
        ("OTEL_EXPORTER_OTLP_HEADERS=api-key=canary", "it may hold a secret"),
        ("FINTECTURE_APP_ID=${user_config.canary}", "a placeholder that nothing was put into"),
    ] {
        let said = home.refused(2, &["claude-desktop", "--write", "--variable", given]).await;
        assert!(said.contains(reason) && !said.contains("canary"), "{said}");
    }
    assert!(!home.path(FILE).exists());
}

#[tokio::test]
async fn nothing_that_stood_there_is_shown() {
    for (start, code) in [
        (
            json!({ "command": "/opt/canary/fintecture-mcp", "env": { "FINTECTURE_CUSTOMER_TOKEN": "canary" } }),
            0,
        ),
        (
            json!({ "command": "npx", "args": ["fintecture-mcp@canary"], "env": { "FINTECTURE_APP_ID": "shop", "FINTECTURE_APP_SECRET": "canary" } }),
            0,
        ),
        (json!({ "command": "env", "args": ["FINTECTURE_CUSTOMER_TOKEN=canary", "fintecture-mcp"] }), 1),
        (
            json!({ "command": "docker", "args": ["run", "-e", "FINTECTURE_APP_SECRET=canary", "a/fintecture-mcp:1"] }),
            1,
        ),
    ] {
        for write in [&[][..], &["--write"]] {
            let home = Home::new();
            put(&home, &start);
            let ended = home.setup(&[&["claude-desktop", "--environment", "sandbox"], write].concat()).await;
            let said = ended.stdout + &ended.stderr;
            assert_eq!(ended.code, Some(code), "{said}");
            assert!(!said.contains("canary"), "{said}");
            let is_told = said.contains("It may hold a secret in clear");
            assert_eq!(is_told, code == 0 && !write.is_empty(), "{said}");
        }
    }
}

#[tokio::test]
async fn what_only_looks_like_ours_is_left_alone() {
    let home = Home::new();
    let uv = json!({
        "command": "uv", "args": ["--directory", "/home/u/src/fintecture-mcp", "run", "inhouse_server.py"],
        "env": { "KEY": "x" },
    });
    put(&home, &uv);
    let said = home.refused(1, &["claude-desktop", "--write"]).await;
    assert!(said.contains("another server's"), "{said}");
    assert_eq!(entry(&home), uv);
}

#[tokio::test]
async fn variables_that_are_the_users_stay() {
    let home = Home::new();
    let code = home.file("code", b"a-long-enough-code\n");
    let own = json!({ "HTTPS_PROXY": "http://canary", "FINTECTURE_APPROVAL_CODE_FILE": code, "DEPTH": 3 });
    put(&home, &json!({ "command": "fintecture-mcp", "args": ["--environment", "sandbox"], "env": own }));
    let said = home.ok(&["claude-desktop", "--write"]).await;
    assert!(!said.contains("canary"), "{said}");
    let now = entry(&home)["env"].clone();
    for (name, value) in own.as_object().unwrap() {
        assert_eq!(now[name], *value, "{name}");
    }
    assert!(now["FINTECTURE_CUSTOMER_TOKEN_FILE"].is_string());
}

#[tokio::test]
async fn runs_side_by_side_lose_no_entry() {
    for round in 0..4 {
        let home = Home::new();
        if round % 2 == 0 {
            home.file(FILE, b"{}\n");
        }
        let names: Vec<String> = (0..8).map(|number| format!("server-{number}")).collect();
        let arguments: Vec<[&str; 4]> =
            names.iter().map(|name| ["claude-desktop", "--write", "--name", name.as_str()]).collect();
        futures_util::future::join_all(arguments.iter().map(|arguments| home.ok(arguments))).await;
        let written = read(&home.path(FILE));
        for name in &names {
            assert!(written["mcpServers"][name].is_object(), "{name}: {written}");
        }
    }
}
