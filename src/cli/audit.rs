//! Flags of `audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

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
