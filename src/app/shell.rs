//! `completions` and `man`, made from the command line's own definition.

use anyhow::Context;
use clap_complete::Shell;

use super::Failed;
use crate::cli;
use crate::config::Problems;

/// Prints the completions for a shell.
pub(super) fn completions(shell: Shell, problems: Problems) -> Result<(), Failed> {
    problems.or(Some(()))?;
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut cli::definition(), cli::NAME, &mut text);
    super::print(String::from_utf8_lossy(&text).trim_end());
    Ok(())
}

/// Prints the manual page.
pub(super) fn manual(problems: Problems) -> Result<(), Failed> {
    problems.or(Some(()))?;
    let mut page = Vec::new();
    clap_mangen::Man::new(cli::definition()).render(&mut page).context("the manual page")?;
    super::print(String::from_utf8_lossy(&page).trim_end());
    Ok(())
}
