//! Jobs in an SQLite file, or in memory.
//!
//! One connection writes, one transaction at a time, each begun with `BEGIN IMMEDIATE`: a transaction that first reads and
//! then wants to write is refused at once when another process writes, whatever its patience (trap of SQLite's own).
//! What a transition does to a row is decided by [`rexecutor::backend::lifecycle`] wherever it is rare; only claims and
//! completions, which are frequent, are statements of their own.

mod claim;
mod enqueue;
mod error;
mod filter;
mod inspect;
mod maintain;
mod migrate;
mod open;
mod row;
mod settle;
mod write;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::Bells,
    clock::{Clock, SystemClock},
};
use sqlx::{SqliteConnection, SqlitePool};
use tokio::sync::Mutex;

pub use self::{
    error::OpenError,
    open::{SqliteOptions, Synchronous},
};

/// Keeps jobs in an SQLite database: a file that any number of nodes and processes of one machine share, or the memory
/// of this process.
///
/// Once `enqueue` has returned, the job outlives the death of the process, and with [`Synchronous::Full`], which is the
/// default, the loss of power. The time is the clock of the operating system, as it is for SQLite itself.
///
/// A row that cannot be read as a job (somebody wrote to the table by hand) is discarded by the claim that meets it, and
/// logged.
///
/// It is cheap to clone: all clones share one connection.
#[derive(Debug, Clone)]
pub struct SqliteBackend(Arc<Database>);

#[derive(Debug)]
struct Database {
    /// The one connection that writes.
    writer: Mutex<SqliteConnection>,
    /// Connections that only read, so that a long query keeps nobody waiting; `None` for a database in memory.
    readers: Option<SqlitePool>,
    /// Jobs whose enqueuers wait for the writer: whoever has it stores them all.
    gathering: enqueue::Gathering,
    bells: Bells,
    clock: Arc<dyn Clock>,
    options: SqliteOptions,
}

impl SqliteBackend {
    fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }
}

/// The system's clock, unless one was given.
fn clock_or_system(clock: Option<Arc<dyn Clock>>) -> Arc<dyn Clock> {
    clock.unwrap_or_else(|| Arc::new(SystemClock))
}
