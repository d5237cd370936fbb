//! The backend, and what all its clones share.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use rexecutor::{
    backend::{BackendError, Listeners, Result},
    clock::{Clock, SystemClock},
};

use crate::common::Room;

use super::{core::Core, queries, readers::Readers, writer::Writer};

/// Keeps jobs in an SQLite file, or in an SQLite database in memory.
///
/// Any number of processes of one machine may open the same file at once. The application's own tables may live in it
/// too: those of the backend are called `rexecutor_…`.
///
/// What is promised of a job whose `enqueue` has returned, and what it costs, is [`Durability`](crate::Durability)'s to say.
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
pub struct SqliteBackend(pub(super) Arc<Database>);

#[derive(Debug)]
pub(super) struct Database {
    pub(super) writer: Writer,
    /// Connections for queries; none for a database in memory, which has only the writer's.
    pub(super) readers: Option<Arc<Readers>>,
    /// Where the file is; `None` for a database in memory.
    pub(super) path: Option<PathBuf>,
    pub(super) listeners: Arc<Listeners>,
    /// Whether anybody listens for events, as far as this process knows.
    pub(super) heard: Arc<AtomicBool>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) poll_interval: Duration,
    /// Places in queues that were taken and not used yet.
    pub(super) room: Room,
}

impl SqliteBackend {
    /// Checks within `timeout` that the database answers, for health checks: also that its one writer is not kept waiting by
    /// another process for that long.
    ///
    /// # Errors
    ///
    /// When the database has not answered by then, or fails; the causes say why. It is safe to call it again.
    pub async fn ping(&self, timeout: Duration) -> Result<()> {
        let look =
            async |core: &mut Core| sqlx::query(queries::find_version()).fetch_one(&mut core.conn).await.map(drop);
        tokio::select! {
            biased;
            answer = self.0.writer.run(look) => answer,
            () = SystemClock.sleep(timeout) => {
                Err(BackendError::transient("the database does not answer", format!("no answer within {timeout:?}")))
            }
        }
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
