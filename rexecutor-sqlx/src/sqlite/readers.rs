//! Connections for queries, so that those do not wait for writes, nor writes for them.

use std::sync::{Mutex, PoisonError};

use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{Semaphore, SemaphorePermit};

/// How many queries run at once.
const COUNT: usize = 2;

/// Connections, each opened when it is first needed.
///
/// sqlx's own pool needs a runtime with timers; nothing else in a query does.
#[derive(Debug)]
pub(super) struct Readers {
    options: SqliteConnectOptions,
    permits: Semaphore,
    idle: Mutex<Vec<SqliteConnection>>,
}

impl Readers {
    pub(super) fn new(options: SqliteConnectOptions) -> Self {
        Self { options, permits: Semaphore::new(COUNT), idle: Mutex::default() }
    }

    pub(super) async fn take(&self) -> Result<Reader<'_>, sqlx::Error> {
        let permit = self.permits.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let conn = match idle {
            Some(conn) => conn,
            None => self.options.connect().await?,
        };
        Ok(Reader { conn, readers: self, _permit: permit })
    }

    pub(super) async fn close(self) {
        for conn in self.idle.into_inner().unwrap_or_else(PoisonError::into_inner) {
            // They have written nothing.
            let _ = conn.close().await;
        }
    }
}

/// A connection that is closed when it is dropped: whoever has done with it in good order [`keep`](Self::keep)s it.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    conn: SqliteConnection,
    readers: &'a Readers,
    _permit: SemaphorePermit<'a>,
}

impl Reader<'_> {
    pub(super) fn conn(&mut self) -> &mut SqliteConnection {
        &mut self.conn
    }

    pub(super) fn keep(self) {
        self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(self.conn);
    }
}
