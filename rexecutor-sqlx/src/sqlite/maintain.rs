//! Keeping the cluster's books.

use futures::future::BoxFuture;
use rexecutor::{
    TimeDelta,
    backend::{Heartbeat, Maintain, Node, Result, lifecycle},
    job::{JobId, Lease, NodeId},
    limits::MAX_DELAY,
    pruner::PruneSpec,
};

use super::{SqliteBackend, prune, row::micros, states, work::Work, writer::Commit};

impl Maintain for SqliteBackend {
    fn join<'a>(&'a self, node: &'a Node) -> BoxFuture<'a, Result<NodeId>> {
        let label = node.label.clone();
        let timeout = TimeDelta::from_std(node.timeout).unwrap_or(MAX_DELAY).min(MAX_DELAY);
        let timeout = timeout.num_microseconds().unwrap_or(i64::MAX / 2);
        let step = async move |work: &mut Work<'_>| {
            let insert = sqlx::query(include_str!("queries/insert_node.sql")).bind(label).bind(timeout);
            let inserted = insert.bind(micros(work.now)).execute(&mut *work.conn).await?;
            Ok(NodeId(inserted.last_insert_rowid()))
        };
        Box::pin(self.0.writer.write(Commit::Promise, step))
    }

    fn heartbeat(&self, node: NodeId) -> BoxFuture<'_, Result<Heartbeat>> {
        let step = async move |work: &mut Work<'_>| {
            let touch = sqlx::query(include_str!("queries/touch_node.sql")).bind(node.0).bind(micros(work.now));
            if touch.execute(&mut *work.conn).await?.rows_affected() == 0 {
                return Ok(Heartbeat { member: false, runs: Vec::new(), cancelled: Vec::new() });
            }
            let find = sqlx::query_as(include_str!("queries/find_runs.sql")).bind(node.0);
            let rows: Vec<(i64, i64, bool)> = find.fetch_all(&mut *work.conn).await?;
            let run = |(id, lease, _): &(i64, i64, bool)| (JobId::from(*id), Lease(*lease));
            let cancelled = rows.iter().filter(|(.., is_cancelled)| *is_cancelled).map(run).collect();
            Ok(Heartbeat { member: true, runs: rows.iter().map(run).collect(), cancelled })
        };
        Box::pin(self.0.writer.write(Commit::Progress, step))
    }

    fn leave(&self, node: NodeId) -> BoxFuture<'_, Result<()>> {
        let step = async move |work: &mut Work<'_>| {
            sqlx::query(include_str!("queries/delete_node.sql")).bind(node.0).execute(&mut *work.conn).await?;
            Ok(())
        };
        Box::pin(self.0.writer.write(Commit::Progress, step))
    }

    fn rescue(&self) -> BoxFuture<'_, Result<usize>> {
        let step = async |work: &mut Work<'_>| {
            let delete = sqlx::query(include_str!("queries/delete_silent_nodes.sql")).bind(micros(work.now));
            delete.execute(&mut *work.conn).await?;
            let mut lost = states::find_lost(work).await?;
            for job in &mut lost {
                lifecycle::rescue(job, work.now);
            }
            if !lost.is_empty() {
                states::save(work, &lost).await?;
            }
            work.due.extend(lost.iter().map(|job| job.executor.clone()));
            Ok(lost.len())
        };
        Box::pin(self.0.writer.write(Commit::Progress, step))
    }

    fn prune<'a>(&'a self, spec: &'a PruneSpec, limit: usize) -> BoxFuture<'a, Result<usize>> {
        let spec = spec.clone();
        let step = async move |work: &mut Work<'_>| prune::prune(work, &spec, limit).await;
        Box::pin(self.0.writer.write(Commit::Progress, step))
    }
}
