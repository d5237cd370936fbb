//! Giving due jobs to nodes, and noticing what other processes do.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use rexecutor::{
    backend::{Bell, Claim, Claimed, JobRow, Result, Slots},
    clock::{Clock, SystemClock},
    job::{JobId, NodeId},
};
use sqlx::{Row, SqliteConnection};

use super::{
    SqliteBackend,
    error::failed,
    row,
    write::{commit, read_errors, set_aside},
};

type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl Claim for SqliteBackend {
    fn claim<'a>(&'a self, node: NodeId, slots: &'a [Slots]) -> BoxFuture<'a, Result<Claimed>> {
        Box::pin(async move {
            let failed = failed("could not claim jobs");
            let mut writer = self.writer().await;
            let mut transaction = writer.begin_lightly().await.map_err(&failed)?;
            let now = self.now();
            let claimed = claim(&mut transaction, node, slots, now).await.map_err(&failed)?;
            commit(transaction, "could not claim jobs").await?;
            Ok(claimed)
        })
    }

    fn watch(&self, bell: Arc<Bell>) -> BoxFuture<'_, Result<()>> {
        self.0.bells.add(&bell);
        Box::pin(async move {
            if self.0.readers.is_none() {
                return std::future::pending().await;
            }
            let mut version = self.data_version().await?;
            loop {
                // Other processes live by the system's clock, also under a test's.
                SystemClock.sleep(self.0.options.poll_interval).await;
                let seen = self.data_version().await?;
                if seen != version {
                    version = seen;
                    bell.ring_all();
                    self.cancelled(None).await?.into_iter().for_each(|(job, _)| bell.cancel(job));
                }
            }
        })
    }
}

impl SqliteBackend {
    /// A number that changes when another connection has written. Asked on the writer, which is never told of its own
    /// writes.
    async fn data_version(&self) -> Result<i64> {
        let query = sqlx::query_scalar("PRAGMA data_version");
        query.fetch_one(self.writer().await.connection()).await.map_err(failed("could not look for changes"))
    }
}

async fn claim(
    connection: &mut SqliteConnection,
    node: NodeId,
    slots: &[Slots],
    now: DateTime<Utc>,
) -> sqlx::Result<Claimed> {
    let member =
        sqlx::query(include_str!("queries/find_node.sql")).bind(node.0).fetch_optional(&mut *connection).await?;
    let mut claimed = Claimed { jobs: Vec::new(), next_due_in: None, member: member.is_some() };
    if !claimed.member {
        return Ok(claimed);
    }
    for slots in slots {
        let next_due = claim_of_executor(connection, node, slots, now, &mut claimed.jobs).await?;
        claimed.next_due_in = claimed.next_due_in.into_iter().chain(next_due).min();
    }
    let mut failed_before: Vec<_> = claimed.jobs.iter_mut().filter(|job| job.attempt > 1).collect();
    read_errors(connection, &mut failed_before).await?;
    Ok(claimed)
}

/// Claims up to an executor's free slots; if they are not all filled, gives the time until its next job.
async fn claim_of_executor(
    connection: &mut SqliteConnection,
    node: NodeId,
    slots: &Slots,
    now: DateTime<Utc>,
    jobs: &mut Vec<JobRow>,
) -> sqlx::Result<Option<Duration>> {
    let executor = slots.executor.as_str();
    let priorities = sqlx::query_scalar(include_str!("queries/list_priorities.sql")).bind(executor);
    let priorities: Vec<i64> = priorities.fetch_all(&mut *connection).await?;
    let mut free = slots.free;
    for priority in &priorities {
        let query = sqlx::query(include_str!("queries/claim_jobs.sql")).bind(executor).bind(priority);
        let query = query.bind(now.timestamp_micros()).bind(i64::try_from(free).unwrap_or(i64::MAX)).bind(node.0);
        let rows = query.fetch_all(&mut *connection).await?;
        free = free.saturating_sub(rows.len());
        let mut batch = Vec::with_capacity(rows.len());
        for row in &rows {
            match row::job(row) {
                Ok(job) => batch.push(job),
                Err(error) => set_aside(connection, JobId::from(row.try_get::<i64, _>("id")?), &error, now).await?,
            }
        }
        // RETURNING keeps no order.
        batch.sort_unstable_by_key(|job| (job.scheduled_at, job.id));
        jobs.append(&mut batch);
        if free == 0 {
            return Ok(None);
        }
    }
    let mut next_due: Option<i64> = None;
    for priority in priorities {
        let query = sqlx::query_scalar(include_str!("queries/find_next_due.sql")).bind(executor).bind(priority);
        let at: Option<i64> = query.bind(now.timestamp_micros()).fetch_one(&mut *connection).await?;
        next_due = next_due.into_iter().chain(at).min();
    }
    Ok(next_due.and_then(|at| TimeDelta::microseconds(at.saturating_sub(now.timestamp_micros())).to_std().ok()))
}
