//! The only place that knows every part: builds them and hands them to each other.

mod access;
mod approvals;
mod audit;
mod browser;
mod check;
mod demo;
mod desk;
mod network;
mod parts;
mod people;
mod serve;
mod setup;
mod shell;
mod signals;
mod simulate;
mod skill;
mod store;
mod upstream;

use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::runtime::Builder;

use crate::capability::{Capabilities, Source};
use crate::cli::{self, CapabilitiesCommand, Command, Parsed, TokenCommand, ToolsArgs};
use crate::config::Problems;
use crate::{telemetry, tools};

/// How long the runtime may linger over a read of standard input that nobody will answer.
const RUNTIME_GRACE: Duration = Duration::from_millis(100);

/// Whether a line of a command's output got lost.
static IS_UNWRITTEN: AtomicBool = AtomicBool::new(false);

/// What a command ended with.
enum Failed {
    /// Bad usage or configuration: exit 2, a line a problem.
    Usage(String),
    /// Anything else: exit 1.
    Other(anyhow::Error),
    /// Exit with this; all is said.
    Told(u8),
}

impl From<Problems> for Failed {
    fn from(problems: Problems) -> Self {
        Self::Usage(problems.to_string())
    }
}

impl From<anyhow::Error> for Failed {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

/// Runs the program: 0 when it went well, 2 on bad usage or configuration, 1 otherwise.
pub fn main(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let ended = run(words);
    // Who does not read the log is told nothing more: the program would wait for them, and never end.
    let is_read = telemetry::flush();
    let tell = |line: &str| {
        if is_read {
            say(&mut std::io::stderr(), &format!("fintecture-mcp: {line}"));
        }
    };
    match ended {
        Ok(()) if IS_UNWRITTEN.load(Ordering::Relaxed) => {
            tell("standard output could not be written");
            ExitCode::FAILURE
        }
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed::Usage(lines)) => {
            lines.lines().for_each(tell);
            ExitCode::from(2)
        }
        Err(Failed::Other(error)) => {
            tell(&format!("{error:#}"));
            ExitCode::FAILURE
        }
        Err(Failed::Told(code)) => ExitCode::from(code),
    }
}

fn run(words: impl IntoIterator<Item = OsString>) -> Result<(), Failed> {
    let (command, problems) = match cli::parse(words)? {
        Parsed::Run(command, problems) => (command, problems),
        Parsed::Show(text) => {
            print(text.trim_end());
            return Ok(());
        }
    };
    match *command {
        Command::Serve(args) => serve::run((*args).into(), problems),
        Command::Simulator(args) => {
            let settings = simulate::settings(args, problems)?;
            in_runtime(simulate::run(settings))
        }
        Command::Check(args) => check::run(args, problems),
        Command::Tools(args) => show_tools(&args, problems),
        Command::Audit(command) => audit::run(command, problems),
        Command::Capabilities(CapabilitiesCommand::Validate { dir }) => validate(dir.as_deref(), problems),
        Command::Token(TokenCommand::New { name, scopes }) => {
            access::new_token(&name, scopes.as_deref(), problems)
        }
        Command::Skill(command) => skill::run(command, problems),
        Command::Setup(args) => setup::run(&args, problems),
        Command::Demo(args) => demo::run(&args, problems),
        Command::Completions { shell } => shell::completions(shell, problems),
        Command::Man => shell::manual(problems),
    }
}

fn load(dir: Option<&Path>) -> Result<Arc<Capabilities>, String> {
    let source = dir.map_or(Source::BuiltIn, |dir| Source::Folder(dir.to_owned()));
    Capabilities::load(&source, &tools::needs()).map(Arc::new).map_err(|refused| refused.to_string())
}

/// The same for a command that has nothing else to check.
fn load_alone(dir: Option<&Path>, mut problems: Problems) -> Result<Arc<Capabilities>, Problems> {
    let capabilities = load(dir).map_err(|refused| problems.add(refused)).ok();
    problems.or(capabilities)
}

fn show_tools(args: &ToolsArgs, problems: Problems) -> Result<(), Failed> {
    let capabilities = load_alone(args.capabilities.as_deref(), problems)?;
    let catalogue = tools::catalogue(&capabilities, args.read_only);
    if args.json {
        let list = serde_json::json!({ "tools": crate::mcp::wire_tools(&catalogue) });
        print(&serde_json::to_string_pretty(&list).context("the list as JSON")?);
        return Ok(());
    }
    for tool in &catalogue {
        print(&format!("{} — {}\n  {}", tool.name, tool.title, tool.description));
        for (name, property) in
            tool.input_schema.get("properties").and_then(|value| value.as_object()).into_iter().flatten()
        {
            let description =
                property.get("description").and_then(|value| value.as_str()).unwrap_or_default();
            print(&format!("    {name}: {description}"));
        }
        print("");
    }
    Ok(())
}

fn validate(dir: Option<&Path>, problems: Problems) -> Result<(), Failed> {
    load_alone(dir, problems)?;
    let shown = dir.map_or_else(|| PathBuf::from("the built-in files"), Path::to_owned);
    print(&format!("{}: valid", shown.display()));
    Ok(())
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

fn in_runtime<T>(task: impl Future<Output = anyhow::Result<T>>) -> Result<T, Failed> {
    run_in(&mut Builder::new_multi_thread(), task)
}

/// The same on this thread alone.
fn in_one_thread<T>(task: impl Future<Output = anyhow::Result<T>>) -> Result<T, Failed> {
    run_in(&mut Builder::new_current_thread(), task)
}

fn run_in<T>(runtime: &mut Builder, task: impl Future<Output = anyhow::Result<T>>) -> Result<T, Failed> {
    let runtime = runtime.enable_all().build().context("cannot start the runtime")?;
    let result = runtime.block_on(task);
    // A read of standard input cannot be cancelled: the process ends without it.
    runtime.shutdown_timeout(RUNTIME_GRACE);
    result.map_err(Failed::Other)
}

/// Writes a line of a command's output. Whoever closed the pipe does not want it; whoever has no room for it must know.
fn print(text: &str) {
    let written = writeln!(std::io::stdout(), "{text}");
    if written.is_err_and(|error| error.kind() != ErrorKind::BrokenPipe) {
        IS_UNWRITTEN.store(true, Ordering::Relaxed);
    }
}

/// Writes a line for people; there is nobody to tell where that fails.
fn say(out: &mut impl Write, text: &str) {
    let _ = writeln!(out, "{text}");
}
