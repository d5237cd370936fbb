//! Asking for places in queues in which only so many jobs may wait.

use chrono::{DateTime, TimeDelta, Utc};
use rexecutor::backend::{NewJob, Result, places};
use sqlx::{AnyConnection, SqliteConnection};

use super::{backend::SqliteBackend, core::Commit, error::backend_error, queries, row::micros, work::Work};
use crate::common::{Batch, Last, Reserve};

impl SqliteBackend {
    /// Takes the places that these jobs want. It is not undone where they are not stored after all: the next count knows.
    pub(super) async fn take_places(&self, jobs: &[NewJob]) -> Result<()> {
        match jobs.iter().all(|job| job.extras.max_pending.is_none()) {
            true => Ok(()),
            false => self.0.room.take(jobs, self).await,
        }
    }

    /// … in a transaction of the application's, which keeps all others from writing: no more than they want.
    pub(super) async fn take_places_in(&self, conn: &mut SqliteConnection, jobs: &[NewJob]) -> Result<()> {
        for wanted in places(jobs) {
            wanted.check()?;
            let granted = reserve(conn, &Batch::exact(&wanted), self.0.clock.now()).await.map_err(backend_error)?;
            if granted == 0 {
                return Err(wanted.refused());
            }
        }
        Ok(())
    }

    /// … that only sqlx knows to be on SQLite.
    pub(super) async fn take_places_in_any(&self, conn: &mut AnyConnection, jobs: &[NewJob]) -> Result<()> {
        for wanted in places(jobs) {
            wanted.check()?;
            let granted =
                reserve_in_any(conn, &Batch::exact(&wanted), self.0.clock.now()).await.map_err(backend_error)?;
            if granted == 0 {
                return Err(wanted.refused());
            }
        }
        Ok(())
    }
}

impl Reserve for SqliteBackend {
    fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    async fn reserve(&self, batch: Batch) -> Result<usize> {
        let step = async move |work: &mut Work<'_>| reserve(&mut *work.conn, &batch, work.now).await;
        self.0.writer.write(Commit::Progress, step).await
    }
}

/// When a queue was counted that never was.
const NEVER: i64 = i64::MIN;

macro_rules! reserve {
    ($name:ident, $connection:ty) => {
        async fn $name(conn: &mut $connection, batch: &Batch, now: DateTime<Utc>) -> sqlx::Result<usize> {
            let (executor, now) = (batch.executor.to_string(), micros(now));
            let lock = sqlx::query_as(queries::lock_backlog()).bind(executor.clone()).bind(batch.max_pending);
            let (room, max_pending, counted_at): (i64, i64, i64) = lock.bind(NEVER).fetch_one(&mut *conn).await?;
            let age = Some(TimeDelta::microseconds(now.saturating_sub(counted_at))).filter(|_| counted_at != NEVER);
            let is_counted = batch.needs_count(&Last { room, max_pending, age });
            let room = if is_counted {
                let count = sqlx::query_scalar(queries::count_backlog()).bind(executor.clone());
                let pending: i64 = count.bind(batch.max_pending).fetch_one(&mut *conn).await?;
                batch.max_pending - pending
            } else {
                room
            };
            let granted = batch.granted(room);
            let counted_at = if is_counted { now } else { counted_at };
            let store = sqlx::query(queries::store_backlog()).bind(executor).bind(batch.max_pending);
            store.bind(room - granted).bind(counted_at).execute(&mut *conn).await?;
            Ok(usize::try_from(granted).unwrap_or_default())
        }
    };
}

reserve!(reserve, SqliteConnection);
reserve!(reserve_in_any, AnyConnection);
