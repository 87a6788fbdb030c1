//! Imports run one way; the map of the crate (`src/lib.rs`) says which.

use std::fs;
use std::path::{Path, PathBuf};

/// What each part may import of this crate. A part that is not here is not part of the house yet.
const ARROWS: [(&str, &[&str]); 13] = [
    ("main", &["app"]),
    (
        "app",
        &[
            "calls",
            "capability",
            "cli",
            "config",
            "domain",
            "fintecture",
            "mcp",
            "simulator",
            "telemetry",
            "tools",
            "transports",
        ],
    ),
    ("cli", &["config"]),
    ("telemetry", &["config"]),
    ("transports", &["mcp"]),
    ("mcp", &["calls", "tools", "domain"]),
    ("calls", &["tools", "domain"]),
    ("tools", &["fintecture", "capability", "domain"]),
    ("fintecture", &["capability", "domain"]),
    ("capability", &["domain"]),
    ("simulator", &["domain"]),
    ("config", &["domain"]),
    ("domain", &[]),
];

/// Who may name the types of a protocol's or a client's crate.
const CRATES: [(&str, &[&str]); 3] =
    [("rmcp", &["mcp", "transports"]), ("reqwest", &["fintecture"]), ("anyhow", &["main", "app"])];

/// The lines of a file that are compiled into the program, with their numbers.
fn program_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let tests = text.lines().position(|line| line == "#[cfg(test)]").filter(|at| {
        // Only a module with a body ends the program's part of a file.
        text.lines().nth(at + 1).is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
    });
    let comment = |line: &str| line.trim_start().starts_with("//");
    text.lines().enumerate().take(tests.unwrap_or(usize::MAX)).filter(move |(_, line)| !comment(line))
}

fn files() -> Vec<(String, String, String)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![source.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            let is_test = path.file_stem().is_some_and(|name| name == "tests");
            if path.is_dir() && !is_test {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test {
                let name = path.strip_prefix(&source).unwrap().to_str().unwrap().to_owned();
                let part = name.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
                files.push((part, name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files
}

/// The parts of this crate that a line names: `crate::a`, `crate::{a, b}`, or `fintecture_mcp::a`.
fn named(line: &str) -> Vec<String> {
    let word =
        |text: &str| text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    let mut parts = Vec::new();
    for start in ["crate::", "fintecture_mcp::"] {
        for (at, _) in line.match_indices(start) {
            let rest = &line[at + start.len()..];
            match rest.strip_prefix('{') {
                Some(group) => parts.extend(group.split(',').map(|name| word(name.trim()))),
                None => parts.push(word(rest)),
            }
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[test]
fn imports_run_one_way() {
    let mut wrong = Vec::new();
    for (part, name, text) in files().iter().filter(|(part, ..)| part != "lib") {
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| known == part) else {
            wrong.push(format!("src/{name}: {part} has no place among the arrows; give it one in this test"));
            continue;
        };
        for (number, line) in program_lines(text) {
            for target in
                named(line).iter().filter(|target| *target != part && !allowed.contains(&target.as_str()))
            {
                wrong.push(format!(
                    "src/{name}:{}: {part} may not know {target}: {}",
                    number + 1,
                    line.trim()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_crate_stays_in_its_part() {
    let mut wrong = Vec::new();
    for (part, name, text) in files() {
        for (number, line) in program_lines(&text) {
            for (dependency, allowed) in CRATES {
                if line.contains(&format!("{dependency}::")) && !allowed.contains(&part.as_str()) {
                    wrong.push(format!(
                        "src/{name}:{}: {part} may not use {dependency}: {}",
                        number + 1,
                        line.trim()
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The configuration's types reach the parts as plain values: only those who build the parts know it.
#[test]
fn of_the_configuration_the_log_knows_its_format_alone() {
    for (part, name, text) in files() {
        for (_, line) in program_lines(&text).filter(|(_, line)| line.contains("crate::config")) {
            let known = ["app", "cli", "config"].contains(&part.as_str());
            assert!(known || line.contains("crate::config::LogFormat;"), "src/{name}: {line}");
        }
    }
}

/// A check that finds nothing anywhere would be none.
#[test]
fn the_arrows_are_there_to_be_found() {
    let files = files();
    for (part, target) in
        [("tools", "fintecture"), ("fintecture", "capability"), ("mcp", "calls"), ("app", "config")]
    {
        let found = files.iter().filter(|(from, ..)| from == part).any(|(_, _, text)| {
            program_lines(text).any(|(_, line)| named(line).iter().any(|name| name == target))
        });
        assert!(found, "{part} → {target}");
    }
    assert_eq!(named("use crate::{a, b::C};"), ["a", "b"]);
    assert_eq!(named("let x = crate::tools::needs();"), ["tools"]);
}
