//! `demo`: a KYC story on the simulator, shown in the terminal.

use super::Failed;
use crate::cli::DemoArgs;
use crate::config::Problems;

pub(super) fn run(_args: &DemoArgs, problems: Problems) -> Result<(), Failed> {
    problems.or(Some(()))?;
    Err(Failed::Other(anyhow::anyhow!("not built yet")))
}
