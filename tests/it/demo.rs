//! `demo`: the story in a terminal, in a pipe, and cut short; and the picture of it in the documentation.

use std::fs::File;
use std::io::Read;

use nix::pty::{Winsize, openpty};
use nix::sys::signal::Signal;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::support::in_time;
use crate::support::process::{Process, program, run};

mod recording;

/// The title of an act that takes some seconds.
const SLOW_BANK: &str = "A bank that takes its time";

/// `demo`, with nothing in its surroundings that says how a terminal is.
fn demo() -> Command {
    let mut command = program();
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI", "TERM"] {
        command.env_remove(name);
    }
    command.arg("demo");
    command
}

/// All that `demo` writes to a terminal this wide, with these variables set.
async fn on_a_terminal(columns: u16, variables: &[(&str, &str)]) -> String {
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let terminal = openpty(&size, None).unwrap();
    let mut command = demo();
    command.env("TERM", "xterm-256color").envs(variables.iter().copied());
    command.stdout(terminal.slave.try_clone().unwrap()).stderr(terminal.slave);
    let mut child = command.spawn().unwrap();
    // With it goes the last end on this side: what is read ends when the program does.
    drop(command);
    let shown = tokio::task::spawn_blocking(move || {
        let mut shown = Vec::new();
        // At the end Linux says that the terminal is gone, which is no news.
        let _ = File::from(terminal.master).read_to_end(&mut shown);
        String::from_utf8(shown).unwrap()
    });
    let shown = in_time(shown).await.unwrap();
    assert!(in_time(child.wait()).await.unwrap().success(), "{shown}");
    shown
}

/// What stands on a terminal in the end, without colours: what moved was written over line by line.
fn stays(shown: &str) -> Vec<String> {
    let lines = shown.split('\n').map(|line| line.trim_end_matches('\r'));
    let lines = lines.map(|line| line.rsplit("\u{1b}[2K").next().unwrap());
    lines.map(|line| anstream::adapter::strip_str(line).to_string().replace('\r', "")).collect()
}

#[tokio::test]
async fn in_a_pipe_the_whole_story_without_colour_and_nothing_that_moves() {
    let ended = run(&["demo"], &[]).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    assert!(!ended.stdout.contains('\u{1b}'), "{}", ended.stdout);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert!(lines[1].contains("SIMULATOR: every customer, account and verification here is made up"));
    for (act, outcome) in [
        ("asks again", "repeated=true"),
        ("a digit mistyped", "invalid_input: nothing was sent"),
        ("Is she who she says she is?", "status=verified match_score=1.0"),
        ("somebody else", "status=unverified"),
        (SLOW_BANK, "status=verified"),
        ("A bank that fails", "status=failed"),
        ("The dossier", "not_checked"),
    ] {
        let from = lines.iter().position(|line| line.contains(act)).unwrap_or_else(|| panic!("no {act}"));
        let mut of_act = lines[from..].iter().take_while(|line| !line.is_empty());
        assert!(of_act.any(|line| line.contains(outcome)), "{act}: {}", ended.stdout);
    }
    let questions = ended.stdout.matches("  ? ").count();
    assert_eq!(questions, 6, "one for each write that is sent: {}", ended.stdout);
}

#[tokio::test]
async fn what_is_set_for_a_real_upstream_never_reaches_it() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", upstream.local_addr().unwrap());
    let ended = run(
        &["demo"],
        &[
            ("FINTECTURE_ENVIRONMENT", "production"),
            ("FINTECTURE_BASE_URL", &base_url),
            ("FINTECTURE_CUSTOMER_TOKEN", "canary-token"),
            ("FINTECTURE_STORE_URL", "redis://127.0.0.1:1"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &base_url),
        ],
    )
    .await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    assert!(ended.stdout.contains("SIMULATOR") && !ended.stdout.contains("canary"), "{}", ended.stdout);
    // It has ended: what it wanted to connect to, it would have connected to by now.
    upstream.into_std().and_then(|upstream| upstream.accept()).expect_err("nobody connects");
}

#[tokio::test]
async fn a_terminal_has_colours_and_sees_how_far_it_is() {
    let shown = on_a_terminal(120, &[]).await;
    assert!(shown.contains("\u{1b}[32mverified\u{1b}[0m"), "{shown}");
    let told = shown.split_once("6/8 The verification is still pending. (");
    assert!(told.is_some_and(|(_, rest)| rest.contains(" of 30 s)")), "{shown}");
    let stays = stays(&shown);
    assert!(stays.iter().any(|line| line.ends_with(SLOW_BANK)), "{stays:#?}");
    assert!(!stays.iter().any(|line| line.contains("still pending")), "what moves goes: {stays:#?}");
}

#[tokio::test]
async fn without_colour_where_it_is_not_wanted() {
    let plain = on_a_terminal(120, &[("NO_COLOR", "1")]).await;
    assert!(!plain.contains("\u{1b}[3"), "{plain}");
    let dumb = on_a_terminal(120, &[("TERM", "dumb")]).await;
    assert!(!dumb.contains('\u{1b}'), "{dumb}");
}

#[tokio::test]
async fn a_narrow_terminal_breaks_lines_between_words() {
    let shown = on_a_terminal(40, &[]).await;
    for line in stays(&shown) {
        let is_one_word = line.split_whitespace().filter(|word| word.chars().count() > 1).count() <= 1;
        assert!(line.chars().count() <= 40 || is_one_word, "{line}");
    }
}

#[tokio::test]
async fn ctrl_c_ends_it_well() {
    let mut process = Process::start(demo());
    let (shown, _input) = process.pipes();
    let mut lines = BufReader::new(shown).lines();
    loop {
        let line = in_time(lines.next_line()).await.unwrap().expect("the story goes on");
        if line.ends_with(SLOW_BANK) {
            break;
        }
    }
    process.signal(Signal::SIGINT);
    let (status, said) = process.ended().await;
    assert_eq!((status.code(), said.as_str()), (Some(0), "fintecture-mcp: the demo was stopped\n"));
}

#[tokio::test]
async fn whoever_closes_the_pipe_has_seen_enough() {
    let mut process = Process::start(demo());
    let (shown, _input) = process.pipes();
    let mut lines = BufReader::new(shown).lines();
    in_time(lines.next_line()).await.unwrap().unwrap();
    drop(lines);
    let (status, said) = process.ended().await;
    assert_eq!((status.code(), said.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn it_says_what_it_does_before_it_does_it() {
    insta::assert_snapshot!("help_demo", run(&["demo", "--help"], &[]).await.stdout);
}
