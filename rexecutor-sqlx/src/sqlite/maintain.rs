//! Keeping the cluster's books.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{
        Heartbeat, Maintain, Node, Result,
        lifecycle::{self, Fate},
    },
    job::{ExecutorName, JobId, Lease, NodeId},
    pruner::{PruneRule, PruneScope, PruneSpec},
};
use sqlx::SqliteConnection;

use super::{
    SqliteBackend,
    error::failed,
    write::{change_state, commit},
};

type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl Maintain for SqliteBackend {
    fn join<'a>(&'a self, node: &'a Node) -> BoxFuture<'a, Result<NodeId>> {
        Box::pin(async move {
            let timeout = i64::try_from(node.timeout.as_micros()).unwrap_or(i64::MAX / 2);
            let query = sqlx::query_scalar(include_str!("queries/insert_node.sql")).bind(&node.label).bind(timeout);
            let mut writer = self.writer().await;
            let query = query.bind(self.now().timestamp_micros());
            query.fetch_one(writer.connection()).await.map(NodeId).map_err(failed("could not join the cluster"))
        })
    }

    fn heartbeat(&self, node: NodeId) -> BoxFuture<'_, Result<Heartbeat>> {
        Box::pin(async move {
            let mut writer = self.writer().await;
            let query = sqlx::query(include_str!("queries/renew_node.sql"));
            let query = query.bind(node.0).bind(self.now().timestamp_micros());
            let renewed = query.execute(writer.connection()).await.map_err(failed("could not send a heartbeat"))?;
            drop(writer);
            Ok(Heartbeat { member: renewed.rows_affected() > 0, cancelled: self.cancelled(Some(node)).await? })
        })
    }

    fn leave(&self, node: NodeId) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let mut writer = self.writer().await;
            let query = sqlx::query(include_str!("queries/delete_node.sql")).bind(node.0);
            query.execute(writer.connection()).await.map_err(failed("could not leave the cluster"))?;
            Ok(())
        })
    }

    fn rescue(&self) -> BoxFuture<'_, Result<usize>> {
        Box::pin(async move {
            let failed = failed("could not rescue jobs");
            let mut writer = self.writer().await;
            let mut transaction = writer.begin_lightly().await.map_err(&failed)?;
            let (count, executors) = rescue(&mut transaction, self.now()).await.map_err(&failed)?;
            commit(transaction, "could not rescue jobs").await?;
            drop(writer);
            self.ring(&executors);
            Ok(count)
        })
    }

    fn prune<'a>(&'a self, spec: &'a PruneSpec, limit: usize) -> BoxFuture<'a, Result<usize>> {
        Box::pin(async move {
            let mut writer = self.writer().await;
            let pruned = prune(writer.connection(), spec, limit, self.now()).await;
            pruned.map_err(failed("could not prune jobs"))
        })
    }
}

impl SqliteBackend {
    /// Runs of a node, or of every node, that somebody asked to cancel.
    pub(super) async fn cancelled(&self, node: Option<NodeId>) -> Result<Vec<(JobId, Lease)>> {
        let mut writer = self.writer().await;
        let query = sqlx::query_as(include_str!("queries/list_cancelled.sql")).bind(node.map(|node| node.0));
        let rows: Vec<(i64, i64)> =
            query.fetch_all(writer.connection()).await.map_err(failed("could not look for cancelled jobs"))?;
        Ok(rows.into_iter().map(|(job, lease)| (JobId::from(job), Lease(lease))).collect())
    }
}

async fn rescue(
    connection: &mut SqliteConnection,
    now: DateTime<Utc>,
) -> sqlx::Result<(usize, BTreeSet<ExecutorName>)> {
    let query = sqlx::query(include_str!("queries/delete_dead_nodes.sql")).bind(now.timestamp_micros());
    query.execute(&mut *connection).await?;
    let lost: Vec<i64> = sqlx::query_scalar(include_str!("queries/list_lost.sql")).fetch_all(&mut *connection).await?;
    let mut executors = BTreeSet::new();
    let count = lost.len();
    for id in lost {
        let rescued =
            change_state(connection, JobId::from(id), |row| (lifecycle::rescue(row, now), Fate::Keep)).await?;
        executors.extend(rescued.map(|((), job)| job.executor));
    }
    Ok((count, executors))
}

async fn prune(
    connection: &mut SqliteConnection,
    spec: &PruneSpec,
    limit: usize,
    now: DateTime<Utc>,
) -> sqlx::Result<usize> {
    // A status that is not finished has no end to count from; nothing is deleted by mistake.
    if !spec.status.is_finished() {
        return Ok(0);
    }
    let (query, bound) = match spec.rule {
        PruneRule::MaxAge(age) => {
            let Some(before) = now.checked_sub_signed(age) else { return Ok(0) };
            (include_str!("queries/prune_by_age.sql"), before.timestamp_micros())
        }
        PruneRule::MaxLength(length) => (include_str!("queries/prune_by_length.sql"), i64::from(length)),
        _ => return Ok(0),
    };
    let names =
        |names: &[ExecutorName]| serde_json::Value::from_iter(names.iter().map(ExecutorName::as_str)).to_string();
    let (only, except) = match &spec.executors {
        PruneScope::Only(executors) => (Some(names(executors)), None),
        PruneScope::Except(executors) => (None, Some(names(executors))),
        _ => (None, None),
    };
    let query = sqlx::query(query).bind(spec.status.as_str()).bind(bound);
    let query = query.bind(i64::try_from(limit).unwrap_or(i64::MAX)).bind(only).bind(except);
    let pruned = query.execute(connection).await?.rows_affected();
    Ok(usize::try_from(pruned).unwrap_or(usize::MAX))
}
