//! Keeping the cluster's books.

use std::{collections::BTreeSet, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use rexecutor::{
    backend::{Heartbeat, JobRow, Maintain, Member, Node, Result, lifecycle},
    job::{ExecutorName, JobId, JobStatus, Lease, NodeId},
    pruner::PruneSpec,
};
use sqlx::{
    PgConnection, Row,
    postgres::{PgRow, types::PgInterval},
};

use super::{
    backend::{Database, PgBackend},
    enqueue::interval,
    migrate,
    notices::{NO_PROCESS, payloads},
    row,
    write::Locked,
};

/// How many jobs are rescued in one transaction.
const BATCH: i64 = 500;

/// After how many rescued jobs a call is over, so that a heartbeat comes in between.
const ENOUGH: usize = 500;

/// In how many transactions, at most, a call discards jobs whose deadline has come.
const BATCHES: usize = 20;

impl Maintain for PgBackend {
    fn join<'a>(&'a self, node: &'a Node) -> BoxFuture<'a, Result<NodeId>> {
        let (label, timeout) = (node.label.replace('\0', "\u{fffd}"), long(node.timeout));
        let about = node.about.encode();
        let join = async move |database: &Database, connection: &mut PgConnection| {
            let here = database.known_identity(connection).await;
            let mut transaction = database.begin_on(connection).await?;
            if let Err(copied) = database.check_origin(&mut transaction, here).await? {
                return Ok(Err(copied.into()));
            }
            let query = database.query(&database.queries.insert_node).bind(database.now()).bind(label);
            let query = query.bind(migrate::KNOWN).bind(timeout).bind(about);
            let row = query.fetch_one(&mut *transaction).await?;
            transaction.commit().await?;
            let node = row.try_get("id").map(NodeId)?;
            let known = database.query(&database.queries.find_latest_clock).bind(database.now());
            let known = database.alone(connection, async |connection| known.fetch_optional(connection).await).await?;
            if let Some(before) = known.as_ref().map(|row| row::instant(row, "before")).transpose()? {
                database.set_back_jobs(connection, before).await?;
            }
            database.read_controls_on(connection, node).await?;
            Ok(Ok(node))
        };
        Box::pin(async move { self.0.as_member("could not join the cluster", join).await? })
    }

    fn heartbeat<'a>(&'a self, node: NodeId) -> BoxFuture<'a, Result<Heartbeat>> {
        let renew = async move |database: &Database, connection: &mut PgConnection| {
            let query = database.query(&database.queries.renew_node).bind(database.now()).bind(node.0);
            let rows = database.alone(connection, async |connection| query.fetch_all(connection).await).await?;
            let heartbeat = heartbeat(&rows)?;
            let is_heard =
                rows.iter().any(|row| row.try_get::<Option<bool>, _>("is_heard").ok().flatten() == Some(true));
            database.controls.set_heard(is_heard);
            if let Some(before) = rows.iter().find_map(|row| row::optional_instant(row, "before").ok().flatten()) {
                database.set_back_jobs(connection, before).await?;
            }
            Ok(heartbeat)
        };
        Box::pin(self.0.as_member("could not send a heartbeat", renew))
    }

    fn leave<'a>(&'a self, node: NodeId) -> BoxFuture<'a, Result<()>> {
        let delete = async move |database: &Database, connection: &mut PgConnection| {
            let query = database.query(&database.queries.delete_node).bind(node.0);
            database.alone(connection, async |connection| query.execute(connection).await).await.map(drop)
        };
        Box::pin(async move {
            let left = self.0.as_member("could not leave the cluster", delete).await;
            self.0.hang_up();
            left
        })
    }

    fn rescue<'a>(&'a self, dead: &'a [Member]) -> BoxFuture<'a, Result<usize>> {
        let dead = dead.to_vec();
        let rescue = async move |database: &Database, connection: &mut PgConnection| {
            database.expire(connection, &dead).await?;
            let mut total = 0;
            for _ in 0..BATCHES {
                // Those whose deadline has come do not count. What is rescued waits, and its deadline may have come, too.
                match database.rescue(connection).await? {
                    Some(rescued) if total + rescued < ENOUGH => total += rescued,
                    last => return Ok(total + last.unwrap_or_default()),
                }
            }
            Ok(total)
        };
        Box::pin(self.0.as_member("could not rescue jobs", rescue))
    }

    fn prune<'a>(&'a self, spec: &'a PruneSpec, limit: usize) -> BoxFuture<'a, Result<usize>> {
        Box::pin(self.0.prune(spec, limit))
    }
}

/// How long a stored interval is; nothing, if it is negative.
pub(super) fn duration(interval: &PgInterval) -> Duration {
    let days = i64::from(interval.months).saturating_mul(30).saturating_add(interval.days.into());
    let micros = days.saturating_mul(24 * 60 * 60 * 1_000_000).saturating_add(interval.microseconds);
    Duration::from_micros(micros.try_into().unwrap_or_default())
}

fn heartbeat(rows: &[PgRow]) -> sqlx::Result<Heartbeat> {
    let mut heartbeat = if rows.is_empty() { Heartbeat::of_no_member() } else { Heartbeat::of_member() };
    for row in rows {
        if let Some(member) = row.try_get::<Option<i64>, _>("member")? {
            let timeout = duration(&row.try_get("timeout")?);
            heartbeat.others.push(Member::new(NodeId(member), row.try_get("beats")?, timeout));
        } else if let Some(id) = row.try_get::<Option<i64>, _>("id")? {
            heartbeat.add((JobId::from(id), Lease(row.try_get("lease")?)), row.try_get("is_cancelled")?);
        }
    }
    Ok(heartbeat)
}

impl Database {
    /// Ends the membership of the dead, unless they were heard since.
    async fn expire(&self, connection: &mut PgConnection, dead: &[Member]) -> sqlx::Result<()> {
        if dead.is_empty() {
            return Ok(());
        }
        let query = self.query(&self.queries.delete_dead_nodes);
        let query = query.bind(dead.iter().map(|member| member.node.0).collect::<Vec<_>>());
        let query = query.bind(dead.iter().map(|member| member.beats).collect::<Vec<_>>());
        self.alone(connection, async |connection| query.execute(connection).await).await.map(drop)
    }

    /// Moves jobs, and what holds executors back, with a clock that was set back.
    async fn set_back_jobs(&self, connection: &mut PgConnection, before: DateTime<Utc>) -> sqlx::Result<()> {
        tracing::warn!(%before, "the clock was set back: jobs that were due stay so");
        let throttles = self.query(&self.queries.set_back_throttles).bind(self.now()).bind(before);
        if !self.alone(connection, async |connection| throttles.fetch_all(connection).await).await?.is_empty() {
            self.outdate_nodes().await?;
        }
        loop {
            let query = self.query(&self.queries.set_back_jobs).bind(self.now()).bind(before);
            let rows = self.alone(connection, async |connection| query.fetch_all(connection).await).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let executors = rows.iter().map(|row| row.try_get::<String, _>("executor").map(ExecutorName::from));
            self.wake_on(connection, executors.collect::<sqlx::Result<_>>()?).await?;
        }
    }

    /// Rescues a batch, discards one of jobs whose deadline has come, and wakes the nodes; returns how many jobs were rescued,
    /// or `None` when there is nothing left.
    async fn rescue(&self, connection: &mut PgConnection) -> sqlx::Result<Option<usize>> {
        // There are none as a rule, which costs a statement and no transaction.
        let find = self.query(&self.queries.lock_lost_jobs).bind(1_i64).bind(self.now());
        if self.alone(connection, async |connection| find.fetch_optional(connection).await).await?.is_none() {
            return Ok(None);
        }
        let mut transaction = self.begin_on(connection).await?;
        let lock = self.query(&self.queries.lock_lost_jobs).bind(BATCH).bind(self.now());
        let rows = lock.fetch_all(&mut *transaction).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let ids = rows.iter().map(|row| row.try_get("id")).collect::<sqlx::Result<Vec<i64>>>()?;
        let query = self.query(&self.queries.find_lost_jobs).bind(self.now()).bind(ids);
        let Locked { mut jobs, unreadable, now } = Locked::read(&query.fetch_all(&mut *transaction).await?)?;
        let rescued: BTreeSet<ExecutorName> = jobs.iter().filter(is_lost).map(|job| job.executor.clone()).collect();
        let count = jobs.iter().filter(is_lost).count();
        if let Some(now) = now {
            for job in &mut jobs {
                if !lifecycle::expire(job, now) {
                    lifecycle::rescue(job, now);
                }
            }
        }
        let ended = self.store_states(&mut transaction, &jobs).await?;
        self.quarantine(&mut transaction, unreadable).await?;
        transaction.commit().await?;
        self.wake_on(connection, rescued).await?;
        self.tell_ends_on(connection, &ended).await?;
        Ok(Some(count))
    }

    /// Wakes nodes as [`wake`](Database::wake) does, without a connection of the pool.
    async fn wake_on(&self, connection: &mut PgConnection, executors: BTreeSet<ExecutorName>) -> sqlx::Result<()> {
        for executor in &executors {
            self.listeners.each(|wakeup| wakeup.wake(executor));
        }
        if executors.is_empty() || !self.options.listens() {
            return Ok(());
        }
        let notify = self.query(&self.queries.notify_nodes).bind(self.queries.channel.clone());
        let notify = notify.bind(payloads(NO_PROCESS, executors, BTreeSet::new()));
        self.alone(connection, async |connection| notify.execute(connection).await).await.map(drop)
    }
}

fn is_lost(job: &&JobRow) -> bool {
    job.status == JobStatus::Executing
}

fn long(duration: Duration) -> PgInterval {
    interval(TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX))
}
