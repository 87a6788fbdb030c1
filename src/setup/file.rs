//! A client's file on disk: read whole, kept as a backup, replaced at once or not at all.

use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::Builder;

/// Largest file that is read, in bytes. Claude Code's own has been seen with tens of megabytes.
const MAX_BYTES: u64 = 256 * 1024 * 1024;
/// How many backups of one file are kept before a person has to look after them.
const MAX_BACKUPS: u32 = 100;

/// Why a file is left as it is.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system says no.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is a folder, a pipe or the like.
    #[error("is not a file")]
    NotAFile,
    /// It is a link to nothing.
    #[error("is a link to a file that is not there: make that file, or remove the link")]
    DeadLink,
    /// It is too large.
    #[error("is larger than 256 MiB")]
    TooLarge,
    /// It is not UTF-8.
    #[error("line {0} is not UTF-8 text: save it as UTF-8 first")]
    NotText(usize),
    /// It may not be written.
    #[error("is read-only: make it writable (chmod u+w) if it is yours to change")]
    ReadOnly,
    /// It belongs to somebody else.
    #[error("belongs to another user: run this as that user")]
    OthersFile,
    /// Somebody else wrote it meanwhile.
    #[error("has changed meanwhile: nothing was written; try again, best while its client is not running")]
    Changed,
    /// There are too many backups.
    #[error("has 100 backups beside it: remove some")]
    Backups,
}

/// A file that is there.
#[derive(Debug)]
pub struct ClientFile {
    /// Where it is, links followed.
    path: PathBuf,
    bytes: Vec<u8>,
    metadata: Metadata,
}

impl ClientFile {
    /// Reads it; `None` where there is none.
    ///
    /// # Errors
    /// [`FileError`] where there is something that cannot be taken for a text.
    pub fn read(path: &Path) -> Result<Option<Self>, FileError> {
        let path = match fs::canonicalize(path) {
            Ok(path) => path,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let is_link = fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
                return if is_link { Err(FileError::DeadLink) } else { Ok(None) };
            }
            Err(error) => return Err(error.into()),
        };
        let metadata = fs::metadata(&path)?;
        if !metadata.is_file() {
            return Err(FileError::NotAFile);
        }
        if metadata.len() > MAX_BYTES {
            return Err(FileError::TooLarge);
        }
        let bytes = fs::read(&path)?;
        Ok(Some(Self { path, bytes, metadata }))
    }

    /// Its text.
    ///
    /// # Errors
    /// Where it is none.
    pub fn text(&self) -> Result<&str, FileError> {
        str::from_utf8(&self.bytes).map_err(|error| {
            let valid = self.bytes.iter().take(error.valid_up_to());
            FileError::NotText(valid.filter(|byte| **byte == b'\n').count() + 1)
        })
    }

    /// Puts another text in its place, with its mode and owner. Returns where the one before is kept.
    ///
    /// # Errors
    /// [`FileError`]; the file is as it was then.
    pub fn replace(&self, text: &str) -> Result<PathBuf, FileError> {
        if self.metadata.permissions().readonly() {
            return Err(FileError::ReadOnly);
        }
        let folder = self.path.parent().ok_or(FileError::NotAFile)?;
        let new = self.beside(folder, text.as_bytes())?;
        let backup = self.back_up(folder)?;
        // The second look costs no time: next to none is left for a writer to be overlooked in.
        if fs::read(&self.path)? != self.bytes || stamp(&fs::metadata(&self.path)?) != stamp(&self.metadata) {
            fs::remove_file(&backup)?;
            return Err(FileError::Changed);
        }
        new.persist(&self.path).map_err(|error| error.error)?;
        sync(folder)?;
        Ok(backup)
    }

    /// A file in the same folder that looks like this one to everybody.
    fn beside(&self, folder: &Path, bytes: &[u8]) -> Result<tempfile::NamedTempFile, FileError> {
        let mut file = Builder::new().prefix(".fintecture-mcp-").tempfile_in(folder)?;
        file.write_all(bytes)?;
        keep_owner(file.as_file(), &self.metadata)?;
        file.as_file().set_permissions(self.metadata.permissions())?;
        file.as_file().sync_all()?;
        Ok(file)
    }

    fn back_up(&self, folder: &Path) -> Result<PathBuf, FileError> {
        let mut copy = self.beside(folder, &self.bytes)?;
        for number in 1..=MAX_BACKUPS {
            let ending = if number == 1 { ".backup".to_owned() } else { format!(".backup-{number}") };
            let mut name = self.path.clone().into_os_string();
            name.push(ending);
            let path = PathBuf::from(name);
            match copy.persist_noclobber(&path) {
                Ok(_) => return Ok(path),
                Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => copy = error.file,
                Err(error) => return Err(error.error.into()),
            }
        }
        Err(FileError::Backups)
    }
}

/// Makes the folder of a file, and keeps other runs of this program from that folder until what it returns is dropped.
/// The folder itself is locked: a file for it would stay behind. Where that cannot be done (some network
/// drives), `None`: [`FileError::Changed`] alone tells then that two were at work.
///
/// # Errors
/// [`FileError`] where the folder cannot be made.
pub fn lock(path: &Path) -> Result<Option<File>, FileError> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = folder_of(&path);
    fs::create_dir_all(folder)?;
    let locked = File::open(folder).and_then(|folder| folder.lock().map(|()| folder));
    Ok(locked.ok())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a file that is not there, with the folders that it needs: for its user alone where it is the user's own,
/// else as the umask has it.
///
/// # Errors
/// [`FileError`], also where it is there by now.
pub fn create(path: &Path, text: &str, is_own: bool) -> Result<(), FileError> {
    let folder = folder_of(path);
    fs::create_dir_all(folder)?;
    let mut builder = Builder::new();
    builder.prefix(".fintecture-mcp-");
    if !is_own {
        as_the_umask_has_it(&mut builder);
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => FileError::Changed,
        _ => error.error.into(),
    })?;
    sync(folder)
}

#[cfg(unix)]
fn as_the_umask_has_it(builder: &mut Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt as _;
    builder.permissions(fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
fn as_the_umask_has_it(_builder: &mut Builder<'_, '_>) {}

/// What is another one as soon as somebody writes the file or puts another in its place.
#[cfg(unix)]
fn stamp(metadata: &Metadata) -> impl PartialEq {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec())
}

#[cfg(not(unix))]
fn stamp(metadata: &Metadata) -> impl PartialEq {
    (metadata.len(), metadata.modified().ok())
}

/// Gives a new file the owner of the one that it replaces: run by root, it would be lost to its user.
#[cfg(unix)]
fn keep_owner(file: &File, metadata: &Metadata) -> Result<(), FileError> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let own = file.metadata()?;
    if (own.uid(), own.gid()) == (metadata.uid(), metadata.gid()) {
        return Ok(());
    }
    fchown(file, Some(metadata.uid()), Some(metadata.gid())).map_err(|_| FileError::OthersFile)
}

#[cfg(not(unix))]
fn keep_owner(_file: &File, _metadata: &Metadata) -> Result<(), FileError> {
    Ok(())
}

/// The new name lasts through a power cut.
#[cfg(unix)]
fn sync(folder: &Path) -> Result<(), FileError> {
    Ok(File::open(folder)?.sync_all()?)
}

#[cfg(not(unix))]
fn sync(_folder: &Path) -> Result<(), FileError> {
    Ok(())
}
