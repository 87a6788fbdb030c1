//! The command line: what it says, what it refuses, and how it ends.

use fintecture_mcp::config::variables;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::http_server::http;
use crate::support::process::{Ended, run};
use crate::support::simulator;

/// A command that is refused: exit 2, nothing on standard output. Returns its lines without the program's name.
async fn refused(arguments: &[&str], variables: &[(&str, &str)]) -> Vec<String> {
    let ended = run(arguments, variables).await;
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert_eq!(ended.stdout, "");
    let lines = ended.stderr.lines().map(|line| {
        line.strip_prefix("fintecture-mcp: ").unwrap_or_else(|| panic!("who says so? {line}")).to_owned()
    });
    lines.collect()
}

async fn shown(arguments: &[&str]) -> String {
    let Ended { code, stdout, stderr } = run(arguments, &[]).await;
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{arguments:?}");
    stdout
}

#[tokio::test]
async fn help() {
    for (name, arguments) in [
        ("help", &["--help"][..]),
        ("help_serve", &["serve", "--help"]),
        ("help_simulator", &["simulator", "--help"]),
        ("help_check", &["check", "--help"]),
        ("help_tools", &["tools", "--help"]),
        ("help_capabilities", &["capabilities", "--help"]),
        ("help_audit", &["audit", "--help"]),
        ("help_audit_verify", &["audit", "verify", "--help"]),
        ("help_audit_unresolved", &["audit", "unresolved", "--help"]),
        ("help_capabilities_validate", &["capabilities", "validate", "--help"]),
        ("help_token", &["token", "--help"]),
        ("help_token_new", &["token", "new", "--help"]),
        ("help_skill_export", &["skill", "export", "--help"]),
    ] {
        insta::assert_snapshot!(name, shown(arguments).await);
    }
}

#[tokio::test]
async fn help_names_every_variable() {
    for arguments in [&["--help"][..], &["serve", "--help"], &["check", "--help"]] {
        let help = shown(arguments).await;
        for variable in variables::ALL {
            assert!(help.contains(variable.name), "{} in {arguments:?}", variable.name);
        }
    }
}

#[tokio::test]
async fn version() {
    let version = shown(&["--version"]).await;
    assert_eq!(version, format!("fintecture-mcp {}\n", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn unknown_flags_have_a_line_each() {
    let lines = refused(&["serve", "--bogus", "--read-onl", "--log-format", "xml", "--third=3"], &[]).await;
    insta::assert_snapshot!(lines.join("\n"));
    let no_value = refused(&["serve", "--listen"], &[]).await;
    assert_eq!(no_value, ["a value is required for '--listen <ADDR:PORT>' but none was supplied"]);
    assert!(!refused(&["frobnicate"], &[]).await.is_empty());
    assert!(!refused(&["tools", "--jsn"], &[]).await.is_empty());
    assert!(!refused(&["capabilities"], &[]).await.is_empty());
}

#[tokio::test]
async fn every_problem_is_told_at_once_and_no_secret_with_it() {
    let lines = refused(
        &[
            "--transport",
            "carrier-pigeon",
            "--log-format",
            "xml",
            "--nonsense",
            "--capabilities",
            "no-such-folder",
        ],
        &[
            ("FINTECTURE_ENVIRONMENT", "prod"),
            ("FINTECTURE_BASE_URL", "http://canary:canary@api.example"),
            ("FINTECTURE_CUSTOMER_TOKEN", "canary-token"),
            ("FINTECTURE_TIMEOUT_SECONDS", "soon"),
            ("FINTECTURE_CUSTOMER_TOKN", "canary-token"),
        ],
    )
    .await;
    let all = lines.join("\n");
    assert!(!all.contains("canary"), "{all}");
    insta::assert_snapshot!(all);
}

/// What only a look into files and codes shows is told beside what the flags and variables show.
#[tokio::test]
async fn what_files_show_is_told_with_the_rest() {
    let flags =
        ["serve", "--transport", "http", "--environment", "production", "--capabilities", "/nowhere/files"];
    let files =
        ["--auth-tokens", "/nowhere/tokens", "--tls-cert", "/nowhere/cert", "--tls-key", "/nowhere/key"];
    let variables = [
        ("FINTECTURE_APPROVAL_CODE", "canary"),
        ("FINTECTURE_PRIVATE_KEY", "canary"),
        ("FINTECTURE_APP_ID", "app"),
        ("FINTECTURE_CA_FILE", "/nowhere/roots"),
    ];
    let wrong = [("FINTECTURE_TIMEOUT_SECONDS", "x"), ("FINTECTURE_BASE_URL", "ftp://x")];
    let credential = [("FINTECTURE_CUSTOMER_TOKEN", "canary-token")];
    let told =
        ["APPROVAL_CODE", "PRIVATE_KEY", "/nowhere/roots", "--auth-tokens", "--tls-cert", "/nowhere/files"];
    let beside = [
        (vec![], credential.to_vec(), vec!["audit trail"]),
        (vec![], [wrong.as_slice(), &credential].concat(), vec!["TIMEOUT", "BASE_URL", "audit trail"]),
        (vec!["--audit-log", "/nowhere/trail"], vec![], vec!["production needs"]),
        (vec!["--nothing"], credential.to_vec(), vec!["--nothing", "audit trail"]),
    ];
    for (more, set, also) in beside {
        let lines =
            refused(&[flags.as_slice(), &files, &more].concat(), &[variables.as_slice(), &set].concat())
                .await;
        for part in told.iter().chain(&also) {
            let count = lines.iter().filter(|line| line.contains(part)).count();
            assert!(count >= 1, "{part}: {lines:?}");
        }
    }
    let lines = refused(&["tools", "--nothing", "--capabilities", "/nowhere/files"], &[]).await;
    assert_eq!(lines.len(), 2, "{lines:?}");
}

#[tokio::test]
async fn a_command_that_lacks_its_own_says_so() {
    for command in ["capabilities", "skill", "token", "audit"] {
        let lines = refused(&[command], &[]).await;
        let said = format!("{command} needs a command behind it: fintecture-mcp {command} --help lists them");
        assert_eq!(lines, [said]);
    }
}

#[tokio::test]
async fn wrong_variables_one_by_one() {
    let sandbox = ("FINTECTURE_ENVIRONMENT", "sandbox");
    let token = ("FINTECTURE_CUSTOMER_TOKEN", "canary-token");
    let cases: [&[(&str, &str)]; 12] = [
        &[sandbox],
        &[sandbox, ("FINTECTURE_CUSTOMER_TOKEN", "  ")],
        &[("FINTECTURE_ENVIRONMENT", "production")],
        &[token],
        &[("FINTECTURE_CUSTOMER_TOKEN", "")],
        &[("FINTECTURE_BASE_URL", "https://api.example")],
        &[sandbox, token, ("FINTECTURE_BASE_URL", "http://api.example")],
        &[sandbox, token, ("FINTECTURE_BASE_URL", "not an address")],
        &[sandbox, token, ("FINTECTURE_BASE_URL", "https://api.example/?a=b")],
        &[sandbox, token, ("FINTECTURE_TIMEOUT_SECONDS", "0")],
        &[sandbox, token, ("FINTECTURE_TIMEOUT_SECONDS", "46")],
        &[("FINTECTURE_ENVIRONMENT", "simulator"), ("FINTECTURE_BASE_URL", "https://api.example")],
    ];
    let mut said = Vec::new();
    for case in cases {
        let lines = refused(&["serve"], case).await;
        assert_eq!(lines.len(), 1, "{case:?}: {lines:?}");
        said.extend(lines);
    }
    insta::assert_snapshot!(said.join("\n"));
}

#[tokio::test]
async fn a_token_that_no_header_can_carry_is_refused_and_not_shown() {
    let sandbox = [("FINTECTURE_ENVIRONMENT", "sandbox"), ("FINTECTURE_CUSTOMER_TOKEN", "canary\ntoken é")];
    let lines = refused(&["serve", "--log-format", "xml"], &sandbox).await;
    let said = [
        "--log-format must be text or json",
        "FINTECTURE_CUSTOMER_TOKEN holds characters that no bearer token has",
    ];
    assert_eq!(lines, said);
}

#[tokio::test]
async fn a_credential_beside_the_simulator_is_warned_of_once() {
    let variables = [("FINTECTURE_ENVIRONMENT", "simulator"), ("FINTECTURE_CUSTOMER_TOKEN", "canary-token")];
    let ended = run(&["serve"], &variables).await;
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.stderr.matches("a credential is set, and not used").count(), 1, "{}", ended.stderr);
    assert!(!ended.stderr.contains("canary-token"));
}

#[tokio::test]
async fn a_port_in_use_is_no_bad_usage() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for arguments in [
        &["serve", "--transport", "http", "--environment", "simulator", "--listen", &address][..],
        &["simulator", "--listen", &address],
    ] {
        let ended = run(arguments, &[]).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{}", ended.stderr);
        assert!(ended.stderr.contains(&format!("cannot listen on {address}")), "{}", ended.stderr);
    }
}

/// Without authentication, only this machine may reach the server.
#[tokio::test]
async fn only_loopback_is_listened_on() {
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80", "example.com:80", "8080"] {
        let serve = ["serve", "--transport", "http", "--environment", "simulator", "--listen", listen];
        assert_eq!(refused(&serve, &[]).await.len(), 1, "{listen}");
        assert_eq!(refused(&["simulator", "--listen", listen], &[]).await.len(), 1, "{listen}");
    }
    assert_eq!(refused(&["--listen", "127.0.0.1:0"], &[]).await, ["--listen needs --transport http"]);
    assert_eq!(
        refused(&["--transport", "http"], &[]).await.len(),
        1,
        "over HTTP the environment must be named"
    );
}

#[tokio::test]
async fn the_tools_as_text_and_as_json() {
    let text = shown(&["tools"]).await;
    let listed: Value = serde_json::from_str(&shown(&["tools", "--json"]).await).unwrap();
    let tools = listed["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 3);
    for tool in tools {
        assert!(text.contains(tool["name"].as_str().unwrap()));
        assert!(text.contains(tool["description"].as_str().unwrap()));
        assert!(tool["outputSchema"].is_object());
        for argument in tool["inputSchema"]["properties"].as_object().unwrap().keys() {
            assert!(text.contains(&format!("{argument}: ")), "{argument}");
        }
    }
    let reduced: Value = serde_json::from_str(&shown(&["tools", "--json", "--read-only"]).await).unwrap();
    assert_eq!(reduced["tools"][1]["inputSchema"]["properties"]["action"]["enum"], json!(["list", "get"]));
    assert_eq!(reduced["tools"][1]["annotations"]["readOnlyHint"], true);
}

/// What `tools --json` prints is what an agent gets.
#[tokio::test]
async fn the_tools_are_those_that_are_served() {
    let printed: Value = serde_json::from_str(&shown(&["tools", "--json"]).await).unwrap();
    let mut pipe = crate::support::setup::Setup::simulator().pipe();
    pipe.initialize("2025-11-25").await;
    let served = pipe.request("tools/list", json!({})).await;
    assert_eq!(served["result"]["tools"], printed["tools"]);
}

/// A token that nobody has seen would be in the file of tokens all the same.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn output_that_finds_no_room_is_a_failure() {
    for arguments in [&["token", "new", "ada", "--scopes", "customers:read"][..], &["tools"], &["man"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = crate::support::process::program();
        let ended = command.args(arguments).stdout(full).spawn().unwrap().wait_with_output().await.unwrap();
        assert_eq!(ended.status.code(), Some(1), "{arguments:?}");
        let told = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(told, "fintecture-mcp: standard output could not be written\n");
    }
}

#[tokio::test]
async fn capability_files_are_validated() {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/capabilities");
    assert_eq!(shown(&["capabilities", "validate", own]).await, format!("{own}: valid\n"));
    assert_eq!(shown(&["capabilities", "validate"]).await, "the built-in files: valid\n");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    for entry in std::fs::read_dir(own).unwrap() {
        let entry = entry.unwrap();
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let text = text.replace("/v1/customers/{{customer_id}}/verifications", "/v1/people/{{person_id}}");
        std::fs::write(folder.path().join(entry.file_name()), text).unwrap();
    }
    std::fs::remove_file(folder.path().join("manage-customers.yml")).unwrap();
    let serve = ["serve", "--capabilities", path];
    for arguments in [&["capabilities", "validate", path][..], &serve, &["tools", "--capabilities", path]] {
        let lines = refused(arguments, &[]).await.join("\n").replace(path, "DIR");
        insta::assert_snapshot!("broken_capability_files", lines);
    }
    assert!(
        refused(&["capabilities", "validate", "no-such-folder"], &[]).await[0].contains("no-such-folder")
    );
}

#[tokio::test]
async fn the_simulator_alone() {
    let (simulator, base_url) = simulator::alone(&["--token", "canary-token"]).await;
    let customers = format!("{base_url}/v1/customers");
    let get = |token: &str| http().get(&customers).bearer_auth(token).send();
    assert_eq!(get("another").await.unwrap().status(), 401);
    let listed: Value = get("canary-token").await.unwrap().json().await.unwrap();
    assert_eq!(listed["meta"]["count"], 6);
    simulator.signal(nix::sys::signal::Signal::SIGTERM);
    let (status, log) = simulator.ended().await;
    assert_eq!(status.code(), Some(0));
    assert!(!log.contains("canary-token"), "{log}");

    let (_simulator, base_url) = simulator::alone(&[]).await;
    let any =
        http().get(format!("{base_url}/v1/customers/sim_cus_ada")).bearer_auth("any").send().await.unwrap();
    assert_eq!(any.status(), 200);
}
