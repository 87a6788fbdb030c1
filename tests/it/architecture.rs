//! Imports run one way; the map of the crate (`src/lib.rs`) says which.

use std::fs;
use std::path::{Path, PathBuf};

/// What each part may import of this crate. A part that is not here is not part of the house yet.
const ARROWS: &[(&str, &[&str])] = &[
    ("main", &["app"]),
    (
        "app",
        &[
            "access",
            "audit",
            "calls",
            "capability",
            "cli",
            "config",
            "demo",
            "domain",
            "fintecture",
            "mcp",
            "pages",
            "rest",
            "roots",
            "sealing",
            "secret",
            "setup",
            "simulator",
            "store",
            "telemetry",
            "tools",
            "transports",
        ],
    ),
    ("cli", &["config"]),
    ("telemetry", &["config", "measures", "traces", "domain"]),
    ("transports", &["mcp", "rest", "access", "audit", "store", "measures", "domain"]),
    ("mcp", &["calls", "tools", "store", "sealing", "traces", "domain"]),
    ("rest", &["calls", "tools", "traces", "domain"]),
    ("pages", &["calls", "tools", "sealing", "domain"]),
    (
        "calls",
        &["fintecture", "tools", "audit", "store", "sealing", "measures", "traces", "domain", "secret"],
    ),
    ("tools", &["fintecture", "capability", "domain"]),
    ("fintecture", &["capability", "measures", "traces", "roots", "domain", "secret"]),
    ("capability", &["domain"]),
    ("simulator", &["domain"]),
    ("demo", &[]),
    ("config", &["domain", "secret"]),
    ("access", &["roots", "measures", "domain", "secret"]),
    ("audit", &["measures", "secret"]),
    ("store", &["measures", "sealing", "secret"]),
    ("sealing", &[]),
    ("measures", &[]),
    ("traces", &[]),
    ("secret", &[]),
    ("setup", &[]),
    ("roots", &[]),
    ("domain", &[]),
];

/// Who may name the types of a protocol's or a client's crate.
const CRATES: [(&str, &[&str]); 5] = [
    ("rmcp", &["mcp", "transports", "demo"]),
    ("reqwest", &["fintecture", "access", "telemetry"]),
    ("opentelemetry", &["traces", "telemetry"]),
    ("redis", &["store"]),
    ("anyhow", &["main", "app"]),
];

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

/// What the program part of a file names of this crate, each with its line: `crate::a`, `crate::{a, b::C}` over
/// as many lines as it takes, or `fintecture_mcp::a`.
fn named(text: &str) -> Vec<(usize, String)> {
    let mut program = String::new();
    let mut number = 0;
    for (at, line) in program_lines(text) {
        // Lines that are left out stay as empty ones, so that numbers hold.
        program.push_str(&"\n".repeat(at - number));
        number = at;
        program.push_str(line);
    }
    let word = |text: &str| {
        text.trim_start().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>()
    };
    let mut parts = Vec::new();
    for start in ["crate::", "fintecture_mcp::"] {
        for (at, _) in program.match_indices(start) {
            let line = program[..at].matches('\n').count() + 1;
            let rest = &program[at + start.len()..];
            match rest.strip_prefix('{') {
                Some(group) => parts.extend(members(group).into_iter().map(|member| (line, word(member)))),
                None => parts.push((line, word(rest))),
            }
        }
    }
    parts.retain(|(_, part)| !part.is_empty());
    parts
}

/// The members of a group up to the brace that closes it; groups within stay whole.
fn members(group: &str) -> Vec<&str> {
    let (mut depth, mut from, mut members) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' | ',' if depth == 0 => {
                members.push(&group[from..at]);
                from = at + 1;
                if c == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    members
}

#[test]
fn imports_run_one_way() {
    let mut wrong = Vec::new();
    for (part, name, text) in files().iter().filter(|(part, ..)| part != "lib") {
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| known == part) else {
            wrong.push(format!("src/{name}: {part} has no place among the arrows; give it one in this test"));
            continue;
        };
        for (line, target) in named(text) {
            if target != *part && !allowed.contains(&target.as_str()) {
                wrong.push(format!("src/{name}:{line}: {part} imports {target}, and may not know it"));
            }
        }
        if program_lines(text).any(|(_, line)| line.contains("super::super::")) {
            wrong.push(format!("src/{name}: super::super hides which arrow it is: write crate:: instead"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What nothing uses is not allowed either.
#[test]
fn each_arrow_is_used() {
    let files = files();
    for (part, allowed) in ARROWS {
        let texts = files.iter().filter(|(from, ..)| from == part);
        let used: Vec<String> = texts.flat_map(|(.., text)| named(text)).map(|(_, target)| target).collect();
        let unused: Vec<_> =
            allowed.iter().filter(|target| !used.iter().any(|name| name == *target)).collect();
        assert!(unused.is_empty(), "{part} imports nothing of {unused:?}: take the arrows away");
    }
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
        let mut texts = files.iter().filter(|(from, ..)| from == part).map(|(_, _, text)| text);
        let found = texts.any(|text| named(text).iter().any(|(_, name)| name == target));
        assert!(found, "{part} → {target}");
    }
    let text = "//! crate::x\nuse crate::{\n    a::{B, C},\n    d::E,\n};\nlet x = crate::tools::needs();\n";
    let found = [(2, "a"), (2, "d"), (6, "tools")].map(|(line, part)| (line, part.to_owned()));
    assert_eq!(named(text), found);
}
