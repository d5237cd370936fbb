//! The step before a claim: what of the demands the cluster allows.
//!
//! An outdated node, and one that asks for jobs of executors about which something is stored, goes through it, in the
//! transaction of the claim. All others claim at once.
//!
//! # Invariant
//!
//! - Of an executor with a limit no more jobs are executing than the limit: they are counted in the transaction that claims,
//!   and nobody else can write meanwhile.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{
        Bucket, Claimed, Demand, Held, Pause, Paused, Scope,
        admission::{self, Concurrency, Controls},
        rotation::KeyRate,
    },
    job::{ExecutorName, NodeId},
};
use sqlx::{Row, sqlite::SqliteRow};

use super::{
    breakers, control, events, fast_path,
    long_queues::LongQueues,
    queries,
    rotate::{self, Round},
    row::{Problem, instant_of, micros},
    scan,
    script::{Answer, Script, json},
    tags,
    work::Work,
};
use crate::common::{Controlled, PausedTags, declared};

/// Claims due jobs, as far as the cluster allows it, and tells those who listen. `new` are those demands whose limits this node has not
/// declared yet.
pub(super) async fn claim(
    work: &mut Work<'_>,
    node: NodeId,
    demands: &[Demand],
    new: &[Demand],
    long: &mut LongQueues,
    controls: &Controlled,
) -> Result<Claimed, sqlx::Error> {
    let claimed = claim_untold(work, node, demands, new, long, controls).await?;
    claimed.jobs.iter().for_each(|job| work.tell_of(|| events::of_start(job)));
    Ok(claimed)
}

async fn claim_untold(
    work: &mut Work<'_>,
    node: NodeId,
    demands: &[Demand],
    new: &[Demand],
    long: &mut LongQueues,
    controls: &Controlled,
) -> Result<Claimed, sqlx::Error> {
    if controls.split(node, demands).is_none()
        && let Some(claimed) = fast_path::claim(work, node, demands, long).await?
    {
        return Ok(claimed);
    }
    work.open().await?;
    declare(work, node, new).await?;
    let (stored, tags) = read_all(work, node, demands, controls).await?;
    let admitted = admission::admit(demands, |executor| stored.get(executor), work.now);
    // The tokens are taken in this transaction, too.
    work.stay_open();
    // What is not admitted is not long either: else its queue would be claimed from at once, the next time.
    demands
        .iter()
        .filter(|demand| !admitted.demands.contains(demand))
        .for_each(|demand| long.note(&demand.executor, false));
    let (plain, rotating) = admitted.split();
    let claimed = scan::claim(work, node, &plain, long).await?;
    // This transaction has brought the node up to date, and nobody else can write meanwhile.
    let mut claimed = claimed.unwrap_or_else(|| Claimed::nothing(true));
    let again_at = admitted.again_at.into_iter().chain(tags.again_at).min();
    let mut round = Round { again_at, ..Round::default() };
    for (demand, terms) in rotating.iter().filter(|_| claimed.member) {
        claimed.jobs.extend(rotate::claim(work, node, demand, terms, &mut round).await?);
    }
    let mut short = std::mem::take(&mut round.short);
    let mut sharing = admitted.sharing(work.now);
    while let Some((demand, terms)) = sharing.next_demand().filter(|_| claimed.member) {
        round.stopped = None;
        let jobs = match &terms {
            Some(terms) => rotate::claim(work, node, &demand, terms, &mut round).await?,
            None => {
                let part = scan::claim(work, node, std::slice::from_ref(&demand), long).await?;
                let part = part.unwrap_or_else(|| Claimed::nothing(true));
                claimed.next_due_in = claimed.next_due_in.into_iter().chain(part.next_due_in).min();
                part.jobs
            }
        };
        sharing.took(&jobs, round.stopped);
        claimed.jobs.extend(jobs);
    }
    short.extend(sharing.short());
    let Round { mut full, again_at, .. } = round;
    for (limit, executor) in sharing.served() {
        let store = sqlx::query(queries::store_served()).bind(limit.to_string()).bind(executor);
        store.execute(&mut *work.conn).await?;
    }
    // Those of the others are in this order already.
    claimed.jobs.sort_by_key(|job| demands.iter().position(|demand| demand.executor == job.executor));
    let is_again = tags::set_aside(work, &tags, &mut claimed.jobs).await? || tags.has_over;
    breakers::mark_trials(work, &admitted.trials(&mut claimed.jobs)).await?;
    for (executor, bucket) in admitted.spent(&claimed.jobs, work.now) {
        let store = sqlx::query(queries::store_tokens()).bind(executor.to_string()).bind(bucket.full_at);
        store.execute(&mut *work.conn).await?;
    }
    full.extend(admitted.full(&claimed.jobs, &short, work.now));
    let (held, next) = find_held(work, node, full).await?;
    claimed.held = held;
    let again_at = again_at.into_iter().chain(next).min().filter(|_| claimed.member);
    let again_in = again_at.and_then(|at| (at - work.now).to_std().ok());
    claimed.next_due_in = claimed.next_due_in.into_iter().chain(again_in).min();
    if is_again {
        // There may be others in the place of those that were set aside, or more that are due again.
        claimed.next_due_in = Some(Duration::ZERO);
    }
    Ok(claimed)
}

/// Stores what a node declares. Every node must read it before it claims anything.
async fn declare(work: &mut Work<'_>, node: NodeId, new: &[Demand]) -> Result<(), sqlx::Error> {
    for (name, one) in declared(new) {
        let (interval, burst) = one.rate.unzip();
        let declare = sqlx::query(queries::declare_limit()).bind(node.0).bind(name).bind(one.most).bind(interval);
        let declare = declare.bind(burst).bind(one.per_key).bind(one.is_ordered).bind(one.shared);
        let (interval, burst) = one.key_rate.unzip();
        let declare = declare.bind(interval).bind(burst).bind(one.weighs).bind(one.aging);
        declare.execute(&mut *work.conn).await?;
    }
    if !new.is_empty() {
        control::outdate_nodes(work).await?;
    }
    Ok(())
}

/// Learns about which executors anything is stored. The node is up to date then.
pub(super) async fn read_controls(work: &mut Work<'_>, node: NodeId, controls: &Controlled) -> Result<(), sqlx::Error> {
    let script = Script::default().then(queries::update_node()).then(queries::list_controls());
    let script = script.then(queries::find_node_pause()).bind(node.0)?.bind(micros(work.now))?;
    let answers = work.run(script).await?;
    note_controls(answers.get(1), controls)?;
    note_pause(answers.get(2), node, controls).map(drop)
}

/// Notes whether the node's label is paused; gives the pause.
fn note_pause(answer: Option<&Answer>, node: NodeId, controls: &Controlled) -> Result<Option<Pause>, sqlx::Error> {
    let row = answer.and_then(|answer| answer.rows.first());
    let paused = row.map_or(Ok(None), |row| read(row).map(|(_, paused)| paused)).map_err(sqlx::Error::Decode)?;
    controls.set_paused(node, paused.is_some());
    Ok(paused.map(|paused| paused.pause))
}

/// The same, and what is stored about the executors that are asked for.
async fn read_all(
    work: &mut Work<'_>,
    node: NodeId,
    demands: &[Demand],
    controls: &Controlled,
) -> Result<(HashMap<ExecutorName, Controls>, PausedTags), sqlx::Error> {
    let executors: Vec<&str> = demands.iter().map(|demand| demand.executor.as_str()).collect();
    let script = Script::default().then(queries::update_node()).then(queries::list_controls());
    let script = script.then(queries::find_controls()).then(queries::find_node_pause());
    let script = script.then(queries::find_paused_tags());
    let answers = work.run(script.bind(node.0)?.bind(micros(work.now))?.bind(json(&executors)?)?).await?;
    note_controls(answers.get(1), controls)?;
    let mut stored = HashMap::new();
    for row in answers.get(2).into_iter().flat_map(|answer| &answer.rows) {
        let (executor, paused) = read(row).map_err(sqlx::Error::Decode)?;
        let mut controls = Controls::default();
        controls.pause = paused.map(|paused| paused.pause);
        let number = |name: &str| row.try_get::<Option<i64>, _>(name);
        let count = |number: i64| usize::try_from(number).unwrap_or_default();
        let running = number("max_running")?.zip(number("running")?);
        controls.per_key = number("max_per_key")?.map(count);
        let key_rate = number("key_rate_interval")?.zip(number("key_rate_burst")?);
        controls.key_rate = key_rate.map(|(interval, burst)| KeyRate::new(interval, burst));
        controls.breaker = breakers::held(row)?;
        controls.weighs = row.try_get("weighs")?;
        controls.aging = number("aging")?.map(|micros| Duration::from_micros(micros.unsigned_abs()));
        controls.ordered = row.try_get("is_ordered")?;
        controls.concurrency = running.map(|(limit, running)| Concurrency::new(count(running), count(limit)));
        let full_at = number("full_at")?;
        let rate = number("rate_interval")?.zip(number("rate_burst")?);
        controls.bucket = rate.map(|(interval, burst)| Bucket::new(interval, burst, full_at));
        // What somebody else wrote must not keep the other executors from being claimed from.
        let throttled = number("throttled_until")?;
        controls.throttled_until = throttled.and_then(|micros| instant_of(micros, "throttled_until").ok());
        let shared: Option<&str> = row.try_get("shared")?;
        let shared: Option<Vec<String>> = shared.and_then(|names| serde_json::from_str(names).ok());
        controls.shared = shared.into_iter().flatten().map(ExecutorName::from).collect();
        controls.served = row.try_get("served_key")?;
        stored.insert(executor, controls);
    }
    if let Some(pause) = note_pause(answers.get(3), node, controls)? {
        stored.entry(Scope::CLUSTER_NAME).or_default().also_paused(pause, work.now);
    }
    let tags = tags::heed(work, answers.get(4)).await?;
    Ok((stored, tags))
}

fn note_controls(answer: Option<&Answer>, controls: &Controlled) -> Result<(), sqlx::Error> {
    let known = |row: &SqliteRow| Ok((row.try_get::<String, _>(0)?.into(), row.try_get(1)?));
    controls.set(answer.into_iter().flat_map(|answer| &answer.rows).map(known).collect::<Result<_, sqlx::Error>>()?);
    Ok(())
}

/// Which of these have due jobs, and when the first of the others has one.
async fn find_held(
    work: &mut Work<'_>,
    node: NodeId,
    full: Vec<Held>,
) -> Result<(Vec<Held>, Option<DateTime<Utc>>), sqlx::Error> {
    let (mut held, mut next) = (Vec::new(), None);
    if full.is_empty() {
        return Ok((held, next));
    }
    let executors: Vec<ExecutorName> = full.iter().map(|held| held.executor.clone()).collect();
    let firsts = scan::first_due(work, node, &executors).await?;
    for (one, first) in full.into_iter().zip(firsts) {
        match first.map(|first| instant_of(first, "scheduled_at")) {
            Some(Ok(at)) if at <= work.now => held.push(one),
            Some(Ok(at)) => next = next.into_iter().chain(Some(at)).min(),
            // One that is due at no instant that there is comes to nothing here; its claim tells.
            Some(Err(_)) | None => {}
        }
    }
    Ok((held, next))
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
    let text = |column: &str| row.try_get::<Option<String>, _>(column).unwrap_or_default();
    let scope = match (text("label"), text("tag")) {
        (Some(label), _) => Scope::Node(label),
        (None, Some(tag)) => Scope::Tag(tag),
        (None, None) => Scope::of_name(executor.clone()),
    };
    let paused = Paused::new(scope, instant_of(since, "paused_at")?, pause);
    Ok((executor, Some(paused)))
}
