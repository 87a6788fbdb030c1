//! `skill export`: what it writes keeps the rules of the Agent Skills format, names nothing that is not there, and
//! never takes the place of what somebody else wrote.

use std::fs;
use std::path::{Path, PathBuf};

use fintecture_mcp::tools::ErrorKind;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::in_time;
use crate::support::process::{Ended, run};
use crate::support::setup::Setup;
use crate::support::skill::{NAME, blocks, exported, front_matter, known, names, read, settled};

fn kinds() -> impl Iterator<Item = &'static str> {
    ErrorKind::ALL.into_iter().map(ErrorKind::as_str)
}

async fn export(dir: &Path, flags: &[&str]) -> Ended {
    run(&[&["skill", "export", dir.to_str().unwrap()], flags].concat(), &[]).await
}

/// Capability files that are the built-in ones, but for one word of the skill's description.
fn other_words() -> TempDir {
    let folder = TempDir::new().unwrap();
    for name in ["manage-bank-accounts.yml", "manage-customers.yml", "verify-identity.yml"] {
        let built_in = format!("{}/capabilities/{name}", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(built_in).unwrap();
        fs::write(
            folder.path().join(name),
            text.replace("Checks whether a customer of", "Finds out whether a customer of"),
        )
        .unwrap();
    }
    folder
}

#[tokio::test]
async fn what_an_agent_reads() {
    for (path, text) in exported(&[]).await {
        let name = path.rsplit('/').next().unwrap().trim_end_matches(".md").to_lowercase();
        insta::assert_snapshot!(format!("skill_{name}"), settled(&text));
    }
}

/// <https://agentskills.io/specification>
#[tokio::test]
async fn it_keeps_the_rules_of_the_format() {
    let files = exported(&[]).await;
    let (front_matter, body) = front_matter(&files["SKILL.md"]);
    let fields: Vec<&str> = front_matter.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["name", "description", "license", "compatibility", "metadata"]);
    assert_eq!(front_matter["name"], NAME);
    let length = |field: &str| front_matter[field].as_str().unwrap().chars().count();
    assert!((1..=64).contains(&length("name")) && (1..=1024).contains(&length("description")));
    assert!((1..=500).contains(&length("compatibility")));
    let metadata = front_matter["metadata"].as_object().unwrap();
    assert!(metadata.values().all(Value::is_string), "{metadata:?}");
    assert_eq!(metadata["version"], env!("CARGO_PKG_VERSION"));
    // Loaded whole where the skill is taken up: under 500 lines and 5,000 tokens, of about four bytes.
    assert!(body.lines().count() < 500 && body.len() < 20_000, "{}", body.len());
    for (path, text) in &files {
        assert!(
            text.len() < 20_000 && text.ends_with('\n') && !text.ends_with("\n\n"),
            "{path}: {}",
            text.len()
        );
        assert!(!text.contains("\n\n\n") && !text.contains("{{") && !text.contains("{%"), "{path}");
    }
}

/// One step from `SKILL.md`, each file and no other.
#[tokio::test]
async fn every_link_resolves_and_every_file_is_linked() {
    let files = exported(&[]).await;
    let links = |text: &str| -> Vec<String> {
        text.split("](").skip(1).map(|rest| rest.split_once(')').unwrap().0.to_owned()).collect()
    };
    let mut linked = links(&files["SKILL.md"]);
    linked.push("SKILL.md".to_owned());
    linked.sort();
    assert_eq!(linked, files.keys().cloned().collect::<Vec<_>>());
    for (path, text) in files.iter().filter(|(path, _)| *path != "SKILL.md") {
        assert!(links(text).is_empty(), "{path}");
    }
}

#[tokio::test]
async fn every_name_in_it_exists_and_every_example_is_taken() {
    let agent = Setup::simulator().agent().await;
    let tools: Vec<Value> =
        agent.client.list_all_tools().await.unwrap().iter().map(|tool| json!(tool)).collect();
    let mut known = known(&tools);
    known.extend(kinds().map(str::to_owned));
    // An option of curl.
    known.push("--header @FILE".to_owned());
    let (mut named, mut called) = (0, 0);
    for (path, text) in exported(&[]).await {
        for name in names(&text) {
            assert!(known.iter().any(|known| known == name), "{path} names `{name}`");
            named += 1;
        }
        for section in text.split("\n### `").skip(1) {
            let (call, _) = section.split_once('`').unwrap();
            let (tool, action) = call.split_once(' ').unwrap();
            let [example] = blocks(section, "json")[..] else { panic!("{call} has one example") };
            let arguments: Value = serde_json::from_str(example).unwrap();
            assert_eq!(arguments["action"], action);
            let answer = agent.try_call(tool, arguments).await.unwrap();
            // The ids are made up; the shapes are right.
            let kind = answer["structuredContent"]["error"]["kind"].as_str().unwrap_or("success");
            assert!(["success", "not_found"].contains(&kind), "{call}: {answer}");
            called += 1;
        }
    }
    assert!(named > 100, "a check that finds nothing is none: {named}");
    assert_eq!(called, 10);
    let errors = &exported(&[]).await["references/errors.md"];
    let mut explained: Vec<&str> =
        errors.split("\n## `").skip(1).map(|section| section.split_once('`').unwrap().0).collect();
    explained.sort_unstable();
    let mut kinds: Vec<&str> = kinds().collect();
    kinds.sort_unstable();
    assert_eq!(explained, kinds);
}

/// As an agent without MCP has it: the command of `SKILL.md`, in a shell, with the server's address.
#[tokio::test]
async fn its_command_is_answered_over_http() {
    let server = Setup::simulator().http().await;
    let files = exported(&[]).await;
    let [command] = blocks(&files["SKILL.md"], "sh")[..] else { panic!("one command") };
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).env("SERVER", server.url("")).env("no_proxy", "127.0.0.1");
    let output = in_time(shell.kill_on_drop(true).output()).await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let answer: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}{:?}", output.stderr));
    // The id is made up.
    assert_eq!(
        (&answer["environment"], &answer["error"]["kind"]),
        (&json!("simulator"), &json!("not_found"))
    );
}

#[tokio::test]
async fn it_says_what_it_wrote_and_writes_it_once() {
    let dir = TempDir::new().unwrap();
    let skills = dir.path().join("not").join("there yet");
    let folder = skills.join(NAME);
    let lines = |what: &str| -> Vec<String> {
        let paths = [
            "SKILL.md",
            "references/tools.md",
            "references/errors.md",
            "references/limits.md",
            "references/other-tasks.md",
        ];
        paths.iter().map(|path| format!("{what} {}", folder.join(path).display())).collect()
    };
    let first = export(&skills, &[]).await;
    assert_eq!((first.code, first.stderr.as_str()), (Some(0), ""));
    assert_eq!(first.stdout.lines().collect::<Vec<_>>(), lines("written"));
    let at = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
    let then = at(&folder.join("SKILL.md"));
    let again = export(&skills, &[]).await;
    assert_eq!(again.stdout.lines().collect::<Vec<_>>(), lines("unchanged"));
    assert_eq!(at(&folder.join("SKILL.md")), then);
    // Out of version control it may come without its hidden record.
    fs::remove_file(folder.join(".fintecture-mcp.sha256")).unwrap();
    assert_eq!(export(&skills, &[]).await.stdout.lines().collect::<Vec<_>>(), lines("unchanged"));
    assert_eq!(fs::read_dir(&skills).unwrap().count(), 1, "nothing is left beside the folder");
}

#[tokio::test]
async fn a_folder_as_it_was_written_is_replaced_by_a_newer_one() {
    let (dir, words) = (TempDir::new().unwrap(), other_words());
    let flags = ["--capabilities", words.path().to_str().unwrap()];
    let older = export(dir.path(), &flags).await;
    assert_eq!((older.code, older.stderr.as_str()), (Some(0), ""));
    let text = fs::read_to_string(dir.path().join(NAME).join("SKILL.md")).unwrap();
    assert!(text.contains("Finds out whether a customer of"), "--capabilities changes it: {text}");
    let newer = export(dir.path(), &[]).await;
    assert!(newer.stdout.starts_with("replaced "), "{newer:?}");
    let mut files = read(&dir.path().join(NAME));
    let record = files.remove(".fintecture-mcp.sha256").unwrap();
    assert_eq!(files, exported(&[]).await);
    assert_eq!(record.lines().count(), files.len());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside the folder");
}

/// What somebody does to the folder.
type Change = fn(&PathBuf);

#[tokio::test]
async fn what_somebody_else_wrote_stays_as_it_is() {
    let words = other_words();
    let flags = ["--capabilities", words.path().to_str().unwrap()];
    let changes: [(Change, &str); 6] = [
        (
            |folder| fs::write(folder.join("references/errors.md"), "Ours.").unwrap(),
            "references/errors.md was changed",
        ),
        (|folder| fs::write(folder.join("notes.md"), "Ours.").unwrap(), "notes.md is not of this program"),
        (|folder| fs::create_dir(folder.join("mine")).unwrap(), "mine/ is not of this program"),
        (|folder| fs::remove_file(folder.join("SKILL.md")).unwrap(), "SKILL.md was taken away"),
        (
            |folder| std::os::unix::fs::symlink("/etc/hostname", folder.join("link")).unwrap(),
            "link is not of this program",
        ),
        (
            |folder| fs::remove_file(folder.join(".fintecture-mcp.sha256")).unwrap(),
            "SKILL.md is not of this program, references/errors.md is not of this program",
        ),
    ];
    for (change, told) in changes {
        let dir = TempDir::new().unwrap();
        assert_eq!(export(dir.path(), &flags).await.code, Some(0));
        let folder = dir.path().join(NAME);
        change(&folder);
        let before = read(&folder);
        let refused = export(dir.path(), &[]).await;
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""), "{told}");
        assert!(
            refused.stderr.contains(told) && refused.stderr.contains("Move the folder away"),
            "{}",
            refused.stderr
        );
        assert_eq!(read(&folder), before, "{told}");
    }
}

#[tokio::test]
async fn several_at_once_leave_it_whole_and_all_go_well() {
    let dir = TempDir::new().unwrap();
    let all = futures_util::future::join_all((0..8).map(|_| export(dir.path(), &[]))).await;
    assert!(all.iter().all(|ended| ended.code == Some(0)), "{all:?}");
    assert_eq!(export(dir.path(), &[]).await.stdout.matches("unchanged ").count(), 5);
}

#[tokio::test]
async fn a_place_where_no_folder_can_be_is_named() {
    let dir = TempDir::new().unwrap();
    let elsewhere = TempDir::new().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), dir.path().join(NAME)).unwrap();
    let refused = export(dir.path(), &[]).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("kyc-check is there and is no folder"), "{}", refused.stderr);
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let refused = export(&file, &[]).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains(file.to_str().unwrap()), "{}", refused.stderr);
}

#[tokio::test]
async fn broken_capability_files_are_refused_before_anything_is_written() {
    let (dir, words) = (TempDir::new().unwrap(), other_words());
    let file = words.path().join("verify-identity.yml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("`verify_identity dossier`", "`verify_identity report`", 1)).unwrap();
    let refused = export(dir.path(), &["--capabilities", words.path().to_str().unwrap()]).await;
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""));
    assert!(
        refused.stderr.contains("verify-identity.yml:")
            && refused.stderr.contains("`verify_identity report`: verify_identity has no action `report`"),
        "{}",
        refused.stderr
    );
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    let unknown = export(dir.path(), &["--bogus"]).await;
    assert_eq!(unknown.code, Some(2));
}
