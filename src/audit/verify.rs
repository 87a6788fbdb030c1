//! Whether the files of a trail are what was written: every line there, unchanged, once, in its place.

use std::path::{Path, PathBuf};

use super::chain::{GENESIS, Hash, Hasher, Head, Line};
use super::key::AuditKey;
use super::reading::{self, Unreadable};

/// What to verify against.
#[derive(Debug, Default)]
pub struct Options {
    /// The key that the trail was written with.
    pub key: Option<AuditKey>,
    /// A head that was kept elsewhere: its line must be there.
    pub head: Option<Hash>,
    /// The head that the files before these ended in, where these are not the first.
    pub after: Option<Hash>,
}

/// Files that are what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many lines there are.
    pub lines: u64,
    /// The last one.
    pub head: Head,
    /// Bytes at the end that are no whole line: the process was killed, or is writing right now.
    pub torn_bytes: Option<u64>,
    /// Lines behind the kept head.
    pub after_head: Option<u64>,
}

/// The first thing that is wrong.
#[derive(Debug, thiserror::Error)]
pub enum Found {
    /// A file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// Something is wrong with a line.
    #[error("{}, line {line}: {wrong}", file.display())]
    At {
        /// Its file.
        file: PathBuf,
        /// Its number in that file.
        line: u64,
        /// What.
        wrong: Wrong,
    },
    /// There is no line at all.
    #[error("there is no line in it: all were removed, or nothing was written yet")]
    Empty,
    /// The kept head is not there.
    #[error("the kept head is not in it: lines were cut off the end, or the file was rewritten. Its last line has number {} and the hash {}", last.seq, last.hash)]
    NoHead {
        /// The last line that is there.
        last: Head,
    },
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// It has not the form of a line.
    #[error("this is no line of an audit trail: it was changed or cut")]
    NoLine,
    /// Its hash is not that of its bytes.
    #[error("its hash is not that of its text: it was changed, or made without the key")]
    Changed,
    /// The same on the first line, where a key could be the reason.
    #[error(
        "its hash is not that of its text: it was changed, or the key is not the one that it was written with (--audit-key)"
    )]
    ChangedOrOtherKey,
    /// Lines before it are missing.
    #[error("this is number {found}, and {expected} should stand here: lines were removed or reordered")]
    Missing {
        /// What should stand there.
        expected: u64,
        /// What does.
        found: u64,
    },
    /// It stood before.
    #[error(
        "this is number {found}, and {expected} should stand here: a line was inserted, repeated or reordered"
    )]
    Again {
        /// What should stand there.
        expected: u64,
        /// What does.
        found: u64,
    },
    /// The number is right, and the line before is another one.
    #[error("it does not go on from the line before: one of the two was replaced")]
    OtherChain,
    /// A chain begins where another should go on.
    #[error(
        "a new chain begins here, since the server was started on an empty file, or lines were replaced: verify each chain by itself, the one before with the head that was kept of it (--head)"
    )]
    NewChain,
    /// The first file is not where the chain begins.
    #[error(
        "this is number {found}: the files before this one are missing. Give them too, or the head that they ended in (--after)"
    )]
    NotFirst {
        /// Its number.
        found: u64,
    },
    /// It is not what goes on from the head that the files before ended in.
    #[error("it does not go on from the head of --after: lines were removed before it")]
    NotAfter,
    /// A file that another one follows ends in the middle of a line.
    #[error("the file ends in the middle of it, though another file goes on: it was cut")]
    Torn,
}

/// Verifies files that follow each other.
///
/// # Errors
/// [`Found`]: the first thing that is wrong, and where.
pub fn verify(paths: &[PathBuf], options: &Options) -> Result<Verified, Found> {
    let hasher = Hasher::new(options.key.as_ref());
    let mut walk = Walk { options, hasher, last: None, lines: 0, torn_bytes: None, head_at: None };
    reading::each_line(paths, |read| walk.step(&read))?;
    let last = walk.last.ok_or(Found::Empty)?;
    // A chain of which nothing but what came before was kept is whole, too.
    let after_head = match (options.head, walk.head_at) {
        (None, _) => None,
        (Some(_), Some(at)) => Some(walk.lines - at),
        (Some(_), None) => return Err(Found::NoHead { last }),
    };
    Ok(Verified { lines: walk.lines, head: last, torn_bytes: walk.torn_bytes, after_head })
}

struct Walk<'a> {
    options: &'a Options,
    hasher: Hasher,
    last: Option<Head>,
    lines: u64,
    torn_bytes: Option<u64>,
    /// After how many lines the kept head was found.
    head_at: Option<u64>,
}

impl Walk<'_> {
    fn step(&mut self, read: &reading::Read<'_>) -> Result<(), Found> {
        let at = |wrong| found(read.path, read.number, wrong);
        if !read.is_ended {
            if !read.in_last_file {
                return Err(at(Wrong::Torn));
            }
            self.torn_bytes = Some(read.bytes.len() as u64);
            return Ok(());
        }
        let line = Line::parse(read.bytes).ok_or_else(|| at(Wrong::NoLine))?;
        if !line.is_whole(&self.hasher) {
            let is_first = self.last.is_none();
            return Err(at(if is_first { Wrong::ChangedOrOtherKey } else { Wrong::Changed }));
        }
        self.place(&line).map_err(at)?;
        self.lines += 1;
        self.last = Some(line.head());
        if self.options.head == Some(line.hash) {
            self.head_at = Some(self.lines);
        }
        Ok(())
    }

    /// Whether a line stands where it belongs.
    fn place(&self, line: &Line<'_>) -> Result<(), Wrong> {
        let begins = line.seq == 1 && line.previous == GENESIS;
        let found = line.seq;
        let Some(last) = self.last else {
            return match self.options.after {
                Some(after) if line.previous == after => Ok(()),
                Some(_) => Err(Wrong::NotAfter),
                None if begins => Ok(()),
                None => Err(Wrong::NotFirst { found }),
            };
        };
        let expected = last.seq + 1;
        match found {
            1 if begins => Err(Wrong::NewChain),
            _ if found > expected => Err(Wrong::Missing { expected, found }),
            _ if found < expected => Err(Wrong::Again { expected, found }),
            _ if line.previous != last.hash => Err(Wrong::OtherChain),
            _ => Ok(()),
        }
    }
}

fn found(file: &Path, line: u64, wrong: Wrong) -> Found {
    Found::At { file: file.to_owned(), line, wrong }
}
