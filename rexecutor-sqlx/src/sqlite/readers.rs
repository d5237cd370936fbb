//! Connections for queries, so that those do not wait for writes, nor writes for them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rexecutor::backend::Result;
use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{
    error::{backend_error, stopped},
    place::Place,
};

/// How many queries run at once.
const COUNT: usize = 2;

/// Connections, each opened when it is first needed.
///
/// sqlx's own pool needs a runtime with timers; nothing else in a query does.
#[derive(Debug)]
pub(super) struct Readers {
    options: SqliteConnectOptions,
    permits: Semaphore,
    shelf: Mutex<Shelf>,
}

/// Connections that nobody uses at present.
#[derive(Debug, Default)]
struct Shelf {
    idle: Vec<SqliteConnection>,
    /// The file that the writer has open; `None`: it has closed it, and no connection is kept.
    place: Option<Place>,
    /// How often the writer has opened the file: a connection from before is not kept.
    opened: usize,
}

impl Readers {
    pub(super) fn new(options: SqliteConnectOptions) -> Self {
        Self { options, permits: Semaphore::new(COUNT), shelf: Mutex::default() }
    }

    /// The writer has opened the file.
    pub(super) fn open(&self, place: Place) {
        let mut shelf = self.shelf();
        shelf.place = Some(place);
        shelf.opened += 1;
    }

    pub(super) async fn take(&self) -> Result<Reader<'_>> {
        let permit = self.permits.acquire().await.map_err(|_| stopped())?;
        let (place, opened, idle) = {
            let mut shelf = self.shelf();
            (shelf.place.clone(), shelf.opened, shelf.idle.pop())
        };
        place.map_or(Ok(()), |place| place.check())?;
        let conn = match idle {
            Some(conn) => conn,
            None => self.options.connect().await.map_err(backend_error)?,
        };
        Ok(Reader { conn, opened, readers: self, _permit: permit })
    }

    /// The writer is closing the file: nothing is kept until it opens it again.
    pub(super) async fn close(&self) {
        let idle = {
            let mut shelf = self.shelf();
            shelf.place = None;
            std::mem::take(&mut shelf.idle)
        };
        for conn in idle {
            // They have written nothing.
            let _ = conn.close().await;
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that is closed when it is dropped: whoever has done with it in good order [`keep`](Self::keep)s it.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    conn: SqliteConnection,
    /// When it was taken.
    opened: usize,
    readers: &'a Readers,
    _permit: SemaphorePermit<'a>,
}

impl Reader<'_> {
    pub(super) fn conn(&mut self) -> &mut SqliteConnection {
        &mut self.conn
    }

    /// Leaves it to the next one who reads, or closes it.
    pub(super) async fn keep(self) {
        let is_left = {
            let mut shelf = self.readers.shelf();
            match shelf.place.is_some() && shelf.opened == self.opened {
                true => {
                    shelf.idle.push(self.conn);
                    None
                }
                false => Some(self.conn),
            }
        };
        if let Some(conn) = is_left {
            let _ = conn.close().await;
        }
    }
}
