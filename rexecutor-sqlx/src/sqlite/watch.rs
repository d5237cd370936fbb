//! Hearing what other processes do.

use std::sync::Arc;

use rexecutor::{
    backend::{Result, Wakeup},
    clock::{Clock, SystemClock},
    job::JobId,
};
use sqlx::Row;

use super::{backend::Database, core::Core, queries};

impl Database {
    /// Wakes the node whenever another connection has committed.
    pub(super) async fn watch(&self, wakeup: Arc<Wakeup>) -> Result<()> {
        if self.readers.is_none() {
            // Nobody else can change a database in memory. The future keeps the wakeup alive.
            return std::future::pending().await;
        }
        let mut seen = None;
        loop {
            let sight = self.writer.peek(async move |core: &mut Core| look(core, seen).await).await?;
            if seen.is_none() {
                wakeup.watching();
            }
            // While the file is not open there is nobody to be told; another connection counts anew.
            seen = sight.map(|sight| sight.tell(&wakeup));
            // Other processes live by the system's clock, also when this one's jobs go by a test's.
            SystemClock.sleep(self.poll_interval).await;
        }
    }
}

/// What other connections have done since the last look.
struct Sight {
    version: i64,
    is_news: bool,
    cancelled: Vec<JobId>,
}

impl Sight {
    fn tell(self, wakeup: &Wakeup) -> i64 {
        if self.is_news {
            wakeup.wake_all();
            self.cancelled.into_iter().for_each(|job| wakeup.cancel(job));
        }
        self.version
    }
}

/// Looks whether another connection has committed since `seen`.
///
/// SQLite answers from shared memory, without a lock. The number changes with every connection's commits but those of
/// the connection that asks, and all commits of this process go through this one: its own do not wake it.
async fn look(core: &mut Core, seen: Option<i64>) -> Result<Sight, sqlx::Error> {
    let version = sqlx::query_scalar("PRAGMA data_version").fetch_one(&mut core.conn).await?;
    let is_news = seen != Some(version);
    let mut cancelled = Vec::new();
    if is_news {
        let rows = sqlx::query(queries::find_stopping()).fetch_all(&mut core.conn);
        for row in rows.await? {
            cancelled.push(JobId::from(row.try_get::<i64, _>("id")?));
        }
    }
    Ok(Sight { version, is_news, cancelled })
}
