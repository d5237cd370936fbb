//! Giving due jobs to nodes.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use rexecutor::{
    backend::{Bell, Claim, Claimed, JobRow, Outcome, Result, Settlement, Slots},
    clock::{Clock, SystemClock},
    job::{JobId, NodeId},
};
use serde_json::Value;
use sqlx::Row;
use tokio::sync::{mpsc, oneshot};

use super::{
    SqliteBackend,
    row::{self, micros},
    states,
    work::Work,
    writer::{Call, Commit, Core, Request},
};

impl Claim for SqliteBackend {
    fn claim<'a>(&'a self, node: NodeId, slots: &'a [Slots]) -> BoxFuture<'a, Result<Claimed>> {
        let slots = slots.to_vec();
        let requests = self.0.writer.requests().clone();
        let step = async move |core: &mut Core| {
            let claimed = core.transact(Commit::Progress, async |work| claim(work, node, &slots).await).await?;
            Ok(Held { claimed: Some(claimed), requests })
        };
        Box::pin(async move { Ok(self.0.writer.run(step).await?.take()) })
    }

    fn watch(&self, bell: Arc<Bell>) -> BoxFuture<'_, Result<()>> {
        self.0.bells.add(&bell);
        Box::pin(async move {
            if self.0.readers.is_none() {
                // Nobody else can change a database in memory. The future keeps the bell alive.
                return std::future::pending().await;
            }
            let mut seen = None;
            loop {
                seen = Some(self.0.writer.run(async move |core: &mut Core| look(core, seen).await).await?.ring(&bell));
                // Other processes live by the system's clock, also when this one's jobs go by a test's.
                SystemClock.sleep(self.0.poll_interval).await;
            }
        })
    }
}

/// What other connections have done since the last look.
struct Sight {
    version: i64,
    is_news: bool,
    cancelled: Vec<JobId>,
}

impl Sight {
    fn ring(self, bell: &Bell) -> i64 {
        if self.is_news {
            bell.ring_all();
            self.cancelled.into_iter().for_each(|job| bell.cancel(job));
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
        let rows = sqlx::query(include_str!("queries/find_stopping.sql")).fetch_all(&mut core.conn);
        for row in rows.await? {
            cancelled.push(JobId::from(row.try_get::<i64, _>("id")?));
        }
    }
    Ok(Sight { version, is_news, cancelled })
}

/// Claimed jobs on their way to the caller. If they do not get there, because its future was dropped, they are given
/// back: nobody would run them, and nobody would rescue them while the node lives.
struct Held {
    claimed: Option<Claimed>,
    requests: mpsc::UnboundedSender<Request>,
}

impl Held {
    fn take(mut self) -> Claimed {
        self.claimed.take().unwrap_or(Claimed { jobs: Vec::new(), next_due_in: None, member: true })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(Claimed { jobs, .. }) = self.claimed.take() else { return };
        let give_back = |job: JobRow| Settlement { id: job.id, lease: job.lease, outcome: Outcome::GiveBack };
        let items: Vec<Settlement> = jobs.into_iter().map(give_back).collect();
        if !items.is_empty() {
            // It fails only if the thread is gone; then the file is closed, and the node's end gives them back.
            let _ = self.requests.send(Request::Settle(Call { items, answer: oneshot::channel().0 }));
        }
    }
}

/// One priority of an executor.
struct Level {
    /// The place of its slots.
    place: usize,
    priority: i64,
    first_due_at: i64,
}

async fn claim(work: &mut Work<'_>, node: NodeId, slots: &[Slots]) -> Result<Claimed, sqlx::Error> {
    let find_node = sqlx::query_scalar(include_str!("queries/find_node.sql")).bind(node.0);
    let member = find_node.fetch_one(&mut *work.conn).await?;
    let mut claimed = Claimed { jobs: Vec::new(), next_due_in: None, member };
    if !member || slots.is_empty() {
        return Ok(claimed);
    }
    let now = micros(work.now);
    // Of each executor: its slots that are still free, and when its next job is due.
    let mut open: Vec<(usize, Option<i64>)> = slots.iter().map(|slot| (slot.free, None)).collect();
    for level in find_levels(work, slots).await? {
        let (Some(slot), Some((free, next_due_at))) = (slots.get(level.place), open.get_mut(level.place)) else {
            continue;
        };
        if *free == 0 {
            continue;
        }
        let mut next = Some(level.first_due_at);
        if level.first_due_at <= now {
            let jobs = claim_level(work, node, slot, level.priority, *free).await?;
            *free -= jobs.len();
            claimed.jobs.extend(jobs);
            next = if *free == 0 { None } else { find_next_due(work, slot, level.priority).await? };
        }
        *next_due_at = (*next_due_at).into_iter().chain(next).min();
    }
    // Who has no free slot has no use for another job.
    let next_due_at = open.into_iter().filter(|(free, _)| *free > 0).filter_map(|(_, next_due_at)| next_due_at).min();
    let until = |at: i64| Duration::from_micros(u64::try_from(at.saturating_sub(now)).unwrap_or_default());
    claimed.next_due_in = next_due_at.map(until);
    Ok(claimed)
}

async fn find_levels(work: &mut Work<'_>, slots: &[Slots]) -> Result<Vec<Level>, sqlx::Error> {
    let executors = Value::from_iter(slots.iter().map(|slot| slot.executor.as_str())).to_string();
    let find = sqlx::query_as(include_str!("queries/find_levels.sql")).bind(executors);
    let levels: Vec<(i64, i64, i64)> = find.fetch_all(&mut *work.conn).await?;
    let level =
        |(place, priority, first_due_at)| Some(Level { place: usize::try_from(place).ok()?, priority, first_due_at });
    Ok(levels.into_iter().filter_map(level).collect())
}

/// Claims up to `free` jobs of one priority.
async fn claim_level(
    work: &mut Work<'_>,
    node: NodeId,
    slot: &Slots,
    priority: i64,
    free: usize,
) -> Result<Vec<JobRow>, sqlx::Error> {
    let mut jobs: Vec<JobRow> = Vec::new();
    loop {
        let wanted = free - jobs.len();
        let rows = sqlx::query(include_str!("queries/claim_jobs.sql"))
            .bind(slot.executor.as_str())
            .bind(priority)
            .bind(micros(work.now))
            .bind(i64::try_from(wanted).unwrap_or(i64::MAX))
            .bind(node.0)
            .fetch_all(&mut *work.conn)
            .await?;
        for job in row::read_all(&mut *work.conn, &rows).await? {
            match job {
                Ok(job) => jobs.push(job),
                Err(unreadable) => states::set_aside(work, &unreadable).await?,
            }
        }
        // Rows that were set aside have made room for others.
        if rows.len() < wanted || jobs.len() == free {
            break;
        }
    }
    // RETURNING keeps no order.
    jobs.sort_unstable_by_key(|job| (job.scheduled_at, job.id));
    Ok(jobs)
}

async fn find_next_due(work: &mut Work<'_>, slot: &Slots, priority: i64) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar(include_str!("queries/find_next_due.sql"))
        .bind(slot.executor.as_str())
        .bind(priority)
        .bind(micros(work.now))
        .fetch_one(&mut *work.conn)
        .await
}
