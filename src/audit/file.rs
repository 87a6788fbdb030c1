//! The file of the trail: opened once a process, appended to, cut back where a write of ours stayed half.
//!
//! Knows what a line looks like on its outside, since it finds where a chain goes on.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::chain::{Hasher, Head, Line};

/// As much of a file's end as is read for its last line, in bytes: a line has less than a hundredth of it.
const TAIL_BYTES: u64 = 1024 * 1024;

/// Where lines go. The tests have one that fails as they say.
pub(super) trait Medium: Send {
    /// Appends all of these bytes, or none of them. `durable`: they must outlive the machine, not only the process.
    fn put(&mut self, lines: &[u8], durable: bool) -> io::Result<()>;
    /// The file that stands at the path now, where that is another one: an empty one is made where there is none.
    fn next(&self) -> Result<Option<Box<dyn Medium>>, OpenError>;
}

/// Why a file cannot hold the trail.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be opened, read or written.
    #[error("{} cannot be used: {reason}. Give a file in a folder that this user may write to, with room on its disk", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// It is a folder, a pipe or a device.
    #[error("{} is not a file", path.display())]
    NotAFile {
        /// Which.
        path: PathBuf,
    },
    /// Another process writes to it.
    #[error("{} is another process's audit trail while that runs: give each process a file of its own", path.display())]
    Held {
        /// Which file.
        path: PathBuf,
    },
    /// It holds something else.
    #[error("{} does not end in a line of an audit trail: move it away, or give another file", path.display())]
    NotOurs {
        /// Which file.
        path: PathBuf,
    },
    /// Its last line has not the hash that our key makes.
    #[error("the last line of {} was changed, or written with another key or none: give the --audit-key it was written with; or look into it with audit verify, move the file away, and a new chain begins", path.display())]
    OtherKey {
        /// Which file.
        path: PathBuf,
    },
}

/// The file, held for this process.
#[derive(Debug)]
pub(super) struct TrailFile {
    file: File,
    path: PathBuf,
    /// The length to cut back to before anything else is written.
    cut_to: Option<u64>,
}

/// A file that was opened, and how it ends.
pub(super) struct Opened {
    pub(super) file: TrailFile,
    pub(super) head: Head,
    /// Bytes of a torn last line that were cut off.
    pub(super) torn_bytes: Option<u64>,
}

impl TrailFile {
    /// Opens a file or makes it, holds it, and finds where its chain goes on.
    pub(super) fn open(path: &Path, hasher: &Hasher) -> Result<Opened, OpenError> {
        let mut file = Self::hold(path)?;
        let failed = |reason| OpenError::Io { path: path.to_owned(), reason };
        let not_ours = || OpenError::NotOurs { path: path.to_owned() };
        let (tail, len) = file.tail().map_err(failed)?;
        let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (lines, torn) = tail.split_at_checked(whole).unwrap_or_default();
        if lines.is_empty() && len > TAIL_BYTES {
            return Err(not_ours());
        }
        // What is cut off must have been ours.
        let beginning = b"{\"seq\":";
        if !(torn.starts_with(beginning) || beginning.starts_with(torn)) {
            return Err(not_ours());
        }
        let head = match lines.strip_suffix(b"\n") {
            None => Head::NONE,
            Some(lines) => {
                let last = lines.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
                let line = Line::parse(last).ok_or_else(not_ours)?;
                if !line.is_whole(hasher) {
                    return Err(OpenError::OtherKey { path: path.to_owned() });
                }
                line.head()
            }
        };
        let torn_bytes = torn.len() as u64;
        if torn_bytes > 0 {
            file.file.set_len(len - torn_bytes).map_err(failed)?;
        }
        Ok(Opened { file, head, torn_bytes: (torn_bytes > 0).then_some(torn_bytes) })
    }

    fn hold(path: &Path) -> Result<Self, OpenError> {
        let failed = |reason| OpenError::Io { path: path.to_owned(), reason };
        // Looked at before it is opened: a pipe would wait for its other end.
        if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
            return Err(OpenError::NotAFile { path: path.to_owned() });
        }
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).mode(0o600).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file, path: path.to_owned(), cut_to: None }),
            Err(TryLockError::WouldBlock) => Err(OpenError::Held { path: path.to_owned() }),
            Err(TryLockError::Error(reason)) => Err(failed(reason)),
        }
    }

    /// The end of the file, and its length.
    fn tail(&mut self) -> io::Result<(Vec<u8>, u64)> {
        let len = self.file.metadata()?.len();
        self.file.seek(SeekFrom::Start(len.saturating_sub(TAIL_BYTES)))?;
        let mut tail = Vec::new();
        (&self.file).take(TAIL_BYTES).read_to_end(&mut tail)?;
        Ok((tail, len))
    }

    /// Goes on in a new file where somebody has deleted this one: what is written to it would be lost.
    fn come_back(&mut self) -> io::Result<()> {
        let path = self.path.clone();
        let made = Self::hold(&path).map_err(io::Error::other)?;
        if made.file.metadata()?.len() > 0 {
            return Err(io::Error::other("another file stands in its place"));
        }
        tracing::error!(path = %path.display(), "the audit trail was deleted while it was written to: it goes on in a new file, and audit verify will miss what is gone");
        *self = made;
        Ok(())
    }
}

impl Medium for TrailFile {
    fn put(&mut self, lines: &[u8], durable: bool) -> io::Result<()> {
        if self.file.metadata()?.nlink() == 0 {
            self.come_back()?;
        }
        if let Some(len) = self.cut_to {
            self.file.set_len(len)?;
            self.cut_to = None;
        }
        let before = self.file.metadata()?.len();
        let written =
            self.file.write_all(lines).and_then(|()| if durable { self.file.sync_data() } else { Ok(()) });
        written.inspect_err(|_| {
            if self.file.set_len(before).is_err() {
                self.cut_to = Some(before);
            }
        })
    }

    fn next(&self) -> Result<Option<Box<dyn Medium>>, OpenError> {
        let failed = |reason| OpenError::Io { path: self.path.clone(), reason };
        let own = self.file.metadata().map_err(failed)?;
        let found = std::fs::metadata(&self.path);
        if found.is_ok_and(|found| (found.dev(), found.ino()) == (own.dev(), own.ino())) {
            return Ok(None);
        }
        let next = Self::hold(&self.path)?;
        if next.file.metadata().map_err(failed)?.len() > 0 {
            return Err(OpenError::NotOurs { path: self.path.clone() });
        }
        Ok(Some(Box::new(next)))
    }
}
