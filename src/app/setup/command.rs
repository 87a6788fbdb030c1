//! How a client starts this program: by the path that stays, not by where a package runner happened to put it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::cli::NAME;
use crate::setup::Scope;

/// A package runner, which fetches this program anew and keeps it in a folder that it may empty.
const RUNNERS: [(&str, &str, &[&str]); 2] = [("_npx", "npx", &["-y", NAME]), ("archive-v0", "uvx", &[NAME])];

/// The program and its first arguments.
///
/// # Errors
/// Why it cannot be told.
pub(super) fn command(scope: Scope) -> Result<(String, Vec<String>), String> {
    let program = std::env::current_exe().map_err(|error| format!("where this program is: {error}"))?;
    let folders = std::env::var_os("PATH").unwrap_or_default();
    if let Some((name, arguments)) = runner(&program) {
        let command = match scope {
            Scope::Project => name.to_owned(),
            Scope::User => text(&found(name, &folders).ok_or(format!(
                "{name} started this program, but is not on the PATH, and a client has to be told where it is: put it there, or install {NAME} for good"
            ))?)?,
        };
        return Ok((command, arguments.iter().map(|word| (*word).to_owned()).collect()));
    }
    let command = match (scope, on_path(&program, &folders)) {
        // A project's file is read on other machines.
        (Scope::Project, Some(_)) => NAME.to_owned(),
        // Programs on a desktop do not have the shell's PATH.
        (Scope::User, Some(path)) => text(&path)?,
        (_, None) => text(&program)?,
    };
    Ok((command, Vec::new()))
}

fn runner(program: &Path) -> Option<(&'static str, &'static [&'static str])> {
    let holds = |folder: &str| program.components().any(|part| part.as_os_str() == folder);
    RUNNERS.iter().find(|(folder, ..)| holds(folder)).map(|(_, command, arguments)| (*command, *arguments))
}

/// Where the shell finds this very program, if it does: a path that outlives an upgrade.
fn on_path(program: &Path, folders: &OsStr) -> Option<PathBuf> {
    let program = program.canonicalize().ok()?;
    let found = found(program.file_name()?, folders)?;
    (found.canonicalize().ok()? == program).then_some(found)
}

/// The first program of this name in the folders of a PATH, those left out that depend on where one stands.
fn found(name: impl AsRef<Path>, folders: &OsStr) -> Option<PathBuf> {
    let paths = std::env::split_paths(folders).filter(|folder| folder.is_absolute());
    paths.map(|folder| folder.join(&name)).find(|path| path.is_file())
}

fn text(path: &Path) -> Result<String, String> {
    let text = path.to_str().ok_or("the path of this program is not UTF-8: no client's file can hold it")?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_runner_starts_it_anew() {
        let npx = runner(Path::new(
            "/home/ada/.npm/_npx/1a2b/node_modules/fintecture-mcp-linux/bin/fintecture-mcp",
        ));
        assert_eq!(npx, Some(("npx", &["-y", NAME][..])));
        let uvx = runner(Path::new("/home/ada/.cache/uv/archive-v0/x/bin/fintecture-mcp"));
        assert_eq!(uvx, Some(("uvx", &[NAME][..])));
        assert_eq!(runner(Path::new("/usr/local/bin/fintecture-mcp")), None);
    }
}
