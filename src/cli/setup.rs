//! Flags of `setup`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What follows the flags in its help.
const EXAMPLES: &str = "\
Examples:
  fintecture-mcp setup claude-desktop --write
  fintecture-mcp setup claude-code --environment sandbox --write
  fintecture-mcp setup vscode --scope project --environment sandbox --write -- --read-only
  fintecture-mcp setup cursor --url http://127.0.0.1:8080/mcp --write

Without --write the configuration goes to standard output, and what would become of the file to standard error.
A secret never goes into a client's file: it stays in a file of its own, in a variable, or with VS Code.";

/// Flags of `setup`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SetupArgs {
    /// Whose configuration
    #[arg(value_enum)]
    pub client: SetupClient,
    /// Write it into the client's file; without, it is only shown
    #[arg(long)]
    pub write: bool,
    /// Whose file: user, for every project of yours, or project, for all who work in the current folder
    #[arg(long, value_enum, default_value_t = SetupScope::User, hide_possible_values = true, value_name = "user|project")]
    pub scope: SetupScope,
    /// Another file than the client's usual one
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// What the server is called there, so that several can stand side by side
    #[arg(long, value_name = "NAME", default_value = "fintecture")]
    pub name: String,
    /// Which upstream the server uses [default: as the entry that is there has it, else simulator]
    #[arg(long, value_name = "simulator|sandbox|production")]
    pub environment: Option<String>,
    /// Give the server a variable, such as `FINTECTURE_CUSTOMER_TOKEN_FILE=/path`; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    pub variable: Vec<String>,
    /// Connect to a server that runs at this address, in place of starting one
    #[arg(long, value_name = "URL", conflicts_with_all = ["environment", "variable", "serve_flags"])]
    pub url: Option<String>,
    /// That server asks for a bearer token: the client takes it from `FINTECTURE_MCP_TOKEN`, or asks for it
    #[arg(long, requires = "url")]
    pub bearer: bool,
    /// Flags of `serve` for the server that the client starts; those of the entry that is there stay
    #[arg(last = true, value_name = "FLAGS OF SERVE")]
    pub serve_flags: Vec<String>,
}

/// The clients that `setup` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SetupClient {
    /// Claude Desktop
    ClaudeDesktop,
    /// Claude Code
    ClaudeCode,
    /// Cursor
    Cursor,
    /// VS Code
    Vscode,
}

/// Whose configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SetupScope {
    /// This user's
    User,
    /// This project's
    Project,
}
