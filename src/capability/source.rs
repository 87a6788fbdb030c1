//! Where the files come from: the binary itself, or a folder in their place.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::needs::ToolNeeds;
use super::refusal::{Refusal, did_you_mean};

/// Largest file that is read, in bytes: ours have about 6,000.
const MAX_FILE_BYTES: u64 = 256 * 1024;

/// The files that the server is built with, by name.
const BUILT_IN: [(&str, &str); 3] = [
    ("manage-customers.yml", include_str!("../../capabilities/manage-customers.yml")),
    ("manage-bank-accounts.yml", include_str!("../../capabilities/manage-bank-accounts.yml")),
    ("verify-identity.yml", include_str!("../../capabilities/verify-identity.yml")),
];

/// Which capability files to load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Those that the server was built with.
    BuiltIn,
    /// Those of a folder, which must hold all of them: none is filled in from the built-in ones.
    Folder(PathBuf),
}

/// A file that was read and found to fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapabilityFile {
    /// Its name without a folder, such as `manage-customers.yml`.
    pub name: String,
    /// The tool that it is about, such as `manage_customers`.
    pub tool: &'static str,
    /// Its text, as it was read.
    pub text: String,
}

/// A file as it was found.
pub(super) struct Found {
    /// The path to name in refusals.
    pub file: String,
    pub text: String,
}

/// The files that were found, each with its tool.
pub(super) fn files(names: &[String], needs: &[ToolNeeds], found: &[Option<Found>]) -> Vec<CapabilityFile> {
    let file = |((name, needs), found): ((&String, &ToolNeeds), &Option<Found>)| {
        let text = found.as_ref()?.text.clone();
        Some(CapabilityFile { name: name.clone(), tool: needs.tool, text })
    };
    names.iter().zip(needs).zip(found).filter_map(file).collect()
}

impl Source {
    /// The files of these names, in this order; each that cannot be read is refused.
    pub(super) fn read(&self, names: &[String], refusals: &mut Vec<Refusal>) -> Vec<Option<Found>> {
        if let Self::Folder(folder) = self
            && !look_around(folder, names, refusals)
        {
            return names.iter().map(|_| None).collect();
        }
        let mut read_one = |name: &String| match self {
            Self::BuiltIn => built_in(name).map_err(|refusal| refusals.push(refusal)).ok(),
            Self::Folder(folder) => {
                read_file(&folder.join(name)).map_err(|refusal| refusals.push(refusal)).ok()
            }
        };
        names.iter().map(&mut read_one).collect()
    }
}

fn built_in(name: &str) -> Result<Found, Refusal> {
    let file = format!("capabilities/{name}");
    match BUILT_IN.iter().find(|(known, _)| *known == name) {
        Some((_, text)) => Ok(Found { file, text: (*text).to_owned() }),
        None => Err(Refusal::of_file(file, "is not among the built-in files")),
    }
}

/// Names what stands in the folder besides the files: a misspelt name must not pass for an absent file.
/// Returns whether the folder can be read at all.
fn look_around(folder: &Path, names: &[String], refusals: &mut Vec<Refusal>) -> bool {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            refusals.push(Refusal::of_file(shown(folder), format!("the folder cannot be read: {error}")));
            return false;
        }
    };
    let mut strangers: Vec<String> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| is_yaml(name) && !names.contains(name))
        .collect();
    strangers.sort();
    for stranger in strangers {
        let hint = did_you_mean(&stranger, names.iter().map(String::as_str));
        let reason = format!("no tool reads this file{hint}");
        refusals.push(Refusal::of_file(shown(&folder.join(stranger)), reason));
    }
    true
}

/// Hidden files do not count: editors leave them behind.
fn is_yaml(name: &str) -> bool {
    let extension = Path::new(name).extension().unwrap_or_default();
    !name.starts_with('.')
        && (extension.eq_ignore_ascii_case("yml") || extension.eq_ignore_ascii_case("yaml"))
}

fn read_file(path: &Path) -> Result<Found, Refusal> {
    let file = shown(path);
    let refuse = |reason: String| Refusal::of_file(&file, reason);
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => refuse("is missing".to_owned()),
        _ => refuse(format!("cannot be read: {error}")),
    };
    // Asked before opening: a named pipe would wait for a writer.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(refuse("is not a file".to_owned()));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(refuse(format!("is larger than {} KiB", MAX_FILE_BYTES / 1024)));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Found { file, text }),
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let breaks = error.as_bytes().iter().take(good).filter(|byte| **byte == b'\n').count();
            Err(Refusal { line: Some(breaks as u64 + 1), ..refuse("is not UTF-8 text".to_owned()) })
        }
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
