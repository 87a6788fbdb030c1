//! Inbound tokens, made as an operator makes them.

use super::process::{Ended, run};

/// A token, and the line of `--auth-tokens` that lets it in.
pub(crate) async fn made(name: &str, scopes: &str) -> (String, String) {
    let Ended { code, stdout, stderr } = run(&["token", "new", name, "--scopes", scopes], &[]).await;
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let lines: Vec<&str> = stdout.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    let [token, line] = lines[..] else { panic!("a token and a line: {stdout}") };
    assert!(token.starts_with("fmcp_") && !line.contains(token), "{stdout}");
    (token.to_owned(), line.to_owned())
}
