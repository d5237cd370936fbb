//! Keeping the cluster's books.

use std::time::Duration;

use futures::future::BoxFuture;
use rexecutor::{
    TimeDelta,
    backend::{Heartbeat, Maintain, Member, Node, Result, flows::FlowEnds, lifecycle},
    job::{ExecutorName, JobId, Lease, NodeId},
    limits::MAX_DELAY,
    pruner::PruneSpec,
};

use super::{
    admit,
    backend::SqliteBackend,
    control,
    core::{Commit, Core},
    flows, migrate, queries,
    row::micros,
    script,
    work::Work,
    write,
};

impl Maintain for SqliteBackend {
    fn join<'a>(&'a self, node: &'a Node) -> BoxFuture<'a, Result<NodeId>> {
        let (label, about) = (node.label.clone(), node.about.encode());
        let timeout = TimeDelta::from_std(node.timeout).unwrap_or(MAX_DELAY).min(MAX_DELAY);
        let timeout = timeout.num_microseconds().unwrap_or(i64::MAX / 2);
        let step = async move |core: &mut Core| {
            let controls = std::mem::take(&mut core.controls);
            let join = async |work: &mut Work<'_>| {
                // It waits for another process's lock, which no other statement does.
                work.open().await?;
                let insert = sqlx::query(queries::insert_node()).bind(label).bind(migrate::KNOWN).bind(timeout);
                let inserted = insert.bind(micros(work.now)).bind(about).execute(&mut *work.conn).await?;
                let node = NodeId(inserted.last_insert_rowid());
                let known = sqlx::query_scalar(queries::find_latest_clock()).bind(micros(work.now));
                let before = known.fetch_one(&mut *work.conn).await?;
                set_back(work, before).await?;
                admit::read_controls(work, node, &controls).await?;
                Ok(node)
            };
            let joined = core.transact(Commit::Promise, join).await;
            core.controls = controls;
            core.nodes.extend(joined.as_ref().ok());
            joined
        };
        Box::pin(self.0.writer.run_at_once(step))
    }

    fn heartbeat<'a>(&'a self, node: NodeId) -> BoxFuture<'a, Result<Heartbeat>> {
        let renew = async move |work: &mut Work<'_>| {
            work.open().await?;
            let seen = sqlx::query_scalar(queries::find_seen()).bind(node.0);
            let before: Option<i64> = seen.fetch_optional(&mut *work.conn).await?;
            let renew = sqlx::query(queries::renew_node()).bind(node.0).bind(micros(work.now));
            if renew.execute(&mut *work.conn).await?.rows_affected() == 0 {
                return Ok(Heartbeat::of_no_member());
            }
            if let Some(before) = before {
                set_back(work, before).await?;
            }
            let find = sqlx::query_as(queries::find_runs()).bind(node.0);
            let rows: Vec<(i64, i64, bool)> = find.fetch_all(&mut *work.conn).await?;
            let mut heartbeat = Heartbeat::of_member();
            rows.into_iter().for_each(|(id, lease, is_cancelled)| {
                heartbeat.add((JobId::from(id), Lease(lease)), is_cancelled);
            });
            let others = sqlx::query_as(queries::list_members()).bind(node.0);
            let others: Vec<(i64, i64, i64)> = others.fetch_all(&mut *work.conn).await?;
            let member = |(id, beats, timeout): (i64, i64, i64)| {
                Member::new(NodeId(id), beats, Duration::from_micros(timeout.try_into().unwrap_or_default()))
            };
            heartbeat.others = others.into_iter().map(member).collect();
            Ok(heartbeat)
        };
        let step = async move |core: &mut Core| {
            let heartbeat = core.transact(Commit::Progress, renew).await?;
            if !heartbeat.member {
                core.nodes.remove(&node);
            }
            Ok(heartbeat)
        };
        Box::pin(self.0.writer.run_at_once(step))
    }

    fn leave<'a>(&'a self, node: NodeId) -> BoxFuture<'a, Result<()>> {
        let delete = async move |work: &mut Work<'_>| {
            work.open().await?;
            sqlx::query(queries::delete_node()).bind(node.0).execute(&mut *work.conn).await.map(drop)
        };
        let step = async move |core: &mut Core| {
            core.nodes.remove(&node);
            core.transact(Commit::Progress, delete).await
        };
        Box::pin(async move {
            self.0.writer.run_at_once(step).await?;
            self.0.writer.rest().await;
            Ok(())
        })
    }

    fn rescue<'a>(&'a self, dead: &'a [Member]) -> BoxFuture<'a, Result<usize>> {
        let dead: Vec<(i64, i64)> = dead.iter().map(|member| (member.node.0, member.beats)).collect();
        let step = async move |work: &mut Work<'_>| {
            if !dead.is_empty() {
                let delete = sqlx::query(queries::delete_dead_nodes()).bind(script::json(&dead)?);
                delete.execute(&mut *work.conn).await?;
            }
            let mut count = 0;
            for _ in 0..BATCHES {
                let (found, rescued) = rescue(work).await?;
                count += rescued;
                if found == 0 || rescued > 0 {
                    break;
                }
            }
            Ok(count)
        };
        Box::pin(self.0.writer.write_at_once(Commit::Progress, step))
    }

    fn prune<'a>(&'a self, spec: &'a PruneSpec, limit: usize) -> BoxFuture<'a, Result<usize>> {
        Box::pin(self.0.prune(spec, limit))
    }
}

const SET_BACK_MICROS: i64 = lifecycle::SET_BACK.num_seconds() * 1_000_000;

/// The clock showed `before` a while ago: if it was set back since, jobs are moved with it, and what holds executors back.
async fn set_back(work: &mut Work<'_>, before: i64) -> Result<(), sqlx::Error> {
    if before.saturating_sub(micros(work.now)) <= SET_BACK_MICROS {
        return Ok(());
    }
    tracing::warn!(now = %work.now, "the clock was set back: jobs that were due stay so");
    let query = sqlx::query_scalar(queries::set_back_jobs()).bind(micros(work.now)).bind(before);
    let executors: Vec<String> = query.fetch_all(&mut *work.conn).await?;
    work.due.extend(executors.into_iter().map(ExecutorName::from));
    let throttles = sqlx::query_scalar(queries::set_back_throttles()).bind(micros(work.now)).bind(before);
    let mut executors: Vec<String> = throttles.fetch_all(&mut *work.conn).await?;
    let keys = sqlx::query_scalar(queries::set_back_key_throttles()).bind(micros(work.now)).bind(before);
    let breakers = sqlx::query_scalar(queries::set_back_breakers()).bind(micros(work.now)).bind(before);
    executors.extend(breakers.fetch_all(&mut *work.conn).await?);
    executors.extend(keys.fetch_all(&mut *work.conn).await?);
    if !executors.is_empty() {
        control::outdate_nodes(work).await?;
        work.due.extend(executors.into_iter().map(ExecutorName::from));
    }
    Ok(())
}

/// How many batches, at most, a call takes of jobs whose deadline has come.
const BATCHES: usize = 20;

/// Rescues a batch, and discards those of it whose deadline has come; returns how many rows there were, and how many of them
/// were rescued.
async fn rescue(work: &mut Work<'_>) -> Result<(usize, usize), sqlx::Error> {
    let (found, mut lost) = write::lock_lost(work).await?;
    let mut rescued = 0;
    for job in &mut lost {
        if !lifecycle::expire(job, work.now) {
            lifecycle::rescue(job, work.now);
            // It waits now, and its deadline may have come.
            lifecycle::expire(job, work.now);
            work.due.insert(job.executor.clone());
            rescued += 1;
        }
    }
    if !lost.is_empty() {
        write::store_states(work, &lost).await?;
        flows::advance_if_any(work, FlowEnds::of(&lost)).await?;
    }
    Ok((found, rescued))
}
