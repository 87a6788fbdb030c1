//! What `setup` gives each client, where it puts it, and what it refuses.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::home::{Home, fixture, json_of, names_in, read, section};
use crate::support::process::program;

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
    let output = command.stdin(Stdio::null()).output().await.unwrap();
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

/// What is known of a file of a secret is told, whoever chose its path, and what is not there yet can be made.
#[tokio::test]
async fn a_file_of_a_secret_may_still_have_to_be_made() {
    let home = Home::new();
    let by_default = home.path(".config/fintecture-mcp/sandbox-customer-token");
    let by_hand = home.path("it's mine/token");
    let variable = format!("FINTECTURE_CUSTOMER_TOKEN_FILE={}", by_hand.display());
    for (file, more) in [(by_default, &[][..]), (by_hand, &["--variable", &variable][..])] {
        let arguments = [&["cursor", "--environment", "sandbox", "--write"][..], more].concat();
        let said = home.ok(&arguments).await;
        let entry = &read(&home.path(".cursor/mcp.json"))["mcpServers"]["fintecture"];
        assert_eq!(entry["env"], json!({ "FINTECTURE_CUSTOMER_TOKEN_FILE": file }));
        let line = said.lines().find(|line| line.contains("umask")).unwrap();
        let mut shell =
            std::process::Command::new("sh").args(["-c", line]).stdin(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut shell.stdin.take().unwrap(), b"token\n").unwrap();
        assert!(shell.wait().unwrap().success(), "{line}");
        assert_eq!(fs::read(&file).unwrap(), b"token\n", "{line}");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

        let elsewhere = [&arguments[..], &["--name", "again"]].concat();
        assert!(!home.ok(&elsewhere).await.contains(" into "));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let open = [&arguments[..], &["--name", "open"]].concat();
        assert!(home.ok(&open).await.contains("chmod 600 it"));
        fs::write(&file, "").unwrap();
        assert!(home.refused(2, &open).await.contains("FINTECTURE_CUSTOMER_TOKEN_FILE: the file is empty"));
    }
}

/// A client on a desktop has no PATH to find a package runner on; another machine has it elsewhere.
#[tokio::test]
async fn a_package_runner_is_found_by_its_path() {
    let home = Home::new();
    let program = home.file(".npm/_npx/1a2b/node_modules/fintecture-mcp-linux/bin/fintecture-mcp", b"");
    // By another process: a file that this one has open for writing, or any that it starts meanwhile, cannot be run.
    let ours = env!("CARGO_BIN_EXE_fintecture-mcp");
    let copied = std::process::Command::new("cp").arg("-p").arg(ours).arg(&program).status();
    assert!(copied.unwrap().success());
    let npx = home.file("node/bin/npx", b"");
    for (path, scope, expected) in [
        ("node/bin", "user", Ok(npx.to_str().unwrap())),
        ("node/bin", "project", Ok("npx")),
        ("nowhere", "project", Ok("npx")),
        ("nowhere", "user", Err("npx started this program, but is not on the PATH")),
    ] {
        let mut command = tokio::process::Command::new(&program);
        command.env_clear().env("HOME", home.folder.path()).env("PATH", home.path(path));
        command.args(["setup", "cursor", "--scope", scope]).current_dir(home.path("project"));
        let output = command.output().await.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        match expected {
            Ok(command) => {
                assert!(output.status.success(), "{said}");
                let entry = &json_of(&output.stdout)["mcpServers"]["fintecture"];
                assert_eq!(entry["command"], command);
                assert_eq!(entry["args"], json!(["-y", "fintecture-mcp", "--environment", "simulator"]));
            }
            Err(reason) => assert!(output.status.code() == Some(2) && said.contains(reason), "{said}"),
        }
    }
}

/// Windows reads no file of Linux: nothing is written there, and the person is told what works.
#[tokio::test]
async fn under_wsl_a_client_is_on_windows() {
    let home = Home { variables: vec![("WSL_DISTRO_NAME", "Debian")], ..Home::new() };
    let said = home.refused(2, &["claude-desktop", "--environment", "sandbox", "--write"]).await;
    let ours = env!("CARGO_BIN_EXE_fintecture-mcp");
    let token = home.path(".config/fintecture-mcp/sandbox-customer-token");
    let words = json!([
        "--exec",
        "env",
        format!("FINTECTURE_CUSTOMER_TOKEN_FILE={}", token.display()),
        ours,
        "--environment",
        "sandbox",
    ]);
    assert!(said.contains(&format!("\"command\": \"wsl.exe\", \"args\": {words}")), "{said}");
    for (client, way) in [("cursor", "wsl.exe"), ("vscode", "say --scope project, or --file")] {
        let said = home.refused(2, &[client, "--write"]).await;
        assert!(said.contains(way) && !home.path(".cursor").exists(), "{said}");
    }
    // Those that run in Linux all the same.
    let file = home.path(".config/Claude/claude_desktop_config.json");
    home.ok(&["claude-desktop", "--write", "--file", file.to_str().unwrap()]).await;
    home.ok(&["claude-code", "--write"]).await;
    home.ok(&["vscode", "--scope", "project", "--write"]).await;
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
    let mut said = Vec::new();
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
        said.push(format!("{}\n{}", arguments.join(" "), home.refused(2, arguments).await));
    }
    insta::assert_snapshot!(said.concat());
    assert_eq!(names_in(home.folder.path()), ["project"]);
}
