//! Moving what was written from the log to the file, beside the writes.
//!
//! SQLite would do it in whichever commit makes the log long, on the thread that writes, and everybody would wait for the
//! disk meanwhile. Another connection can do it at the same time. What the writer's connection still does, when the log
//! is longer yet, is to finish it and to begin the log anew, for which nobody may be writing.

use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::mpsc;

/// After how many rows it is time: these are about a thousand pages, at which SQLite would do it.
pub(super) const ROWS: usize = 4_000;

/// How many jobs that are enqueued at once count as rows.
pub(super) const MANY: usize = 100;

/// How many pages the log has when the writer's connection does it. The default is 1,000.
pub(super) const PAGES: &str = "2000";

/// Does it whenever it is `asked`, on a connection that is opened the first time.
pub(super) async fn run(file: SqliteConnectOptions, mut asked: mpsc::Receiver<()>) {
    let mut conn: Option<SqliteConnection> = None;
    while asked.recv().await.is_some() {
        if let Err(error) = checkpoint(&file, &mut conn).await {
            // Nothing depends on it: the writer's connection does it, later.
            tracing::debug!(error = &error as &dyn std::error::Error, "the SQLite log was not moved to the file");
            conn = None;
        }
    }
    if let Some(conn) = conn {
        // It has written nothing of its own.
        let _ = conn.close().await;
    }
}

async fn checkpoint(file: &SqliteConnectOptions, conn: &mut Option<SqliteConnection>) -> Result<(), sqlx::Error> {
    let conn = match conn {
        Some(conn) => conn,
        None => conn.insert(file.connect().await?),
    };
    // PASSIVE waits for nobody, and nobody waits for it.
    sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(conn).await?;
    Ok(())
}
