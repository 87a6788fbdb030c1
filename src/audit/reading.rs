//! Reads the files of a trail line by line, in their order, without holding one of them whole.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

/// Longest line that is read, in bytes: ours have about a thousand.
const MAX_LINE_BYTES: u64 = 64 * 1024;

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be read: {reason}", path.display())]
pub struct Unreadable {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub reason: io::Error,
}

/// One line, where it stands.
pub(super) struct Read<'a> {
    /// Its file.
    pub(super) path: &'a Path,
    /// Its number in that file, from 1 on.
    pub(super) number: u64,
    /// Its bytes without the line break.
    pub(super) bytes: &'a [u8],
    /// Whether it ends in a line break; otherwise its file ends in the middle of it.
    pub(super) is_ended: bool,
    /// Whether its file is the last one.
    pub(super) in_last_file: bool,
}

/// Hands each line of these files to `each`, until it says that this is enough.
pub(super) fn each_line<E: From<Unreadable>>(
    paths: &[PathBuf],
    mut each: impl FnMut(Read<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let last = paths.len().saturating_sub(1);
    for (at, path) in paths.iter().enumerate() {
        let failed = |reason| Unreadable { path: path.clone(), reason };
        let mut file = BufReader::new(File::open(path).map_err(failed)?);
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let read = (&mut file).take(MAX_LINE_BYTES).read_until(b'\n', &mut line).map_err(failed)?;
            if read == 0 {
                break;
            }
            let is_ended = line.last() == Some(&b'\n');
            let bytes = line.strip_suffix(b"\n").unwrap_or(&line);
            // A line that is longer than any of ours is none, wherever its file ends.
            let is_torn = !is_ended && (read as u64) < MAX_LINE_BYTES;
            each(Read { path, number, bytes, is_ended: !is_torn, in_last_file: at == last })?;
        }
    }
    Ok(())
}
