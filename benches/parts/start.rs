//! From the start of a process to its first answer on stdio, beside that of a bare rmcp server: configuration,
//! certificates and capability files are read and checked before it.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use divan::Bencher;

/// The word that makes this binary the bare server.
pub(crate) const BARE: &str = "bare-stdio";

/// The first thing that a client says.
const HELLO: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}"#;

/// A server that has answered, and is waited for when it is dropped, which nobody measures.
struct Answered(Child);

impl Drop for Answered {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // It ends with its input.
        self.0.wait().unwrap();
    }
}

/// Starts a server, without any variable of the surroundings, and waits for its first answer.
fn first_answer(program: PathBuf, words: &[&str], variables: &[(&str, &str)]) -> Answered {
    let mut command = Command::new(program);
    command.args(words).env_clear().envs(variables.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = Answered(command.spawn().unwrap());
    let (Some(input), Some(output)) = (&mut server.0.stdin, &mut server.0.stdout) else {
        panic!("both are piped");
    };
    writeln!(input, "{HELLO}").unwrap();
    let mut answer = String::new();
    BufReader::new(output).read_line(&mut answer).unwrap();
    assert!(answer.contains(r#""result""#), "{answer}");
    server
}

#[divan::bench(sample_count = 40, sample_size = 1)]
fn bare(bencher: Bencher<'_, '_>) {
    let program = std::env::current_exe().unwrap();
    bencher.bench_local(|| first_answer(program.clone(), &[BARE], &[]));
}

/// Before the sandbox, whose certificate it will check.
#[divan::bench(sample_count = 40, sample_size = 1)]
fn sandbox(bencher: Bencher<'_, '_>) {
    let variables =
        [("FINTECTURE_ENVIRONMENT", "sandbox"), ("FINTECTURE_CUSTOMER_TOKEN", "token-of-the-bench")];
    bencher.bench_local(|| first_answer(env!("CARGO_BIN_EXE_fintecture-mcp").into(), &["serve"], &variables));
}

/// With nothing set: the simulator runs within.
#[divan::bench(sample_count = 40, sample_size = 1)]
fn simulator(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| first_answer(env!("CARGO_BIN_EXE_fintecture-mcp").into(), &["serve"], &[]));
}
