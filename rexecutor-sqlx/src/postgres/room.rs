//! Asking for places in queues in which only so many jobs may wait.

use chrono::{DateTime, TimeDelta, Utc};
use rexecutor::{
    backend::{NewJob, Result},
    clock::{Clock, SystemClock},
};
use sqlx::Row;

use super::backend::{Database, PgBackend};
use crate::common::{Batch, Last, Reserve};

impl PgBackend {
    /// Takes the places that these jobs want. It is not undone where they are not stored after all: the next count knows.
    pub(super) async fn take_places(&self, jobs: &[NewJob]) -> Result<()> {
        match jobs.iter().all(|job| job.extras.max_pending.is_none()) {
            true => Ok(()),
            false => self.0.room.take(jobs, self).await,
        }
    }
}

impl Reserve for PgBackend {
    fn now(&self) -> DateTime<Utc> {
        self.0.now().unwrap_or_else(|| SystemClock.now())
    }

    async fn reserve(&self, batch: Batch) -> Result<usize> {
        self.0.limited("could not ask whether there is room for the jobs", self.0.reserve(&batch)).await
    }
}

impl Database {
    async fn reserve(&self, batch: &Batch) -> sqlx::Result<usize> {
        let executor = batch.executor.to_string();
        let take = self.query(&self.queries.take_places).bind(self.now()).bind(executor.clone());
        let take = take.bind(batch.max_pending).bind(batch.most);
        let are_there = if self.has_settings {
            // A transaction by itself, in one round trip.
            let mut session = self.session().await?;
            let taken = take.execute(&mut *session).await?.rows_affected();
            session.end().await?;
            taken > 0
        } else {
            let mut transaction = self.begin().await?;
            let taken = take.execute(&mut *transaction).await?.rows_affected();
            transaction.commit().await?;
            taken > 0
        };
        if are_there {
            return Ok(usize::try_from(batch.most).unwrap_or_default());
        }
        let mut transaction = self.begin().await?;
        let lock = self.query(&self.queries.lock_backlog).bind(self.now()).bind(executor.clone());
        let row = lock.bind(batch.max_pending).fetch_one(&mut *transaction).await?;
        let age: Option<i64> = row.try_get("age")?;
        let last = Last {
            room: row.try_get("room")?,
            max_pending: row.try_get("max_pending")?,
            age: age.map(TimeDelta::microseconds),
        };
        let is_counted = batch.needs_count(&last);
        let room = if is_counted {
            // In a statement of its own: one that had waited for the lock itself would count what was there before.
            let count = self.query(&self.queries.count_backlog).bind(executor.clone()).bind(batch.max_pending);
            batch.max_pending - count.fetch_one(&mut *transaction).await?.try_get::<i64, _>("pending")?
        } else {
            last.room
        };
        let granted = batch.granted(room);
        let store = self.query(&self.queries.store_backlog).bind(self.now()).bind(executor);
        let store = store.bind(batch.max_pending).bind(room - granted).bind(is_counted);
        store.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(usize::try_from(granted).unwrap_or_default())
    }
}
