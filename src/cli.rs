//! The command line. Values are typed as texts here and checked in `config`, so that every problem is told at once.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Parser, Subcommand};
use secrecy::SecretString;

use crate::config::{Limits, Problems, ServeFlags, variables};

/// Longest command line that is searched for more than its first problem, in words.
const MAX_ROUNDS: usize = 100;

/// MCP server for the Fintecture Customers API: customers, bank accounts and identity verifications for AI agents.
///
/// Without a command it serves over stdio, which is what Claude Desktop starts; without any setting it plays on
/// the built-in simulator.
#[derive(Debug, Parser)]
#[command(name = "fintecture-mcp", version, args_conflicts_with_subcommands = true, after_help = variables::help())]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the tools to MCP clients
    #[command(after_help = format!("{}\n\n{}", Limits::help(), variables::help()))]
    Serve(Box<ServeArgs>),
    /// Run the stand-in for the Fintecture API alone, over HTTP
    Simulator(SimulatorArgs),
    /// Say what works and what does not: settings, capability files, network, credentials, one harmless read
    #[command(after_help = variables::help())]
    Check(CheckArgs),
    /// Show the tools as an agent will see them
    Tools(ToolsArgs),
    /// Work with capability files
    #[command(subcommand)]
    Capabilities(CapabilitiesCommand),
    /// Work with the tokens of --auth-tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Look into audit trails
    #[command(subcommand)]
    Audit(AuditCommand),
}

/// Flags of `serve`.
#[derive(Debug, Default, Args)]
pub(crate) struct ServeArgs {
    /// How clients reach the server [default: stdio]
    #[arg(long, value_name = "stdio|http")]
    transport: Option<String>,
    /// Where to listen, with --transport http; beyond loopback only with authentication [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<String>,
    /// Which upstream; goes before `FINTECTURE_ENVIRONMENT`
    #[arg(long, value_name = "simulator|sandbox|production")]
    environment: Option<String>,
    /// Folder with capability files to use instead of the built-in ones
    #[arg(long, value_name = "DIR")]
    capabilities: Option<PathBuf>,
    /// Refuse every action that writes, and do not show them
    #[arg(long)]
    read_only: bool,
    /// While this file exists, refuse every write; looked at on each call, so no restart is needed
    #[arg(long, value_name = "FILE")]
    stop_writes: Option<PathBuf>,
    /// Whether IBANs, e-mails and phones reach the agent as they are [default: masked in production, else full]
    #[arg(long, value_name = "full|masked")]
    personal_data: Option<String>,
    /// Whether a person is asked before a write: never, auto (where the client can be asked), always [default: always in production, else auto]
    #[arg(long, value_name = "never|auto|always")]
    confirm_writes: Option<String>,
    /// Where the approval pages listen, on stdio; beyond loopback only with an approval code [default: 127.0.0.1:0]
    #[arg(long, value_name = "ADDR:PORT")]
    approvals_listen: Option<String>,
    /// Authenticate callers by the bearer tokens of this file, which `token new` makes lines for; read again on SIGHUP
    #[arg(long, value_name = "FILE")]
    auth_tokens: Option<PathBuf>,
    /// Authenticate callers by access tokens of this OAuth 2.1 authorization server
    #[arg(long, value_name = "URL")]
    oauth_issuer: Option<String>,
    /// What those access tokens must be for: this server's resource identifier
    #[arg(long, value_name = "URI")]
    oauth_audience: Option<String>,
    /// This server's client id at that authorization server, with which a person signs in to approve
    #[arg(long, value_name = "ID")]
    oauth_client_id: Option<String>,
    /// Where clients and people find this server, such as <https://mcp.example.com>; names its allowed host and origin
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Believe what a proxy at these addresses says of its client's address; may be given several times
    #[arg(long, value_name = "CIDR")]
    trusted_proxy: Vec<String>,
    /// PEM file with this server's certificate chain; read again on SIGHUP
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// PEM file with its private key; read again on SIGHUP
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Write a line for every call, approval and refusal to this file, each chained to the one before; opened again on SIGHUP
    #[arg(long, value_name = "FILE")]
    audit_log: Option<PathBuf>,
    /// Key that the audit trail's hashes are made with, so that nobody without it can make them
    #[arg(long, value_name = "FILE")]
    audit_key: Option<PathBuf>,
    /// Who may approve a write: anyone with approvals:write, or never the principal that calls [default: any]
    #[arg(long, value_name = "any|other")]
    approvers: Option<String>,
    /// Where approvals, repeat records, sessions and counts are kept; a URL with a password goes into `FINTECTURE_STORE_URL` [default: memory]
    #[arg(long, value_name = "memory|redis://...")]
    store: Option<String>,
    /// Key that everything in a shared store is sealed with, the same on every replica
    #[arg(long, value_name = "FILE")]
    store_key: Option<PathBuf>,
    /// Set a limit; may be given several times. See below
    #[arg(long, value_name = "NAME=VALUE")]
    limit: Vec<String>,
    /// How log lines on standard error look [default: text]
    #[arg(long, value_name = "text|json")]
    log_format: Option<String>,
}

impl From<ServeArgs> for ServeFlags {
    fn from(args: ServeArgs) -> Self {
        Self {
            transport: args.transport,
            listen: args.listen,
            environment: args.environment,
            capabilities: args.capabilities,
            read_only: args.read_only,
            stop_writes: args.stop_writes,
            personal_data: args.personal_data,
            confirm_writes: args.confirm_writes,
            approvals_listen: args.approvals_listen,
            auth_tokens: args.auth_tokens,
            oauth_issuer: args.oauth_issuer,
            oauth_audience: args.oauth_audience,
            oauth_client_id: args.oauth_client_id,
            public_url: args.public_url,
            trusted_proxy: args.trusted_proxy,
            tls_cert: args.tls_cert,
            tls_key: args.tls_key,
            audit_log: args.audit_log,
            audit_key: args.audit_key,
            approvers: args.approvers,
            store: args.store,
            store_key: args.store_key,
            limit: args.limit,
            log_format: args.log_format,
        }
    }
}

/// How faults are written, for `--help`. The documentation of `simulator` says more.
const FAULTS: &str = "\
Faults: KIND[=VALUE][:PROBABILITY][#TIMES][@WHERE]
  PROBABILITY  from 0 to 1; default 1
  TIMES        happens so often and no more
  WHERE        reads, writes, token (the token endpoint) or an operation id; default all nine operations
  TIME         such as 200ms or 3s, up to 10 minutes
Tried in the order given: latency adds to what follows, of the others the first that is drawn happens.

  latency=TIME          waits, then goes on
  status=CODE           answers 300 to 599; nothing is done
  status-after=CODE     the same once it is done
  rate-limit=TIME       429 with Retry-After in seconds; nothing is done
  rate-limit-date=TIME  the same with an HTTP date
  reset-before          resets the connection; nothing is done
  reset-after           resets the connection once it is done
  late-commit=TIME      resets the connection; a write takes effect TIME later
  hang                  never answers; nothing is done
  hang-after            never answers once it is done
  truncate              done; half the body, less than Content-Length says
  truncate-chunked      done; a chunked body that is cut off
  garbage               done; a body of bytes that are no text
  html                  done; a page of HTML
  half-json             done; the first half of the JSON
  empty                 done; no body
  trickle=NB/s          done; the body at N bytes a second
  expire-token          401 though the token was good; nothing is done
  short-token=TIME      tokens of the token endpoint end after TIME, whatever they say

Examples: --fault reset-after:0.1@writes --fault expire-token#1 --fault status=503@token";

/// Flags of `simulator`.
#[derive(Debug, Args)]
#[command(after_help = FAULTS)]
pub(crate) struct SimulatorArgs {
    /// Where to listen; loopback only
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8090")]
    pub listen: String,
    /// The one bearer token to accept, beside those of its own token endpoint [default: any]
    #[arg(long, value_name = "T")]
    pub token: Option<SecretString>,
    /// Refuse requests that are not signed with the private key of this PEM public key
    #[arg(long, value_name = "FILE")]
    pub public_key: Option<PathBuf>,
    /// Fail on purpose; may be given several times. See below
    #[arg(long, value_name = "FAULT")]
    pub fault: Vec<String>,
    /// See the same faults again; the seed of every run is logged [default: random]
    #[arg(long, value_name = "N")]
    pub fault_seed: Option<String>,
}

/// Flags of `check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Which upstream; goes before `FINTECTURE_ENVIRONMENT`
    #[arg(long, value_name = "simulator|sandbox|production")]
    pub environment: Option<String>,
    /// Folder with capability files to use instead of the built-in ones
    #[arg(long, value_name = "DIR")]
    pub capabilities: Option<PathBuf>,
}

/// Flags of `tools`.
#[derive(Debug, Args)]
pub(crate) struct ToolsArgs {
    /// Print the list as JSON: {"tools": [...]}
    #[arg(long)]
    pub json: bool,
    /// Folder with capability files to use instead of the built-in ones
    #[arg(long, value_name = "DIR")]
    pub capabilities: Option<PathBuf>,
    /// Show what a read-only server offers
    #[arg(long)]
    pub read_only: bool,
}

/// What to do with capability files.
#[derive(Debug, Subcommand)]
pub(crate) enum CapabilitiesCommand {
    /// Check capability files against what the server needs of them
    Validate {
        /// The folder that holds them; the built-in ones if none is given
        dir: Option<PathBuf>,
    },
}

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token: shows it this once, and the line for the file, which holds no more than its hash
    New {
        /// What its principal is called in logs and in the audit trail; not a person's name or e-mail address
        name: String,
        /// What it may do: scopes with commas between them
        #[arg(long, value_name = "LIST")]
        scopes: Option<String>,
    },
}

/// What to do with the files of an audit trail.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Find a changed, missing, repeated, reordered or cut line, and say which it is
    Verify(VerifyArgs),
    /// Show the writes that are on record without a known outcome
    Unresolved {
        /// The files of the trail, rotated ones first
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

/// Flags of `audit verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The files of the trail, rotated ones first
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// A head that was kept elsewhere, from the log or the metric: its line must be there
    #[arg(long, value_name = "HASH")]
    pub head: Option<String>,
    /// The head that the files before these ended in, where those are not given
    #[arg(long, value_name = "HASH")]
    pub after: Option<String>,
    /// The key that the trail was written with
    #[arg(long, value_name = "FILE")]
    pub audit_key: Option<PathBuf>,
}

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Parsed {
    /// A command, with what was wrong on the line beside it.
    Run(Box<Command>, Problems),
    /// `--help` or `--version`: print this and end well.
    Show(String),
}

/// Reads the command line. Unknown flags are collected and left out, so that the rest is checked too.
///
/// # Errors
/// The problems, where no command can be made out.
pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Parsed, Problems> {
    let mut words: Vec<OsString> = words.into_iter().collect();
    let mut problems = Problems::default();
    for _ in 0..MAX_ROUNDS {
        let error = match Cli::try_parse_from(&words) {
            Ok(cli) => {
                let command = cli.command.unwrap_or(Command::Serve(Box::new(cli.serve)));
                return Ok(Parsed::Run(Box::new(command), problems));
            }
            Err(error) => error,
        };
        if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            return Ok(Parsed::Show(error.to_string()));
        }
        problems.add(one_line(&error));
        let Some(place) = error.get(ContextKind::InvalidArg).and_then(|arg| place_of(arg, &words)) else {
            break;
        };
        let removed = words.remove(place);
        // A flag that stands twice takes its value with it.
        let has_value =
            error.kind() == ErrorKind::ArgumentConflict && !removed.to_string_lossy().contains('=');
        if has_value && words.get(place).is_some_and(|next| !next.to_string_lossy().starts_with('-')) {
            words.remove(place);
        }
    }
    Err(problems)
}

/// Where the argument that clap complains about stands last. It may come with its value's name: `--listen <ADDR:PORT>`.
fn place_of(arg: &ContextValue, words: &[OsString]) -> Option<usize> {
    let ContextValue::String(arg) = arg else { return None };
    let flag = arg.split([' ', '=']).next().filter(|flag| flag.starts_with('-'))?;
    words.iter().rposition(|word| word.to_str().is_some_and(|word| word.split('=').next() == Some(flag)))
}

fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let said: Vec<&str> = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:"))
        .filter(|line| !line.is_empty() && !line.starts_with("For more information"))
        .collect();
    said.join("; ").trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use clap::{Arg, CommandFactory};

    use super::*;

    #[test]
    fn the_readme_shows_every_flag_of_serve() {
        let readme = include_str!("../README.md");
        let cli = Cli::command();
        let serve = cli.find_subcommand("serve").unwrap();
        let row = |flag: &Arg| {
            let value = flag.get_value_names().filter(|_| flag.get_action().takes_values());
            let value = value.map(|names| format!(" {}", names[0].replace('|', "\\|"))).unwrap_or_default();
            format!("| `--{}{value}` | {} |", flag.get_long()?, flag.get_help()?).into()
        };
        let rows: Vec<String> = serve.get_arguments().filter_map(row).collect();
        let table = rows.join("\n").replace("See below", "See [Limits](#limits)");
        assert!(
            rows.len() > 20 && readme.contains(&table),
            "the README's table of flags should be:\n{table}"
        );
    }
}
