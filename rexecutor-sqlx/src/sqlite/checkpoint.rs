//! Moving what was written from the log to the file, beside the writes.
//!
//! SQLite would do it in whichever commit makes the log long, on the thread that writes, and everybody would wait for the
//! disk meanwhile. Another connection can do it at the same time. What the writer's connection still does, when the log
//! is longer yet, is to finish it and to begin the log anew, for which nobody may be writing.
//!
//! What somebody still reads cannot be moved, nor what was written after it: the log grows until that one has ended.

use std::{path::PathBuf, time::Duration};

use rexecutor::clock::{Clock, SystemClock};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::mpsc;

/// After how many rows it is time: these are about a thousand pages, at which SQLite would do it.
const ROWS: usize = 4_000;

/// How many jobs that are enqueued at once count as rows.
pub(super) const MANY: usize = 100;

/// How many pages the log has when the writer's connection does it. The default is 1,000.
pub(super) const PAGES: &str = "2000";

/// From how many bytes on a log is too long: several times what it has when it is moved in time. It is cut afterwards.
const LONG: u64 = 32 << 20;

/// How soon it is tried again to move or to cut a log that is too long.
const AGAIN: Duration = Duration::from_secs(1);

/// How much has been written of late.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// How many rows since it was last asked for.
    rows: usize,
    ask: Option<mpsc::Sender<()>>,
}

impl Log {
    /// What [`run`] is asked by from now on, until this is dropped.
    pub(super) fn watch(&mut self) -> mpsc::Receiver<()> {
        let (ask, asked) = mpsc::channel(1);
        self.ask = Some(ask);
        asked
    }

    /// Notes that rows were written, which sooner or later have to go to the file.
    pub(super) fn wrote(&mut self, rows: usize) {
        self.rows += rows;
        if self.rows >= ROWS {
            self.rows = 0;
            // If it is full, one is coming.
            let _ = self.ask.as_ref().map(|ask| ask.try_send(()));
        }
    }
}

/// Does it whenever it is `asked`, on a connection that is opened the first time.
pub(super) async fn run(file: SqliteConnectOptions, mut asked: mpsc::Receiver<()>) {
    let mut conn: Option<SqliteConnection> = None;
    let mut backlog = Backlog::new(&file);
    loop {
        tokio::select! {
            biased;
            asked = asked.recv() => if asked.is_none() { break },
            // Nobody may write any more, so nobody asks.
            () = SystemClock.sleep(AGAIN), if backlog.is_long => {}
        }
        if let Err(error) = checkpoint(&file, &mut conn, &mut backlog).await {
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

async fn checkpoint(
    file: &SqliteConnectOptions,
    conn: &mut Option<SqliteConnection>,
    backlog: &mut Backlog,
) -> Result<(), sqlx::Error> {
    let conn = match conn {
        Some(conn) => conn,
        None => {
            let conn = conn.insert(file.connect().await?);
            // Whoever waits for a lock here may hold another one meanwhile.
            sqlx::query("PRAGMA busy_timeout = 0").execute(&mut *conn).await?;
            conn
        }
    };
    // PASSIVE waits for nobody, and nobody waits for it.
    let row = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(&mut *conn).await?;
    let (pages, moved): (i64, i64) = (row.try_get("log")?, row.try_get("checkpointed")?);
    backlog.look(moved < pages);
    if backlog.is_long && moved == pages {
        // Nothing is left to be moved: it takes no longer than to cut the file.
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(conn).await?;
        backlog.look(false);
    }
    Ok(())
}

/// A log that has become so long that it was not moved to the file in time.
struct Backlog {
    log: PathBuf,
    is_long: bool,
    is_told: bool,
}

impl Backlog {
    fn new(file: &SqliteConnectOptions) -> Self {
        let mut log = file.get_filename().as_os_str().to_owned();
        log.push("-wal");
        Self { log: log.into(), is_long: false, is_told: false }
    }

    /// Looks how long the log is; somebody who reads may keep it from being moved.
    fn look(&mut self, is_kept: bool) {
        let bytes = std::fs::metadata(&self.log).map_or(0, |log| log.len());
        self.is_long = bytes > LONG;
        if !self.is_long {
            self.is_told = false;
        } else if is_kept && !self.is_told {
            self.is_told = true;
            tracing::warn!(
                file = %self.log.display(),
                megabytes = bytes >> 20,
                "the SQLite log grows because a connection has been reading since it was shorter: end that connection's \
                 transaction, and the log is cut"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    fn size(path: &Path) -> u64 {
        fs::metadata(path).unwrap().len()
    }

    #[tokio::test]
    async fn what_is_in_the_log_goes_to_the_file_while_others_have_it_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jobs.db");
        let file = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let file = file.journal_mode(sqlx::sqlite::SqliteJournalMode::Wal).pragma("wal_autocheckpoint", "0");
        let mut writer = file.connect().await.unwrap();
        sqlx::raw_sql("CREATE TABLE a (b); INSERT INTO a VALUES (zeroblob(100000))")
            .execute(&mut writer)
            .await
            .unwrap();
        let before = size(&path);
        let (ask, asked) = mpsc::channel(1);
        ask.send(()).await.unwrap();
        drop(ask);
        run(file, asked).await;
        assert!(before < 100_000 && size(&path) > 100_000, "{before} bytes before, {} after", size(&path));
        writer.close().await.unwrap();
    }

    #[test]
    fn it_is_asked_for_after_so_many_rows_and_not_twice() {
        let mut log = Log::default();
        let mut asked = log.watch();
        log.wrote(ROWS - 1);
        assert!(asked.try_recv().is_err());
        log.wrote(1);
        log.wrote(3 * ROWS);
        assert_eq!((asked.try_recv(), asked.try_recv().is_err()), (Ok(()), true));
    }
}
