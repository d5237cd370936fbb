//! Claims of executors whose keys are served in rotation.

use std::{collections::HashMap, time::Duration};

use rexecutor::{
    backend::{
        Demand, JobRow,
        rotation::{self, MAX_STEPS, Met, Turns, WINDOW, Walk},
    },
    job::{JobId, NodeId},
};
use serde::de::DeserializeOwned;
use sqlx::Row;

use super::{
    fast_path, queries,
    row::micros,
    script::{self, Script, json},
    work::Work,
};

/// Claims due jobs of an executor, no more of each key than may run at once; also returns what the walk over its keys has met.
pub(super) async fn claim(
    work: &mut Work<'_>,
    node: NodeId,
    demand: &Demand,
    turns: Turns,
) -> Result<(Vec<JobRow>, Walk), sqlx::Error> {
    let walk = match turns {
        Turns::AtOnce(per_key) => walk(work, demand, per_key).await?,
        _ => walk_lines(work, demand).await?,
    };
    let turn = rotation::take(&walk, demand);
    if let Some(key) = turn.served {
        let store = sqlx::query(queries::store_served()).bind(demand.executor.to_string()).bind(key);
        store.execute(&mut *work.conn).await?;
    }
    let ids: Vec<JobId> = turn.jobs.into_iter().map(|(id, _)| id).collect();
    if ids.is_empty() {
        return Ok((Vec::new(), walk));
    }
    let claim = Script::default().then(queries::claim_found()).bind(node.0)?.bind(None::<&str>)?;
    work.run(claim.bind(json(&ids)?)?.bind(micros(work.now))?).await?;
    let mut jobs = fast_path::read_claimed(work, node, &ids).await?;
    jobs.sort_by_key(|job| (job.priority, job.scheduled_at, job.id));
    Ok((jobs, walk))
}

/// Whether the walk was cut short, where it has stopped then, how many jobs of a key it has read, and the jobs: of which part and
/// step of the walk, the number, the key, how much room that has, and how many bytes.
type Answer = (u8, Option<String>, usize, Vec<(u8, i64, i64, Option<String>, usize, usize)>);

async fn walk(work: &mut Work<'_>, demand: &Demand, per_key: usize) -> Result<Walk, sqlx::Error> {
    let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let script = Script::default().then(queries::walk_keys()).bind(demand.executor.to_string())?;
    let script = script.bind(micros(work.now))?.bind(number(demand.limit))?.bind(number(per_key))?;
    let answers = work.run(script.bind(number(MAX_STEPS))?.bind(number(WINDOW))?).await?;
    let (is_partial, stopped_at, share, met): Answer = answer(&answers)?;
    let mut counts: HashMap<(u8, i64), usize> = HashMap::new();
    let mut walk = Walk::default();
    (walk.is_partial, walk.stopped_at) = (is_partial != 0, stopped_at);
    for (part, step, id, key, room, bytes) in met {
        // Those without a key are all of one line, of which no more were looked at.
        let (place, most) = if part == 0 { ((0, 0), WINDOW) } else { ((part, step), share) };
        let count = counts.entry(place).or_default();
        *count += 1;
        walk.is_partial |= *count == most && most < room;
        walk.met.push(Met::new(JobId::from(id), key, room, bytes));
    }
    Ok(walk)
}

/// Whether the walk was cut short, where it has stopped then, whether nothing that runs keeps a line back, after how many
/// microseconds the next of the heads is due, and the jobs: the number, the key, how much room that has, and how many bytes.
type Lines = (u8, Option<String>, u8, Option<u64>, Vec<(i64, Option<String>, usize, usize)>);

async fn walk_lines(work: &mut Work<'_>, demand: &Demand) -> Result<Walk, sqlx::Error> {
    let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let script = Script::default().then(queries::walk_lines()).bind(demand.executor.to_string())?;
    let script = script.bind(micros(work.now))?.bind(number(demand.limit))?;
    let answers = work.run(script.bind(number(MAX_STEPS))?.bind(number(WINDOW))?).await?;
    let (is_partial, stopped_at, is_idle, next_in, met): Lines = answer(&answers)?;
    let mut walk = Walk::default();
    (walk.is_partial, walk.stopped_at, walk.is_idle) = (is_partial != 0, stopped_at, is_idle != 0);
    walk.next_in = next_in.map(Duration::from_micros);
    walk.met = met.into_iter().map(|(id, key, room, bytes)| Met::new(JobId::from(id), key, room, bytes)).collect();
    Ok(walk)
}

/// The one value in an answer, which is JSON. Unchecked: a key may be broken, whose job is quarantined once it is read.
fn answer<T: DeserializeOwned>(answers: &[script::Answer]) -> Result<T, sqlx::Error> {
    let row = answers.first().and_then(|answer| answer.rows.first()).ok_or(sqlx::Error::RowNotFound)?;
    let bytes: &[u8] = row.try_get_unchecked(0)?;
    serde_json::from_str(&String::from_utf8_lossy(bytes)).map_err(|error| sqlx::Error::Decode(error.into()))
}
