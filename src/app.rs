//! The only place that knows every part: builds them and hands them to each other.

mod approvals;
mod browser;
mod check;
mod desk;
mod network;
mod signals;
mod simulate;
mod upstream;

use std::ffi::OsString;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::audit::Trail;
use crate::calls::{Calls, CallsConfig, Completions, Sealer};
use crate::capability::{Capabilities, Source};
use crate::cli::{self, CapabilitiesCommand, Command, Parsed, ToolsArgs};
use crate::config::{
    ApprovalSettings, PersonalData, Problems, Serve, ServeFlags, Transport, Upstream, variables,
};
use crate::fintecture::Fintecture;
use crate::mcp::Server;
use crate::store::Store;
use crate::telemetry;
use crate::tools::{self, Tools};
use crate::transports::HttpConfig;
use crate::{pages, transports};

/// How long the runtime may linger over a read of standard input that nobody will answer.
const RUNTIME_GRACE: Duration = Duration::from_millis(100);

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
    match run(words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed::Usage(lines)) => {
            for line in lines.lines() {
                say(&mut std::io::stderr(), &format!("fintecture-mcp: {line}"));
            }
            ExitCode::from(2)
        }
        Err(Failed::Other(error)) => {
            say(&mut std::io::stderr(), &format!("fintecture-mcp: {error:#}"));
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
        Command::Serve(args) => serve(args.into(), problems),
        Command::Simulator(args) => {
            let settings = simulate::settings(args, problems)?;
            in_runtime(simulate::run(settings))
        }
        Command::Check(args) => check::run(args, problems),
        Command::Tools(args) => problems.or(Some(())).map_err(Failed::from).and_then(|()| show_tools(&args)),
        Command::Capabilities(CapabilitiesCommand::Validate { dir }) => {
            problems.or(Some(()))?;
            validate(dir.as_deref())
        }
    }
}

fn serve(flags: ServeFlags, mut problems: Problems) -> Result<(), Failed> {
    let read = |name: &str| std::env::var(name).ok();
    variables::refuse_unreadable(&mut problems);
    variables::refuse_unknown(
        std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()),
        &mut problems,
    );
    let capabilities = load(flags.capabilities.as_deref());
    let settings = match (Serve::read(flags, &variables::Variables::new(&read), problems), &capabilities) {
        (Ok(settings), Ok(_)) => settings,
        (Err(problems), Ok(_)) => return Err(problems.into()),
        (Ok(_), Err(refused)) => return Err(Failed::Usage(refused.clone())),
        (Err(problems), Err(refused)) => return Err(Failed::Usage(format!("{problems}\n{refused}"))),
    };
    let capabilities = capabilities.map_err(Failed::Usage)?;
    telemetry::start(settings.log_format);
    let sealer = Arc::new(upstream::sealer(&settings.upstream).context("sealing")?);
    let http = network::prepare(settings.http, &settings.limits);
    let (upstream, approvals) = prepare(settings.upstream, settings.approvals).map_err(|lines| {
        Failed::Usage(http.as_ref().err().map_or_else(|| lines.clone(), |line| format!("{lines}\n{line}")))
    })?;
    let http = http.map_err(Failed::Usage)?;
    let personal_data = settings.personal_data.unwrap_or(PersonalData::default_of(upstream.environment()));
    let calls = CallsConfig {
        stop_writes: settings.stop_writes,
        masks_personal_data: personal_data == PersonalData::Masked,
        confirm: approvals.confirm(upstream.environment()),
        store: Store::memory(),
        trail: Trail::off(),
    };
    in_runtime(run_server(
        (settings.transport, http),
        upstream,
        approvals,
        settings.read_only,
        calls,
        sealer,
        capabilities,
    ))
}

/// Checks what the settings alone do not show. What is wrong is told at once, a line each.
fn prepare(
    upstream: Upstream,
    approvals: ApprovalSettings,
) -> Result<(upstream::Prepared, approvals::Prepared), String> {
    match (upstream::prepare(upstream), approvals::prepare(approvals)) {
        (Ok(upstream), Ok(approvals)) => Ok((upstream, approvals)),
        (Err(one), Err(other)) => Err(format!("{one}\n{other}")),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
    }
}

fn load(dir: Option<&Path>) -> Result<Arc<Capabilities>, String> {
    let source = dir.map_or(Source::BuiltIn, |dir| Source::Folder(dir.to_owned()));
    Capabilities::load(&source, &tools::needs()).map(Arc::new).map_err(|refused| refused.to_string())
}

async fn run_server(
    (transport, http): (Transport, HttpConfig),
    upstream: upstream::Prepared,
    approvals: approvals::Prepared,
    read_only: bool,
    calls: CallsConfig,
    sealer: Arc<Sealer>,
    capabilities: Arc<Capabilities>,
) -> anyhow::Result<()> {
    let shutdown = signals::stop_on_signals()?;
    let (environment, client, simulator) = upstream::ready(upstream).await?;
    let words = capabilities.instructions();
    let fintecture = Arc::new(Fintecture::new(client, Arc::clone(&capabilities)));
    let listener = match transport {
        Transport::Stdio => None,
        Transport::Http(address) => Some(listen(address).await?),
    };
    let pages_end = CancellationToken::new();
    let approvals = match &listener {
        None => approvals.on_stdio(environment, pages_end.clone()),
        Some(listener) => approvals.on_http(network::origin(&http, listener.local_addr()?)),
    };
    if !read_only {
        approvals::warn_of_no_way(&approvals, calls.confirm, listener.is_none());
    }
    signals::reload_on_hangup(Arc::clone(&fintecture), Arc::clone(&approvals), http.tls.clone())?;
    let (store, trail) = (calls.store.clone(), calls.trail.clone());
    let tools = Tools::new(&capabilities, fintecture, environment, read_only);
    let pages = pages::routes(Arc::clone(&approvals), environment);
    let calls = Calls::new(Arc::new(tools), approvals, sealer, calls, shutdown.clone());
    let calls = Arc::new(calls);
    let completions = Completions::new(Arc::clone(&calls), simulate::provider_ids(environment));
    let clients_are_own = transport == Transport::Stdio;
    let server = Server::new(Arc::clone(&calls), completions, Sealer::random()?, &words, clients_are_own);
    match listener {
        None => {
            tracing::info!(%environment, "serving over stdio");
            Box::pin(transports::serve_stdio(server, shutdown)).await?;
        }
        Some(listener) => {
            let address = listener.local_addr()?;
            network::warn_of_plain_http(&http, address);
            let scheme = if http.tls.is_some() { "https" } else { "http" };
            tracing::info!(%environment, "serving Streamable HTTP at {scheme}://{address}/mcp and legacy SSE at {scheme}://{address}/sse");
            let config = HttpConfig { pages, store, trail, ..http };
            transports::serve_http(listener, server, config, shutdown).await?;
        }
    }
    pages_end.cancel();
    // A write goes on to its end when its caller leaves; it has its own time budget.
    calls.writes_settled().await;
    if let Some(simulator) = simulator {
        simulator.shutdown().await?;
    }
    Ok(())
}

fn show_tools(args: &ToolsArgs) -> Result<(), Failed> {
    let capabilities = load(args.capabilities.as_deref()).map_err(Failed::Usage)?;
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

fn validate(dir: Option<&Path>) -> Result<(), Failed> {
    load(dir).map_err(Failed::Usage)?;
    let shown = dir.map_or_else(|| PathBuf::from("the built-in files"), Path::to_owned);
    print(&format!("{}: valid", shown.display()));
    Ok(())
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

fn in_runtime<T>(task: impl Future<Output = anyhow::Result<T>>) -> Result<T, Failed> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let result = runtime.block_on(task);
    // A read of standard input cannot be cancelled: the process ends without it.
    runtime.shutdown_timeout(RUNTIME_GRACE);
    result.map_err(Failed::Other)
}

fn print(text: &str) {
    say(&mut std::io::stdout(), text);
}

/// Writes a line; whoever closed the pipe does not want it.
fn say(out: &mut impl Write, text: &str) {
    let _ = writeln!(out, "{text}");
}
