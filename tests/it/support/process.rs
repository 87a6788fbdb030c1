//! The program as a child process, with its standard error kept for questions.

use std::process::{ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;

use super::in_time;

/// The program, without any variable of the surroundings that would change what it does.
pub(crate) fn program() -> Command {
    program_by(&[])
}

/// The same, started by another program.
pub(crate) fn program_by(starter: &[&str]) -> Command {
    let mut words = starter.iter().copied().chain([env!("CARGO_BIN_EXE_fintecture-mcp")]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words);
    for (name, _) in std::env::vars_os() {
        let is_ours = ["FINTECTURE_", "OTEL_"].iter().any(|ours| name.to_string_lossy().starts_with(ours));
        // A test that needs a browser names it; nobody's own is opened.
        let has_others = ["RUST_LOG", "COLUMNS", "BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"];
        if is_ours || has_others.iter().any(|other| name == *other) {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a command to its end; its standard input is empty.
pub(crate) async fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let mut command = program();
    command.args(arguments).envs(variables.iter().copied()).stdin(Stdio::null());
    let output = in_time(command.output()).await.unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A running program. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    stderr: watch::Receiver<String>,
}

impl Process {
    /// Starts it.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let (text, stderr) = watch::channel(String::new());
        tokio::spawn(async move {
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
                text.send_modify(|text| text.push_str(&String::from_utf8_lossy(&line)));
                line.clear();
            }
        });
        Self { child, stderr }
    }

    /// Its standard input and output, which can be taken once.
    pub(crate) fn pipes(&mut self) -> (ChildStdout, ChildStdin) {
        (self.child.stdout.take().unwrap(), self.child.stdin.take().unwrap())
    }

    /// The first line on standard error that holds this text.
    pub(crate) async fn logged(&mut self, text: &str) -> String {
        self.counted(text, 1).await
    }

    /// The line on standard error that is the `number`th to hold this text.
    pub(crate) async fn counted(&mut self, text: &str, number: usize) -> String {
        let line =
            |all: &str| all.lines().filter(|line| line.contains(text)).nth(number - 1).map(str::to_owned);
        let found = in_time(self.stderr.wait_for(|all| line(all).is_some())).await.is_ok();
        let all = self.stderr();
        assert!(found, "the program ended before it said {text:?}: {all}");
        line(&all).unwrap()
    }

    /// Everything on standard error so far.
    pub(crate) fn stderr(&self) -> String {
        self.stderr.borrow().clone()
    }

    /// Its process id.
    pub(crate) fn id(&self) -> i32 {
        i32::try_from(self.child.id().expect("still running")).unwrap()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.id()), signal).unwrap();
    }

    /// Whether it still runs.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end. Returns how it ended and all that it wrote on standard error.
    pub(crate) async fn ended(mut self) -> (ExitStatus, String) {
        let status = in_time(self.child.wait()).await.unwrap();
        // The sender goes when the pipe is read to its end.
        let _ = in_time(self.stderr.wait_for(|_| false)).await;
        let text = self.stderr();
        (status, text)
    }
}
