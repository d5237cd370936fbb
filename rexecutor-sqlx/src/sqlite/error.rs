//! What goes wrong with SQLite, in words.

use std::path::PathBuf;

use rexecutor::backend::BackendError;

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file's folder does not exist.
    #[error("the folder `{}` does not exist: create it, or open the database elsewhere", .0.display())]
    NoFolder(PathBuf),
    /// The path is a folder's.
    #[error("`{}` is a folder: name a file in it, as `{}`", .0.display(), .0.join("jobs.db").display())]
    IsFolder(PathBuf),
    /// The file is there and is no SQLite database.
    #[error("`{}` is not an SQLite database: name another file, or move this one away", .0.display())]
    NotADatabase(PathBuf),
    /// The file, or its folder, must not be written.
    #[error("`{}` is read-only, and jobs are written: make the file and its folder writable", .0.display())]
    ReadOnly(PathBuf),
    /// A later version of this crate has written the file.
    #[error(
        "`{}` has schema version {found}, and this version of rexecutor-sqlx knows {known}: update the program, \
         or open another file", path.display()
    )]
    SchemaTooNew {
        /// The file.
        path: PathBuf,
        /// The version of its schema.
        found: i64,
        /// The newest that is known here.
        known: i64,
    },
    /// Anything else.
    #[error("could not open `{}`", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: sqlx::Error,
    },
}

impl OpenError {
    pub(super) fn new(path: PathBuf, error: sqlx::Error) -> Self {
        match code(&error) {
            Some(NOT_A_DATABASE) => Self::NotADatabase(path),
            Some(READ_ONLY) => Self::ReadOnly(path),
            _ => Self::Database { path, source: error },
        }
    }
}

const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READ_ONLY: i32 = 8;
const IO: i32 = 10;
const FULL: i32 = 13;
const NOT_A_DATABASE: i32 = 26;

/// SQLite's primary result code; the extended ones hold it in their low byte.
fn code(error: &sqlx::Error) -> Option<i32> {
    let code: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

/// What could not be done, for [`BackendError`].
pub(super) fn failed(what: &'static str) -> impl Fn(sqlx::Error) -> BackendError {
    move |error| {
        let is_transient = match &error {
            sqlx::Error::PoolTimedOut | sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => true,
            error => matches!(code(error), Some(BUSY | LOCKED | IO | FULL)),
        };
        match is_transient {
            true => BackendError::transient(what, error),
            false => BackendError::permanent(what, error),
        }
    }
}
