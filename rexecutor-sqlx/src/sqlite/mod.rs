//! Jobs in an SQLite file.
//!
//! # How it works
//!
//! One thread, the [`writer`], owns the one connection that writes. Calls are sent to it and wait for their answer, so
//! that calls which arrive while a transaction is in flight share the next one, and a caller that goes away leaves
//! nothing half done. The driver in turn has a thread of its own, and going there and back takes longer than most
//! statements: a transaction is a few [`script`]s. The SQL finds and stores rows; what becomes of a row is decided by the
//! functions of [`lifecycle`](rexecutor::backend::lifecycle), under the write lock of the file.
//!
//! # Invariants
//!
//! - Every write happens in a transaction that began with `BEGIN IMMEDIATE`: one that reads first and then writes would be
//!   refused with `SQLITE_BUSY`, whatever the timeout.
//! - Listeners are woken after the commit and before the answer.
//! - Within a process, time does not run backwards from one transaction to the next.

mod checkpoint;
mod claim;
mod complete;
mod due_rows;
#[cfg(test)]
mod economy;
mod enqueue;
mod enqueue_in;
mod error;
mod fast_path;
mod filter;
mod inspect;
mod maintain;
mod migrate;
mod open;
mod prune;
mod readers;
mod row;
mod scan;
mod script;
mod settle;
mod states;
mod work;
mod writer;

use std::{path::Path, sync::Arc, time::Duration};

use rexecutor::{backend::Listeners, clock::Clock};

pub use self::{
    error::OpenError,
    open::{Durability, SqliteOptions},
};
use self::{readers::Readers, writer::Writer};

/// Keeps jobs in an SQLite file, or in an SQLite database in memory.
///
/// Any number of processes of one machine may open the same file at once. The application's own tables may live in it
/// too: those of the backend are called `rexecutor_…`.
///
/// What is promised of a job whose `enqueue` has returned, and what it costs, is [`Durability`]'s to say.
///
/// A stored job that cannot be read, because its row was damaged or written by something else, is not given to a node.
/// The claim that meets it discards it, with an error that says what is wrong, and goes on to the next. Queries leave
/// such jobs out and log a warning.
///
/// It is cheap to clone: all clones share one connection. Dropping the last closes the file soon afterwards;
/// [`close`](Self::close) waits for that.
///
/// # Examples
///
/// ```
/// use rexecutor_sqlx::SqliteBackend;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), rexecutor_sqlx::OpenError> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("jobs.db");
/// let backend = SqliteBackend::open(&path).await?;
/// # drop(backend);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SqliteBackend(Arc<Database>);

#[derive(Debug)]
struct Database {
    writer: Writer,
    /// Connections for queries; none for a database in memory, which has only the writer's.
    readers: Option<Readers>,
    listeners: Arc<Listeners>,
    clock: Arc<dyn Clock>,
    poll_interval: Duration,
}

impl SqliteBackend {
    /// Opens a file, creating it if it does not exist; `:memory:` is a database in memory.
    ///
    /// # Errors
    ///
    /// When the file cannot be used; [`OpenError`] says why and what to do.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        SqliteOptions::new().open(path).await
    }

    /// Opens a database in memory: its jobs are gone when the backend is dropped.
    ///
    /// # Errors
    ///
    /// When SQLite cannot be started.
    pub async fn in_memory() -> Result<Self, OpenError> {
        SqliteOptions::new().open_in_memory().await
    }

    /// Finishes what is under way and closes the file, if this is the last clone of the backend.
    pub async fn close(self) {
        if let Some(Database { writer, readers, .. }) = Arc::into_inner(self.0) {
            if let Some(readers) = readers {
                readers.close().await;
            }
            writer.close().await;
        }
    }
}
