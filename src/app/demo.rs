//! `demo`: starts this program once more, as a server on the simulator, and has the story played on it.

use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

use super::{Failed, in_runtime, signals};
use crate::cli::DemoArgs;
use crate::config::Problems;
use crate::demo::{self, DemoError, Screen};

/// How long the server may take to end after its client has left.
const END_WITHIN: Duration = Duration::from_secs(5);

pub(super) fn run(_args: &DemoArgs, problems: Problems) -> Result<(), Failed> {
    problems.or(Some(()))?;
    in_runtime(play())
}

async fn play() -> anyhow::Result<()> {
    let stopped = signals::stop_on_signals()?;
    let mut server = server().context("cannot start the server")?;
    let (Some(input), Some(output), Some(mut log)) =
        (server.stdin.take(), server.stdout.take(), server.stderr.take())
    else {
        return Err(anyhow!("the server has no pipes"));
    };
    let logged = tokio::spawn(async move {
        let mut lines = Vec::new();
        let _ = log.read_to_end(&mut lines).await;
        String::from_utf8_lossy(&lines).into_owned()
    });
    let screen = Arc::new(Screen::new());
    let played = tokio::select! {
        played = demo::play((output, input), &screen) => played,
        () = stopped.cancelled() => {
            screen.clear();
            super::say(&mut io::stderr(), "fintecture-mcp: the demo was stopped");
            Ok(())
        }
    };
    end(server).await;
    match played {
        Ok(()) => Ok(()),
        // Whoever closed the pipe has seen enough.
        Err(DemoError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => {
            super::say(&mut io::stderr(), logged.await.unwrap_or_default().trim_end());
            Err(anyhow!(error).context("the demo stopped"))
        }
    }
}

/// The server, as a client on this machine would start it, with no variable of ours: what is set here for a real
/// upstream must not reach it. In a process group of its own, since Ctrl-C is for the client, which then ends it.
fn server() -> io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["serve", "--environment", "simulator"]).env_clear().env("RUST_LOG", "error");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(0).kill_on_drop(true).spawn()
}

/// The end of its input ends the server; if not, it is killed when it is dropped.
async fn end(mut server: Child) {
    let _ = tokio::time::timeout(END_WITHIN, server.wait()).await;
}
