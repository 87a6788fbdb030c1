//! `skill`: the agent skill as files.

mod export;

use super::{Failed, load_alone, print};
use crate::cli::SkillCommand;
use crate::config::Problems;
use crate::tools;
use export::Exported;

/// Writes the skill where agents look for skills.
///
/// # Errors
/// What is wrong with the capability files; why the skill cannot be written there.
pub(super) fn run(command: SkillCommand, problems: Problems) -> Result<(), Failed> {
    let SkillCommand::Export { dir, capabilities } = command;
    let capabilities = load_alone(capabilities.as_deref(), problems)?;
    let skill = tools::skill(&capabilities).map_err(|why| Failed::Other(anyhow::anyhow!(why)))?;
    let done = export::export(&skill, &dir)?;
    let folder = dir.join(skill.name);
    let what = match done {
        Exported::New => "written",
        Exported::Replaced => "replaced",
        Exported::Unchanged => "unchanged",
    };
    for file in &skill.files {
        print(&format!("{what} {}", folder.join(file.path).display()));
    }
    Ok(())
}
