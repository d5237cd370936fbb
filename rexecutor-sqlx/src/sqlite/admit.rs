//! The step before a claim: what of the demands the cluster allows.
//!
//! An outdated node, and one that asks for jobs of executors about which something is stored, goes through it, in the
//! transaction of the claim. All others claim at once.

use std::collections::{HashMap, HashSet};

use rexecutor::{
    backend::{
        Claimed, Demand, Pause, Paused, Scope,
        admission::{self, Controls},
    },
    job::{ExecutorName, NodeId},
};
use sqlx::{Row, sqlite::SqliteRow};

use super::{
    fast_path,
    long_queues::LongQueues,
    queries,
    row::{Problem, instant_of},
    scan,
    script::json,
    work::Work,
};
use crate::common::Controlled;

/// Claims due jobs, as far as the cluster allows it.
pub(super) async fn claim(
    work: &mut Work<'_>,
    node: NodeId,
    demands: &[Demand],
    long: &mut LongQueues,
    controls: &Controlled,
) -> Result<Claimed, sqlx::Error> {
    if controls.split(demands).is_none()
        && let Some(claimed) = fast_path::claim(work, node, demands, long).await?
    {
        return Ok(claimed);
    }
    work.open().await?;
    controls.set(read_controls(work, node).await?);
    let stored = find_controls(work, demands).await?;
    let admitted = admission::admit(demands, |executor| stored.get(executor), work.now);
    // What is not admitted is not long either: else its queue would be claimed from at once, the next time.
    demands
        .iter()
        .filter(|demand| !admitted.demands.contains(demand))
        .for_each(|demand| long.note(&demand.executor, false));
    let claimed = scan::claim(work, node, &admitted.demands, long).await?;
    // This transaction has brought the node up to date, and nobody else can write meanwhile.
    let mut claimed = claimed.unwrap_or_else(|| Claimed::nothing(true));
    let again_at = admitted.again_at.filter(|_| claimed.member);
    let again_in = again_at.and_then(|at| (at - work.now).to_std().ok());
    claimed.next_due_in = claimed.next_due_in.into_iter().chain(again_in).min();
    Ok(claimed)
}

/// About which executors anything is stored. The node is up to date then.
pub(super) async fn read_controls(work: &mut Work<'_>, node: NodeId) -> Result<HashSet<ExecutorName>, sqlx::Error> {
    sqlx::query(queries::update_node()).bind(node.0).execute(&mut *work.conn).await?;
    let names: Vec<String> = sqlx::query_scalar(queries::list_controls()).fetch_all(&mut *work.conn).await?;
    Ok(names.into_iter().map(ExecutorName::from).collect())
}

async fn find_controls(
    work: &mut Work<'_>,
    demands: &[Demand],
) -> Result<HashMap<ExecutorName, Controls>, sqlx::Error> {
    let executors = json(&demands.iter().map(|demand| demand.executor.as_str()).collect::<Vec<_>>())?;
    let rows = sqlx::query(queries::find_controls()).bind(executors).fetch_all(&mut *work.conn).await?;
    let mut stored = HashMap::with_capacity(rows.len());
    for row in &rows {
        let (executor, paused) = read(row).map_err(sqlx::Error::Decode)?;
        let mut controls = Controls::default();
        controls.pause = paused.map(|paused| paused.pause);
        stored.insert(executor, controls);
    }
    Ok(stored)
}

/// Under which name a row of the controls is stored, and the pause in it, if there is one.
pub(super) fn read(row: &SqliteRow) -> Result<(ExecutorName, Option<Paused>), Problem> {
    let executor = ExecutorName::from(row.try_get::<String, _>("executor")?);
    let Some(since) = row.try_get::<Option<i64>, _>("paused_at")? else { return Ok((executor, None)) };
    let until = row.try_get::<Option<i64>, _>("paused_until")?;
    // What somebody else wrote must not keep the other executors from being claimed from: it holds until it is resumed.
    let until = until.and_then(|micros| instant_of(micros, "paused_until").ok());
    let (by, reason): (Option<String>, Option<String>) = (row.try_get("paused_by")?, row.try_get("pause_reason")?);
    let mut pause = Pause::new(reason.unwrap_or_default()).until(until);
    pause.by = by;
    let paused = Paused::new(Scope::of_name(executor.clone()), instant_of(since, "paused_at")?, pause);
    Ok((executor, Some(paused)))
}
