//! Where the file is, and whether what is there now is still what was opened.
//!
//! A file that is deleted, moved, or replaced by another one stays what an open connection works on: everything would be
//! stored, and be gone with the process.

use std::{
    fs::{self, Metadata},
    io,
    path::{Path, PathBuf},
};

use rexecutor::backend::BackendError;

/// A file that is open.
#[derive(Debug, Clone)]
pub(super) struct Place {
    path: PathBuf,
    file: FileId,
}

impl Place {
    /// Of a file that was opened just now.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), file: id(&fs::metadata(path)?) })
    }

    /// Looks whether it is still there: one system call, and no access to the disk.
    pub(super) fn check(&self) -> Result<(), BackendError> {
        let what = match fs::metadata(&self.path) {
            Ok(found) if id(&found) == self.file => return Ok(()),
            Ok(_) => "replaced by another file",
            Err(error) if error.kind() == io::ErrorKind::NotFound => "deleted or moved",
            Err(error) => return Err(BackendError::transient("the SQLite file could not be looked at", error)),
        };
        Err(BackendError::message(format!(
            "`{}` was {what} while it was open, and what is stored now would be lost with it: put the file back, or restart \
             the program",
            self.path.display()
        )))
    }
}

/// What tells a file from every other one, whatever its name: its device and its number there.
#[cfg(unix)]
type FileId = (u64, u64);

#[cfg(unix)]
fn id(file: &Metadata) -> FileId {
    use std::os::unix::fs::MetadataExt;
    (file.dev(), file.ino())
}

/// Elsewhere a file that is open cannot be deleted.
#[cfg(not(unix))]
type FileId = ();

#[cfg(not(unix))]
fn id(_: &Metadata) -> FileId {}
