//! The command line. Values are typed as texts here and checked in `config`, so that every problem is told at once.

mod audit;
mod flags;
mod serve;
mod setup;
mod simulator;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use audit::{AuditCommand, VerifyArgs};
pub(crate) use flags::{Flag, lay_over, serve_flags};
pub(crate) use serve::ServeArgs;
pub(crate) use setup::{SetupArgs, SetupClient, SetupScope};
pub(crate) use simulator::SimulatorArgs;

use crate::config::{Limits, Problems, variables};

/// The program's name.
pub(crate) const NAME: &str = "fintecture-mcp";
/// Longest command line that is searched for more than its first problem, in words.
const MAX_ROUNDS: usize = 100;

/// MCP server for the Fintecture Customers API: customers, bank accounts and identity verifications for AI agents.
///
/// Without a command it serves over stdio, which is what Claude Desktop starts; without any setting it plays on
/// the built-in simulator.
#[derive(Debug, Parser)]
#[command(name = NAME, version, args_conflicts_with_subcommands = true, after_help = variables::help())]
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
    /// Work with the agent skill of this server
    #[command(subcommand)]
    Skill(SkillCommand),
    /// Show the configuration for a client, or put it into the client's file
    Setup(Box<SetupArgs>),
    /// Play a KYC story on the built-in simulator, as an MCP client, and show it
    Demo(DemoArgs),
    /// Print the completions for a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print the manual page
    Man,
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

/// What to do with skills.
#[derive(Debug, Subcommand)]
pub(crate) enum SkillCommand {
    /// Write the skill for agents that read skills from disk: DIR/kyc-check/SKILL.md and what it refers to
    Export {
        /// The folder that holds skills; made where it is not there
        dir: PathBuf,
        /// Folder with capability files to use instead of the built-in ones
        #[arg(long, value_name = "DIR")]
        capabilities: Option<PathBuf>,
    },
}

/// Flags of `demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {}

/// The command line as clap knows it.
pub(crate) fn definition() -> clap::Command {
    Cli::command()
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
        problems.add(match error.kind() {
            // Of this clap says nothing but what the command is for.
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                let said: Vec<_> = words.iter().skip(1).map(|word| word.to_string_lossy()).collect();
                let said = said.join(" ");
                format!("{said} needs a command behind it: fintecture-mcp {said} --help lists them")
            }
            _ => one_line(&error),
        });
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
mod tests;
