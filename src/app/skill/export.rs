//! Writing a skill's folder: whole or not at all, and never over what somebody else wrote.
//!
//! A hidden file in the folder says what was written, in the form that `sha256sum --check` reads. A folder that is
//! still as that file says is replaced; where anything was changed, added or taken away, it is left as it is.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use aws_lc_rs::digest::{SHA256, digest};

use crate::tools::Skill;

/// Says which files were written, each with its SHA-256.
const RECORD: &str = ".fintecture-mcp.sha256";
/// Most files and folders that are looked at in a folder that may not be ours.
const MAX_ENTRIES: usize = 1000;

/// Largest file that is looked into, in bytes: those of a skill have less than 20,000.
const MAX_BYTES: u64 = 1024 * 1024;

/// What became of the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exported {
    /// It was not there.
    New,
    /// It was as an earlier version had written it.
    Replaced,
    /// It is as it would be written now.
    Unchanged,
}

/// Files by their paths in the skill's folder, with `/`.
type Files = BTreeMap<String, Vec<u8>>;

/// Writes the skill to a folder of its name below `dir`, which is made where it is not there.
///
/// # Errors
/// Where the folder holds what this program did not write, all of it by name; where it cannot be read or written.
pub(super) fn export(skill: &Skill, dir: &Path) -> anyhow::Result<Exported> {
    let folder = dir.join(skill.name);
    let mut wanted: Files =
        skill.files.iter().map(|file| (file.path.to_owned(), file.text.clone().into_bytes())).collect();
    let there = look(&folder)?;
    if let Some(there) = &there {
        // A copy without the hidden file, out of version control, say, is as good.
        if there.iter().filter(|(path, _)| *path != RECORD).eq(&wanted) {
            return Ok(Exported::Unchanged);
        }
        refuse_others_work(there, &folder)?;
    }
    wanted.insert(RECORD.to_owned(), record(&wanted).into_bytes());
    fs::create_dir_all(dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
    if let Err(error) = replace(&wanted, &folder, dir, there.is_some()) {
        // Somebody else may have exported the same in this moment.
        if look(&folder)?.is_some_and(|there| there == wanted) {
            return Ok(Exported::Unchanged);
        }
        return Err(error.context(format!("cannot write {}", folder.display())));
    }
    Ok(if there.is_some() { Exported::Replaced } else { Exported::New })
}

/// What stands in the folder; none where it is not there, or empty.
fn look(folder: &Path) -> anyhow::Result<Option<Files>> {
    let unreadable = || format!("cannot read {}", folder.display());
    match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(unreadable),
        Ok(metadata) if !metadata.is_dir() => {
            bail!("{} is there and is no folder: move it away, or export elsewhere", folder.display())
        }
        Ok(_) => {}
    }
    let mut files = Files::new();
    let mut folders = vec![(folder.to_owned(), String::new())];
    let mut seen = 0;
    while let Some((at, prefix)) = folders.pop() {
        let mut is_empty = true;
        for entry in fs::read_dir(at).with_context(unreadable)? {
            is_empty = false;
            let entry = entry.with_context(unreadable)?;
            seen += 1;
            if seen > MAX_ENTRIES {
                bail!("{} holds far more than a skill: export elsewhere", folder.display());
            }
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type().with_context(unreadable)?;
            if kind.is_dir() {
                folders.push((entry.path(), format!("{path}/")));
            } else {
                // A link, a pipe or a large file is nothing that this program writes; it is not opened.
                let is_small = || entry.metadata().is_ok_and(|metadata| metadata.len() <= MAX_BYTES);
                let bytes = if kind.is_file() && is_small() {
                    fs::read(entry.path()).with_context(unreadable)?
                } else {
                    Vec::new()
                };
                files.insert(path, bytes);
            }
        }
        // An empty folder of somebody's would go with the rest.
        if is_empty && !prefix.is_empty() {
            files.insert(prefix, Vec::new());
        }
    }
    Ok(Some(files))
}

/// Refuses to replace a folder that is not as its record says.
fn refuse_others_work(there: &Files, folder: &Path) -> anyhow::Result<()> {
    let record = there.get(RECORD).map(|text| String::from_utf8_lossy(text)).unwrap_or_default();
    let recorded: BTreeMap<&str, &str> =
        record.lines().filter_map(|line| line.split_once("  ")).map(|(hash, path)| (path, hash)).collect();
    let files = there.iter().filter(|(path, _)| *path != RECORD);
    let mut others: Vec<String> = files
        .filter(|(path, bytes)| recorded.get(path.as_str()) != Some(&sha256(bytes).as_str()))
        .map(|(path, _)| {
            if recorded.contains_key(path.as_str()) {
                format!("{path} was changed")
            } else {
                format!("{path} is not of this program")
            }
        })
        .collect();
    let gone = recorded.keys().filter(|path| !there.contains_key(**path));
    others.extend(gone.map(|path| format!("{path} was taken away")));
    if others.is_empty() {
        return Ok(());
    }
    bail!(
        "{} is not as fintecture-mcp wrote it, so nothing was written: {}. Move the folder away, or export elsewhere",
        folder.display(),
        others.join(", ")
    )
}

/// In the form that `sha256sum --check` reads.
fn record(files: &Files) -> String {
    let lines: Vec<String> =
        files.iter().map(|(path, bytes)| format!("{}  {path}\n", sha256(bytes))).collect();
    lines.concat()
}

fn sha256(bytes: &[u8]) -> String {
    let bytes: Vec<String> =
        digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.concat()
}

/// Puts the files beside the folder, then the one in the other's place: agents that look see either, never half.
fn replace(files: &Files, folder: &Path, dir: &Path, is_there: bool) -> anyhow::Result<()> {
    let beside = tempfile::Builder::new().prefix(".fintecture-mcp-").tempdir_in(dir)?;
    let [new, old]: [PathBuf; 2] = ["new", "old"].map(|name| beside.path().join(name));
    for (path, bytes) in files {
        let file = new.join(path);
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(file, bytes)?;
    }
    if is_there {
        fs::rename(folder, &old)?;
    }
    if let Err(error) = fs::rename(&new, folder) {
        // Without this the person would be left with nothing.
        if is_there && fs::rename(&old, folder).is_err() {
            let kept = beside.keep();
            bail!("{error}; what was there before is in {}", kept.display());
        }
        return Err(error.into());
    }
    Ok(())
}
