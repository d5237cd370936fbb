//! Claims of executors whose jobs are taken one by one.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{
        Bucket, Demand, Held, JobRow,
        rotation::{self, After, KeyBucket, MAX_STEPS, Met, Stopped, Terms, Turns, WINDOW, Walk},
    },
    job::{ExecutorName, JobId, NodeId},
};
use serde::de::DeserializeOwned;
use sqlx::Row;

use super::{
    fast_path, queries,
    row::micros,
    script::{self, Script, json},
    work::Work,
};
use crate::common::{aging_micros, instant_of_nanos, nanos};

/// What claims say beside the jobs.
#[derive(Default)]
pub(super) struct Round {
    /// Whose due jobs are kept back.
    pub(super) full: Vec<Held>,
    /// When there may be more.
    pub(super) again_at: Option<DateTime<Utc>>,
    /// Those that had too few tokens for the next job, which has this weight.
    pub(super) short: BTreeMap<ExecutorName, u32>,
    /// By what the last one was stopped, if it was.
    pub(super) stopped: Option<Stopped>,
}

/// Claims due jobs of an executor on these terms.
pub(super) async fn claim(
    work: &mut Work<'_>,
    node: NodeId,
    demand: &Demand,
    terms: &Terms,
    round: &mut Round,
) -> Result<Vec<JobRow>, sqlx::Error> {
    let walk = match terms.turns {
        Turns::AtOnce(per_key) => walk(work, demand, terms, per_key).await?,
        Turns::InOrder => walk_lines(work, demand, terms).await?,
        _ => walk_queue(work, demand, terms).await?,
    };
    let turn = rotation::take(&walk, demand, terms, work.now);
    if let Some(key) = &turn.served {
        let store = sqlx::query(queries::store_served()).bind(demand.executor.to_string()).bind(key.clone());
        store.execute(&mut *work.conn).await?;
    }
    store_key_tokens(work, demand, terms, &turn.spent).await?;
    let ids: Vec<JobId> = turn.jobs.iter().map(|(id, _)| *id).collect();
    let mut jobs = Vec::new();
    if !ids.is_empty() {
        let claim = Script::default().then(queries::claim_found()).bind(node.0)?.bind(None::<&str>)?;
        work.run(claim.bind(json(&ids)?)?.bind(micros(work.now))?).await?;
        jobs = fast_path::read_claimed(work, node, &ids).await?;
        jobs.sort_by_key(|job| (job.priority, job.scheduled_at, job.id));
    }
    let next_at = rotation::next_at(&walk, terms, &turn, work.now);
    round.again_at = round.again_at.into_iter().chain(next_at).min();
    round.stopped = turn.stopped;
    if let Some(Stopped::ByTokens(weight)) = turn.stopped {
        round.short.insert(demand.executor.clone(), weight);
    }
    match rotation::after(&walk, demand, terms, &turn, jobs.len()) {
        After::Again => round.again_at = Some(work.now),
        After::Held(held) => round.full.push(held),
        _ => {}
    }
    Ok(jobs)
}

/// Takes tokens out of the buckets of keys, if they have any.
async fn store_key_tokens(
    work: &mut Work<'_>,
    demand: &Demand,
    terms: &Terms,
    spent: &[(String, i64)],
) -> Result<(), sqlx::Error> {
    let Some(rate) = terms.key_rate else { return Ok(()) };
    let executor = demand.executor.to_string();
    let empty = Bucket::new(rate.interval, rate.burst, Some(i64::MAX)).at_least_empty(work.now);
    let settle = sqlx::query(queries::settle_key_tokens()).bind(executor.clone()).bind(empty.full_at);
    settle.execute(&mut *work.conn).await?;
    let delete = sqlx::query(queries::delete_key_tokens()).bind(executor.clone()).bind(nanos(work.now));
    delete.execute(&mut *work.conn).await?;
    for (key, full_at) in spent {
        let store = sqlx::query(queries::store_key_tokens()).bind(executor.clone()).bind(key.clone()).bind(*full_at);
        store.execute(&mut *work.conn).await?;
    }
    Ok(())
}

/// A job that a walk over keys has met: of which part and step of it, the number, the key, how much room that has, how many bytes, how
/// many tokens it costs, and what is kept of the key's rate.
type Keyed = (u8, i64, i64, Option<String>, usize, usize, u32, Option<i64>, Option<i64>);

/// Whether the walk was cut short, where it has stopped then, how many jobs of a key it has read, and the jobs; whether nothing that runs
/// keeps a key back, and after how many microseconds one of them is due.
type Answer = (u8, Option<String>, usize, Vec<Keyed>, u8, Option<i64>);

async fn walk(work: &mut Work<'_>, demand: &Demand, terms: &Terms, per_key: usize) -> Result<Walk, sqlx::Error> {
    let sql = if terms.key_rate.is_some() { queries::walk_rated_keys() } else { queries::walk_keys() };
    let script = Script::default().then(sql).bind(demand.executor.to_string())?;
    let script = script.bind(micros(work.now))?.bind(number(demand.limit))?.bind(number(per_key))?;
    let mut script = script.bind(number(MAX_STEPS))?.bind(number(WINDOW))?;
    if let Some(rate) = terms.key_rate {
        script = script.bind(rate.interval)?.bind(rate.burst)?;
    }
    let (is_partial, stopped_at, share, met, is_idle, next_in): Answer = answer(&work.run(script).await?)?;
    let mut counts: HashMap<(u8, i64), usize> = HashMap::new();
    let mut walk = Walk::default();
    (walk.is_partial, walk.stopped_at) = (is_partial != 0, stopped_at);
    if terms.key_rate.is_some() {
        (walk.is_idle, walk.next_in) = (is_idle != 0, next_in.map(duration));
    }
    for (part, step, id, key, room, bytes, weight, full_at, held_until) in met {
        // Those without a key are all of one line, of which no more were looked at.
        let (place, most) = if part == 0 { ((0, 0), WINDOW) } else { ((part, step), share) };
        let count = counts.entry(place).or_default();
        *count += 1;
        walk.is_partial |= *count == most && most < room;
        note(&mut walk, key.as_deref(), full_at, held_until);
        walk.met.push(Met::new(JobId::from(id), key, room, bytes).with_weight(weight));
    }
    Ok(walk)
}

/// Whether the walk was cut short, where it has stopped then, whether nothing that runs keeps a line back, after how many
/// microseconds the next of the heads is due, and the jobs: the number, the key, how much room that has, how many bytes, how many tokens
/// it costs, and what is kept of the key's rate.
type Lines = (u8, Option<String>, u8, Option<i64>, Vec<InLine>);

type InLine = (i64, Option<String>, usize, usize, u32, Option<i64>, Option<i64>);

async fn walk_lines(work: &mut Work<'_>, demand: &Demand, terms: &Terms) -> Result<Walk, sqlx::Error> {
    let sql = if terms.key_rate.is_some() { queries::walk_rated_lines() } else { queries::walk_lines() };
    let script = Script::default().then(sql).bind(demand.executor.to_string())?;
    let script = script.bind(micros(work.now))?.bind(number(demand.limit))?;
    let mut script = script.bind(number(MAX_STEPS))?.bind(number(WINDOW))?;
    if let Some(rate) = terms.key_rate {
        script = script.bind(rate.interval)?.bind(rate.burst)?;
    }
    let (is_partial, stopped_at, is_idle, next_in, met): Lines = answer(&work.run(script).await?)?;
    let mut walk = Walk::default();
    (walk.is_partial, walk.stopped_at, walk.is_idle) = (is_partial != 0, stopped_at, is_idle != 0);
    walk.next_in = next_in.map(duration);
    for (id, key, room, bytes, weight, full_at, held_until) in met {
        note(&mut walk, key.as_deref(), full_at, held_until);
        walk.met.push(Met::new(JobId::from(id), key, room, bytes).with_weight(weight));
    }
    Ok(walk)
}

/// Looks at the head of an executor's queue: the number of each job, its key, how many bytes it has, and how many tokens it costs.
async fn walk_queue(work: &mut Work<'_>, demand: &Demand, terms: &Terms) -> Result<Walk, sqlx::Error> {
    let script = Script::default().then(queries::walk_queue()).bind(demand.executor.to_string())?;
    let aging = terms.aging.map(aging_micros);
    let script = script.bind(micros(work.now))?.bind(number(demand.limit))?.bind(number(MAX_STEPS))?.bind(aging)?;
    let met: Vec<(i64, Option<String>, usize, u32)> = answer(&work.run(script).await?)?;
    let met = met
        .into_iter()
        .map(|(id, key, bytes, weight)| Met::new(JobId::from(id), key, usize::MAX, bytes).with_weight(weight));
    let mut walk = Walk::default();
    walk.met = met.collect();
    Ok(walk)
}

/// Notes what is kept of a key's rate, if anything is.
fn note(walk: &mut Walk, key: Option<&str>, full_at: Option<i64>, held_until: Option<i64>) {
    if let Some(key) = key.filter(|_| full_at.is_some()) {
        walk.keys.insert(key.to_owned(), KeyBucket::new(full_at, held_until.and_then(instant_of_nanos)));
    }
}

fn number(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn duration(micros: i64) -> Duration {
    Duration::from_micros(micros.try_into().unwrap_or_default())
}

/// The one value in an answer, which is JSON. Unchecked: a key may be broken, whose job is quarantined once it is read.
fn answer<T: DeserializeOwned>(answers: &[script::Answer]) -> Result<T, sqlx::Error> {
    let row = answers.first().and_then(|answer| answer.rows.first()).ok_or(sqlx::Error::RowNotFound)?;
    let bytes: &[u8] = row.try_get_unchecked(0)?;
    serde_json::from_str(&String::from_utf8_lossy(bytes)).map_err(|error| sqlx::Error::Decode(error.into()))
}
