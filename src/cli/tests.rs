//! The documentation is held to the command line: every command, flag and variable that a page names is one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Arg;
use clap::error::ErrorKind;

use super::*;
use crate::config::ServeFlags;
use crate::measures;

/// What begins a command line of ours without being part of it.
const WRAPPERS: [&str; 8] = ["$", "exec", "sudo", "env", "uvx", "npx", "-y", "--yes"];
/// What ends one.
const ENDS: [&str; 6] = [";", "|", "||", "&&", "&", "#"];
/// Placeholders where the program takes certain words alone.
const PLACEHOLDERS: [(&str, &str); 2] = [("CLIENT", "claude-code"), ("SHELL", "bash")];
/// What is no fault of a page: `--help`, and the mere name of a command that takes more.
const FINE: [ErrorKind; 5] = [
    ErrorKind::DisplayHelp,
    ErrorKind::DisplayVersion,
    ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
    ErrorKind::MissingRequiredArgument,
    ErrorKind::MissingSubcommand,
];

/// The pages that people read: their names from the root of the project on, and their texts.
fn pages() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let others = ["README.md", "CONTRIBUTING.md", "deploy/README.md"].map(|name| root.join(name));
    let pages = docs.filter(|path| path.extension().is_some_and(|kind| kind == "md")).chain(others);
    let name = |path: &PathBuf| path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
    let mut pages: Vec<_> = pages.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect();
    // What systemd starts reads as a block of commands.
    let unit = include_str!("../../deploy/fintecture-mcp.service").replace("\\\n", " ");
    let unit = unit.lines().map(|line| match line.strip_prefix("ExecStart=") {
        Some(command) => format!("\n```sh\n{command}\n```\n"),
        None => format!("{line}\n"),
    });
    pages.push(("deploy/fintecture-mcp.service".to_owned(), unit.collect()));
    pages.sort();
    assert!(pages.len() > 5);
    pages
}

/// The text of a page's code: blocks of commands, each line ended, and spans within lines.
fn code(page: &str) -> Vec<String> {
    let mut code = Vec::new();
    for (place, part) in page.split("\n```").enumerate() {
        if place % 2 == 1 {
            let (language, block) = part.split_once('\n').unwrap_or((part, ""));
            if ["sh", "bash", "console", "text"].contains(&language) {
                code.push(format!("{block}\n"));
            }
            continue;
        }
        for paragraph in part.split("\n\n") {
            let spans: Vec<&str> = paragraph.split('`').collect();
            assert!(spans.len() % 2 == 1, "a backtick without its like: {paragraph}");
            code.extend(
                spans.into_iter().skip(1).step_by(2).map(|span| span.replace("\\|", "|").replace('\n', " ")),
            );
        }
    }
    code
}

/// The words of every command line of ours in a piece of code, the program's name first.
fn command_lines(code: &str) -> Vec<Vec<String>> {
    let code = code.replace("\\\n", " ").replace('\n', "\n; ");
    let words = shlex::split(&code).unwrap_or_else(|| code.split_whitespace().map(str::to_owned).collect());
    let mut found = Vec::new();
    for command in words.split(|word| ENDS.contains(&word.as_str())) {
        let ours = |word: &str| word.rsplit(['/', '(']).next() == Some(NAME);
        let Some(at) = command.iter().position(|word| ours(word)) else {
            // `cargo run -- demo`
            let cargo = command.starts_with(&["cargo".to_owned(), "run".to_owned()]);
            if let Some(dashes) = command.iter().position(|word| word == "--").filter(|_| cargo) {
                found.push([&[NAME.to_owned()], &command[dashes + 1..]].concat());
            }
            continue;
        };
        let begins = |word: &String| WRAPPERS.contains(&word.as_str()) || word.contains('=');
        let after_dashes = at > 0 && command[at - 1] == "--";
        if after_dashes || command[..at].iter().all(begins) || command[at].contains('(') {
            found.push([&[NAME.to_owned()], &command[at + 1..]].concat());
        }
    }
    found
}

/// A command line as somebody would type it: of alternatives the first, without brackets, dots and redirections.
fn typed(words: &[String]) -> Vec<String> {
    let kept = words.iter().take_while(|word| !word.starts_with(['>', '<']) && !word.starts_with("2>"));
    let mut typed: Vec<String> = kept
        .map(|word| word.trim_matches(['[', ']', '(', ')']))
        .map(|word| if word.contains("://") { word } else { word.split('|').next().unwrap() })
        .map(|word| PLACEHOLDERS.iter().find(|(name, _)| *name == word).map_or(word, |(_, value)| value))
        .map(str::to_owned)
        .collect();
    let dots = typed.last().is_some_and(|word| word == "...");
    if dots && !typed.iter().rev().nth(1).is_some_and(|word| word.starts_with("--")) {
        typed.pop();
    }
    typed
}

/// Every flag of every command.
fn flags(command: &clap::Command, into: &mut BTreeSet<String>) {
    into.extend(command.get_arguments().filter_map(Arg::get_long).map(|flag| format!("--{flag}")));
    command.get_subcommands().for_each(|command| flags(command, into));
}

#[test]
fn every_command_line_in_the_documentation_is_accepted() {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for (page, text) in pages() {
        for piece in code(&text) {
            let fine = if piece.contains('\n') { &FINE[..2] } else { &FINE };
            for words in command_lines(&piece) {
                seen += 1;
                let refused = Cli::try_parse_from(typed(&words)).err();
                if let Some(error) = refused.filter(|error| !fine.contains(&error.kind())) {
                    wrong.push(format!("{page}: `{}`: {}", words.join(" "), one_line(&error)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 20, "only {seen} command lines were found");
}

/// The names in a text that begin with this, whole.
fn names<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let whole = text.match_indices(prefix).filter(move |(at, _)| !text[..*at].ends_with(part));
    let name = move |at: usize| text[at..].split(|c| !part(c)).next().unwrap();
    whole.map(move |(at, _)| name(at)).filter(move |name| *name != prefix)
}

#[test]
fn every_flag_variable_limit_and_metric_in_the_documentation_exists() {
    let mut known = BTreeSet::from(["--help".to_owned(), "--version".to_owned()]);
    flags(&definition(), &mut known);
    let (variables, limits) = (variables::help(), Limits::help());
    let variables: BTreeSet<_> = names(&variables, "FINTECTURE_").collect();
    let mut wrong = Vec::new();
    for (page, text) in pages() {
        for span in code(&text) {
            let flag = span.split([' ', '=', '[', '\n']).next().unwrap();
            // The bare `--` ends the flags of any command.
            if flag.starts_with("--") && flag != "--" && !known.contains(flag) {
                wrong.push(format!("{page}: no command has the flag {flag}"));
            }
            for (_, limit) in span.match_indices("--limit ").map(|(at, flag)| span.split_at(at + flag.len()))
            {
                let name = limit.split(['=', ' ', '\n']).next().unwrap();
                if name != "NAME" && !limits.contains(&format!("  {name}=")) {
                    wrong.push(format!("{page}: there is no limit {name}"));
                }
            }
        }
        for name in names(&text, "FINTECTURE_").filter(|name| !variables.contains(name)) {
            wrong.push(format!("{page}: there is no variable {name}"));
        }
        for name in names(&text, "fintecture_mcp_") {
            if !measures::ALL.iter().any(|measure| measure.name == name) {
                wrong.push(format!("{page}: there is no metric {name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn command_lines_are_found_where_they_stand() {
    let found =
        |code: &str| command_lines(code).iter().map(|words| typed(words).join(" ")).collect::<Vec<_>>();
    assert_eq!(
        found("A=b fintecture-mcp check --x \\\n  y # fintecture-mcp z"),
        ["fintecture-mcp check --x y"]
    );
    assert_eq!(
        found("x | fintecture-mcp tools > y\nnpx -y fintecture-mcp a"),
        ["fintecture-mcp tools", "fintecture-mcp a"]
    );
    assert_eq!(found("claude mcp add f -- fintecture-mcp serve"), ["fintecture-mcp serve"]);
    assert_eq!(found("source <(fintecture-mcp completions SHELL)"), ["fintecture-mcp completions bash"]);
    assert_eq!(
        found("fintecture-mcp setup cursor|vscode [--write]"),
        ["fintecture-mcp setup cursor --write"]
    );
    assert_eq!(found("cargo run -- demo && cargo install fintecture-mcp"), ["fintecture-mcp demo"]);
}

/// Clients with a form for settings cannot leave a flag out.
#[test]
fn read_only_stands_alone_or_says_whether() {
    let read = |flag: &str| {
        let cli = Cli::try_parse_from([NAME, flag]).map_err(|error| one_line(&error))?;
        Ok::<_, String>(ServeFlags::from(cli.serve).read_only)
    };
    assert_eq!(read("--read-only"), Ok(true));
    assert_eq!(read("--read-only=true"), Ok(true));
    assert_eq!(read("--read-only=false"), Ok(false));
    for refused in ["--read-only=", "--read-only=no", "--read-only=${user_config.read_only}"] {
        assert!(read(refused).is_err_and(|said| said.contains("--read-only")), "{refused}");
    }
}

#[test]
fn the_docs_show_every_flag_of_serve() {
    let page = include_str!("../../docs/operating.md");
    let cli = Cli::command();
    let serve = cli.find_subcommand("serve").unwrap();
    let row = |flag: &Arg| {
        let needs_value = flag.get_action().takes_values() && !flag.is_require_equals_set();
        let value = flag.get_value_names().filter(|_| needs_value);
        let value = value.map(|names| format!(" {}", names[0].replace('|', "\\|"))).unwrap_or_default();
        format!("| `--{}{value}` | {} |", flag.get_long()?, flag.get_help()?).into()
    };
    let rows: Vec<String> = serve.get_arguments().filter_map(row).collect();
    let table = rows.join("\n").replace("See below", "See [Limits](#limits)");
    assert!(
        rows.len() > 20 && page.contains(&table),
        "the table of flags in docs/operating.md should be:\n{table}"
    );
}
