//! What goes wrong with the file, and whether it passes.

use std::{path::PathBuf, sync::Arc};

use rexecutor::backend::BackendError;
use sqlx::error::DatabaseError;

/// SQLite's primary result codes that matter here: <https://www.sqlite.org/rescode.html>.
mod code {
    pub(super) const ERROR: i32 = 1;
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const NOMEM: i32 = 7;
    pub(super) const READONLY: i32 = 8;
    pub(super) const INTERRUPT: i32 = 9;
    pub(super) const IOERR: i32 = 10;
    pub(super) const CORRUPT: i32 = 11;
    pub(super) const FULL: i32 = 13;
    pub(super) const CANTOPEN: i32 = 14;
    pub(super) const PROTOCOL: i32 = 15;
    pub(super) const TOOBIG: i32 = 18;
    pub(super) const NOTADB: i32 = 26;
}

/// Why a database could not be opened.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder is not there. SQLite creates files, but no folders.
    #[error("the folder of `{}` does not exist: create it first", path.display())]
    NoFolder {
        /// The file.
        path: PathBuf,
    },
    /// There is no such file, and none is to be created.
    #[error("there is no file `{}`: check the path, or let it be created", path.display())]
    NoFile {
        /// The file.
        path: PathBuf,
    },
    /// There is a folder where the file should be.
    #[error("`{}` is a folder: give the path of a file in it", path.display())]
    IsFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("`{}` is not an SQLite database: give the path of one, or of a file that does not exist yet", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file, or its folder, cannot be written to.
    #[error("`{}` cannot be written to: this process needs write access to the file and to its folder", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// The tables are not there, or are older than this program, and it was told not to migrate.
    #[error(
        "the tables in `{}` have version {found}, and this program needs {known}: let them be migrated",
        path.display()
    )]
    NotMigrated {
        /// The file.
        path: PathBuf,
        /// The version of its tables; 0: it has none.
        found: i64,
        /// The one that is needed.
        known: i64,
    },
    /// A newer release of this crate has changed the tables, and this one cannot work with them any more.
    #[error(
        "the tables in `{}` have version {found}, which needs programs that know version {oldest} at least; this one \
         knows {known}: update rexecutor-sqlx, or use another file",
        path.display()
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// The version of its tables.
        found: i64,
        /// The oldest program that may use it.
        oldest: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// Nodes that could not work with the new tables are still running.
    #[error(
        "nodes that know version {running} of the tables in `{}` are running, and version {version} needs {oldest} at \
         least: stop them first, or update them to a release in between",
        path.display()
    )]
    OldNodes {
        /// The file.
        path: PathBuf,
        /// The version that was to be reached.
        version: i64,
        /// The oldest program that may use it.
        oldest: i64,
        /// What the oldest running program knows.
        running: i64,
    },
    /// Another process held the file's lock all the time.
    #[error("`{}` was locked by another process for too long: end that process's transaction, or wait longer", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Something else went wrong.
    #[error("could not open `{}`", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What SQLite or the operating system says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

rexecutor::debug_as_sentence!(OpenError);

impl OpenError {
    /// Whether opening the file again may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Busy { .. } => true,
            Self::Failed { source, .. } => source.downcast_ref().is_some_and(|error| message(error).1),
            Self::NoFolder { .. }
            | Self::IsFolder { .. }
            | Self::NotADatabase { .. }
            | Self::ReadOnly { .. }
            | Self::NoFile { .. }
            | Self::NotMigrated { .. }
            | Self::TooNew { .. }
            | Self::OldNodes { .. } => false,
        }
    }

    pub(super) fn new(path: PathBuf, error: sqlx::Error) -> Self {
        match primary_code(&error) {
            Some(code::NOTADB) => Self::NotADatabase { path },
            Some(code::READONLY | code::CANTOPEN) => Self::ReadOnly { path },
            Some(code::BUSY | code::LOCKED) => Self::Busy { path, source: error.into() },
            _ => Self::Failed { path, source: error.into() },
        }
    }
}

/// Whether another connection is in the way.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(code::BUSY | code::LOCKED))
}

/// Whether a statement has failed by what it computed, as `expect_changes.sql` does. The transaction is still open.
pub(super) fn is_unexpected(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(code::ERROR)
}

/// Whether a value would be longer than SQLite takes, which undoes nothing.
pub(super) fn is_too_big(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(code::TOOBIG)
}

/// The core's error for the driver's.
pub(super) fn backend_error(error: sqlx::Error) -> BackendError {
    let (message, is_transient) = message(&error);
    if is_transient { BackendError::transient(message, error) } else { BackendError::permanent(message, error) }
}

/// The same, for one of several callers whom it concerns.
pub(super) fn shared(error: &Arc<sqlx::Error>) -> BackendError {
    let (message, is_transient) = message(error);
    let error = Arc::clone(error);
    if is_transient { BackendError::transient(message, error) } else { BackendError::permanent(message, error) }
}

/// What to say of an error, and whether it passes by itself.
fn message(error: &sqlx::Error) -> (&'static str, bool) {
    match primary_code(error) {
        Some(code::BUSY | code::LOCKED) => ("the SQLite file is locked by another process", true),
        Some(code::FULL) => ("the disk of the SQLite file is full", true),
        Some(code::READONLY) => ("the SQLite file cannot be written to", true),
        Some(code::IOERR | code::CANTOPEN) => ("the SQLite file could not be read or written", true),
        Some(code::NOMEM | code::INTERRUPT | code::PROTOCOL) => ("SQLite was interrupted", true),
        Some(code::CORRUPT | code::NOTADB) => ("the SQLite file is damaged", false),
        None if matches!(error, sqlx::Error::Io(_)) => ("the SQLite file could not be read or written", true),
        None if matches!(error, sqlx::Error::Decode(_)) => ("a stored job cannot be read", false),
        _ => ("SQLite refused an operation", false),
    }
}

/// The writer's thread is gone, and with it the answer.
pub(super) fn stopped() -> BackendError {
    BackendError::message("the SQLite backend has stopped")
}

fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let extended: i32 = error.as_database_error().and_then(DatabaseError::code)?.parse().ok()?;
    Some(extended & 0xff)
}
