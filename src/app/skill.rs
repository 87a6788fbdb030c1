//! `skill`: the agent skill as files.

use super::Failed;
use crate::cli::SkillCommand;
use crate::config::Problems;

pub(super) fn run(_command: SkillCommand, problems: Problems) -> Result<(), Failed> {
    problems.or(Some(()))?;
    Err(Failed::Other(anyhow::anyhow!("not built yet")))
}
