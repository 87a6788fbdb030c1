//! The file of `--auth-tokens`: a line a token, `NAME SCOPES HASH`, with `#` before remarks.
//!
//! A name may stand on two lines with the same scopes, so that a caller can go from one token to the next.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::token::Digest;
use crate::domain::{Principal, Scopes};

/// Largest file that is read, in bytes: some ten thousand tokens.
const MAX_BYTES: u64 = 1024 * 1024;
/// Longest name, in characters.
const MAX_NAME_CHARS: usize = 64;
/// What is told of a bad file at most, in lines: another file altogether would be told line by line.
const MAX_PROBLEMS: usize = 20;

/// The tokens of a file, as they are now.
#[derive(Debug)]
pub struct TokenFile {
    path: PathBuf,
    entries: ArcSwap<Vec<Entry>>,
}

#[derive(Debug)]
struct Entry {
    principal: Arc<Principal>,
    digest: Digest,
}

/// What is wrong with a file of tokens, a line each. Quotes no digest.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub struct BadTokens(Vec<String>);

impl BadTokens {
    /// Each problem.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl fmt::Display for BadTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl TokenFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`BadTokens`]: everything that is wrong with it.
    pub fn read(path: &Path) -> Result<Self, BadTokens> {
        let entries = parse(&text(path)?)?;
        Ok(Self { path: path.to_owned(), entries: ArcSwap::from_pointee(entries) })
    }

    /// Reads it again. Says how many tokens there are now.
    ///
    /// # Errors
    /// [`BadTokens`]: then those before stay.
    pub(super) fn reload(&self) -> Result<usize, BadTokens> {
        let entries = parse(&text(&self.path)?)?;
        let count = entries.len();
        self.entries.store(Arc::new(entries));
        Ok(count)
    }

    /// Whose token this is.
    pub(super) fn whose(&self, token: &str) -> Option<Arc<Principal>> {
        self.of_digest(&Digest::of(token))
    }

    /// The same by its digest. Looks at every line, so that the time it takes does not tell which one it is.
    pub(super) fn of_digest(&self, digest: &Digest) -> Option<Arc<Principal>> {
        let entries = self.entries.load();
        let mut found = None;
        for entry in entries.iter() {
            if entry.digest.is(digest) {
                found = Some(Arc::clone(&entry.principal));
            }
        }
        found
    }
}

/// The line of a token, as `token new` gives it out.
#[must_use]
pub fn line(name: &str, scopes: Scopes, digest: &Digest) -> String {
    let scopes: Vec<&str> = scopes.iter().map(crate::domain::Scope::as_str).collect();
    format!("{name} {} {digest}", scopes.join(","))
}

/// Whether a principal may be called so. Names stand in logs and in the audit trail, so no e-mail address fits.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=MAX_NAME_CHARS).contains(&name.len()) && name.bytes().all(fits) && name != Principal::LOCAL
}

fn text(path: &Path) -> Result<String, BadTokens> {
    let refuse = |why: String| BadTokens(vec![why]);
    let cannot = |error: std::io::Error| refuse(format!("the file cannot be read: {error}"));
    let metadata = std::fs::metadata(path).map_err(cannot)?;
    if !metadata.is_file() {
        return Err(refuse("it is not a file".to_owned()));
    }
    if metadata.len() > MAX_BYTES {
        return Err(refuse("the file is larger than 1 MiB".to_owned()));
    }
    String::from_utf8(std::fs::read(path).map_err(cannot)?)
        .map_err(|_| refuse("the file is not UTF-8 text".to_owned()))
}

fn parse(text: &str) -> Result<Vec<Entry>, BadTokens> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut problems = Vec::new();
    for (number, line) in text.lines().enumerate().map(|(place, line)| (place + 1, line.trim())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match entry(line, &entries) {
            Ok(entry) => entries.push(entry),
            Err(problem) => problems.push(format!("line {number}: {problem}")),
        }
    }
    if problems.len() > MAX_PROBLEMS {
        let more = problems.len() - MAX_PROBLEMS;
        problems.truncate(MAX_PROBLEMS);
        problems.push(format!("{more} more lines are wrong"));
    }
    if problems.is_empty() && entries.is_empty() {
        // An empty file is what a lost one looks like: it must not lock everybody out, nor start a server for nobody.
        problems.push("the file holds no token: make a line with `fintecture-mcp token new`".to_owned());
    }
    if problems.is_empty() { Ok(entries) } else { Err(BadTokens(problems)) }
}

fn entry(line: &str, before: &[Entry]) -> Result<Entry, String> {
    let mut words = line.split_ascii_whitespace();
    let (Some(name), Some(scopes), Some(hash), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err("must be NAME SCOPES HASH, as `fintecture-mcp token new` prints it".to_owned());
    };
    // What stands in the wrong place may be a token: nothing of the line is quoted.
    if !is_name(name) {
        return Err(format!(
            "the name must have 1 to {MAX_NAME_CHARS} letters, digits, dots, dashes or underscores, and not be `{}`",
            Principal::LOCAL
        ));
    }
    let scopes = Scopes::read(scopes).map_err(|error| format!("the scopes: {error}"))?;
    if scopes.is_empty() {
        return Err(format!("there is no scope; those are {}", Scopes::ALL));
    }
    let digest = Digest::parse(hash).ok_or_else(|| {
        "the hash must be sha256: and 43 characters of base64url, or 64 hexadecimal digits".to_owned()
    })?;
    if before.iter().any(|entry| entry.digest.is(&digest)) {
        return Err("the same hash stands on a line before".to_owned());
    }
    let same = before.iter().find(|entry| entry.principal.name == name);
    if same.is_some_and(|same| same.principal.scopes != scopes) {
        return Err("the same name stands on a line before with other scopes".to_owned());
    }
    let principal = same
        .map_or_else(|| Arc::new(Principal::authenticated(name, scopes)), |same| Arc::clone(&same.principal));
    Ok(Entry { principal, digest })
}
