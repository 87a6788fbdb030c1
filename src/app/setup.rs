//! `setup`: the configuration of a client, shown or written.

use super::Failed;
use crate::cli::SetupArgs;
use crate::config::Problems;

pub(super) fn run(_args: &SetupArgs, problems: Problems) -> Result<(), Failed> {
    problems.or(Some(()))?;
    Err(Failed::Other(anyhow::anyhow!("not built yet")))
}
