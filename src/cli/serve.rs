//! Flags of `serve`.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use crate::config::ServeFlags;

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
    #[arg(long, value_name = "true|false", action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, hide_default_value = true, hide_possible_values = true)]
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
