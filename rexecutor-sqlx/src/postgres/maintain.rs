//! Keeping the cluster's books.

use std::{collections::BTreeSet, time::Duration};

use chrono::TimeDelta;
use futures::future::BoxFuture;
use rexecutor::{
    backend::{Heartbeat, JobRow, Maintain, Node, Result, lifecycle},
    job::{ExecutorName, JobId, JobStatus, Lease, NodeId},
    pruner::PruneSpec,
};
use sqlx::{Row, postgres::types::PgInterval};

use super::{
    backend::{Database, PgBackend},
    enqueue::interval,
    migrate,
    write::Locked,
};

/// How many jobs are rescued in one transaction.
const BATCH: i64 = 500;

impl Maintain for PgBackend {
    fn join<'a>(&'a self, node: &'a Node) -> BoxFuture<'a, Result<NodeId>> {
        Box::pin(async move { self.0.limited("could not join the cluster", self.0.join(node)).await? })
    }

    fn heartbeat<'a>(&'a self, node: NodeId) -> BoxFuture<'a, Result<Heartbeat>> {
        Box::pin(self.0.limited("could not send a heartbeat", self.0.heartbeat(node)))
    }

    fn leave<'a>(&'a self, node: NodeId) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.0.limited("could not leave the cluster", self.0.leave(node)))
    }

    fn rescue<'a>(&'a self) -> BoxFuture<'a, Result<usize>> {
        Box::pin(async move {
            let mut count = self.0.limited("could not find dead nodes", self.0.expire_nodes()).await.map(|()| 0)?;
            loop {
                let rescued = self.0.limited("could not rescue jobs", self.0.rescue()).await?;
                let Some((found, executors)) = rescued else { return Ok(count) };
                count += found;
                self.0.wake(executors);
            }
        })
    }

    fn prune<'a>(&'a self, spec: &'a PruneSpec, limit: usize) -> BoxFuture<'a, Result<usize>> {
        Box::pin(self.0.prune(spec, limit))
    }
}

impl Database {
    async fn join(&self, node: &Node) -> sqlx::Result<Result<NodeId>> {
        let here = self.known_identity().await;
        let mut transaction = self.begin().await?;
        if let Err(copied) = self.check_origin(&mut transaction, here).await? {
            return Ok(Err(copied.into()));
        }
        let query = self.query(&self.queries.insert_node).bind(self.now()).bind(node.label.replace('\0', "\u{fffd}"));
        let query = query.bind(migrate::KNOWN).bind(long(node.timeout));
        let row = query.fetch_one(&mut *transaction).await?;
        transaction.commit().await?;
        let node = row.try_get("id").map(NodeId)?;
        self.read_controls(node).await?;
        Ok(Ok(node))
    }

    async fn heartbeat(&self, node: NodeId) -> sqlx::Result<Heartbeat> {
        let mut session = self.session().await?;
        let query = self.query(&self.queries.renew_node).bind(self.now()).bind(node.0);
        let rows = query.fetch_all(&mut *session).await?;
        session.end().await?;
        let mut heartbeat = if rows.is_empty() { Heartbeat::of_no_member() } else { Heartbeat::of_member() };
        for row in rows {
            let Some(id) = row.try_get::<Option<i64>, _>("id")? else { continue };
            heartbeat.add((JobId::from(id), Lease(row.try_get("lease")?)), row.try_get("is_cancelled")?);
        }
        Ok(heartbeat)
    }

    async fn leave(&self, node: NodeId) -> sqlx::Result<()> {
        let mut transaction = self.begin().await?;
        self.query(&self.queries.delete_node).bind(node.0).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Ends the membership of nodes that were silent for too long.
    async fn expire_nodes(&self) -> sqlx::Result<()> {
        let mut session = self.session().await?;
        self.query(&self.queries.delete_dead_nodes).bind(self.now()).execute(&mut *session).await?;
        session.end().await
    }

    /// Rescues a batch, and discards one of jobs whose deadline has come; `None` when there is nothing left.
    async fn rescue(&self) -> sqlx::Result<Option<(usize, BTreeSet<ExecutorName>)>> {
        // There are none as a rule, which costs a statement and no transaction.
        let mut session = self.session().await?;
        let first =
            self.query(&self.queries.lock_lost_jobs).bind(1_i64).bind(self.now()).fetch_optional(&mut *session).await?;
        session.end().await?;
        if first.is_none() {
            return Ok(None);
        }
        let mut transaction = self.begin().await?;
        let rows =
            self.query(&self.queries.lock_lost_jobs).bind(BATCH).bind(self.now()).fetch_all(&mut *transaction).await?;
        let ids = rows.iter().map(|row| row.try_get("id")).collect::<sqlx::Result<Vec<i64>>>()?;
        if ids.is_empty() {
            return Ok(None);
        }
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
        self.store_states(&mut transaction, &jobs).await?;
        self.quarantine(&mut transaction, unreadable).await?;
        transaction.commit().await?;
        Ok(Some((count, rescued)))
    }
}

fn is_lost(job: &&JobRow) -> bool {
    job.status == JobStatus::Executing
}

fn long(duration: Duration) -> PgInterval {
    interval(TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX))
}
