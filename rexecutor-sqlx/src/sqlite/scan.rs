//! What a claim takes: of each executor the jobs that are due, by priority, due time and number, as many as are asked for.
//!
//! However many executors and jobs there are, it takes few hand-overs to the connection's thread: one finds the
//! priorities, one or more find the jobs, and the last marks all of them and commits.

use std::time::Duration;

use rexecutor::{
    backend::{Claimed, Demand, JobRow},
    job::{ExecutorName, JobId, NodeId},
};
use sqlx::Row;

use super::{
    due_rows,
    error::is_too_big,
    long_queues::LongQueues,
    queries, read,
    row::micros,
    script::{Answer, Script, json},
    work::Work,
    write,
};

/// One priority of an executor.
#[derive(Debug, Clone, Copy)]
struct Level {
    /// The place of its demand.
    place: usize,
    priority: i64,
    first_due_at: i64,
}

/// What is asked of a level.
#[derive(Debug, Clone, Copy)]
struct Ask<'s> {
    place: usize,
    executor: &'s ExecutorName,
    priority: i64,
    limit: usize,
}

/// Claims due jobs; `None`: the node must read the controls first.
pub(super) async fn claim(
    work: &mut Work<'_>,
    node: NodeId,
    demands: &[Demand],
    long: &mut LongQueues,
) -> Result<Option<Claimed>, sqlx::Error> {
    let script = find_levels(Script::default().then(queries::find_node()), node, demands)?;
    // Most claims that find nothing due are over with this, and need no transaction.
    let answers = work.look(script).await?;
    let Some(found) = answers.first().and_then(|answer| answer.rows.first()) else {
        return Ok(Some(Claimed::nothing(false)));
    };
    if found.try_get(0)? {
        return Ok(None);
    }
    let mut claimed = Claimed::nothing(true);
    let mut levels = read_levels(answers.last())?;
    work.look_at_the_clock();
    let mut free: Vec<usize> = demands.iter().map(|demand| demand.limit).collect();
    let mut found = Vec::new();
    claimed.jobs = take(work, node, demands, &levels, &mut free, &mut found).await?;
    note(long, demands, &levels, &free, &claimed.jobs);
    if !claimed.jobs.is_empty() {
        let mark = Script::default().then(queries::claim_found());
        let is_full = free.iter().all(|free| *free == 0);
        let mark = if is_full { mark.bind(node.0)?.bind(None::<&str>)? } else { find_levels(mark, node, demands)? };
        let answers = work.finish(mark.bind(json(&found)?)?.bind(micros(work.now))?).await?;
        levels = if is_full { Vec::new() } else { read_levels(answers.last())? };
    }
    // Who has no free demand has no use for another job.
    let next = levels.iter().filter(|level| free.get(level.place).is_some_and(|free| *free > 0));
    let now = micros(work.now);
    let until = |at: i64| Duration::from_micros(u64::try_from(at.saturating_sub(now)).unwrap_or_default());
    claimed.next_due_in = next.map(|level| level.first_due_at).min().map(until);
    Ok(Some(claimed))
}

/// When the first waiting job of each of these executors is due, or was, in microseconds; `None`: it has none.
pub(super) async fn first_due(
    work: &mut Work<'_>,
    node: NodeId,
    executors: &[ExecutorName],
) -> Result<Vec<Option<i64>>, sqlx::Error> {
    let demands: Vec<Demand> = executors.iter().map(|executor| Demand::new(executor.clone(), 0)).collect();
    let answers = work.look(find_levels(Script::default(), node, &demands)?).await?;
    let mut first: Vec<Option<i64>> = vec![None; executors.len()];
    for level in read_levels(answers.last())? {
        if let Some(first) = first.get_mut(level.place) {
            *first = Some(first.map_or(level.first_due_at, |known| known.min(level.first_due_at)));
        }
    }
    Ok(first)
}

/// Notes which queues are longer than what was taken of their first priority.
fn note(long: &mut LongQueues, demands: &[Demand], levels: &[Level], free: &[usize], jobs: &[JobRow]) {
    let mut first = vec![None; demands.len()];
    for level in levels.iter().rev() {
        if let Some(first) = first.get_mut(level.place) {
            *first = Some(level.priority);
        }
    }
    for ((demand, free), first) in demands.iter().zip(free).zip(first) {
        let last = jobs.iter().rev().find(|job| job.executor == demand.executor);
        long.note(&demand.executor, *free == 0 && last.map(|job| i64::from(job.priority)) == first);
    }
}

/// Adds the statement that finds the priorities of these executors, and the arguments that a claim's statements share.
fn find_levels(script: Script, node: NodeId, demands: &[Demand]) -> Result<Script, sqlx::Error> {
    let executors: Vec<&str> = demands.iter().map(|demand| demand.executor.as_str()).collect();
    script.then(queries::find_levels()).bind(node.0)?.bind(json(&executors)?)
}

fn read_levels(answer: Option<&Answer>) -> Result<Vec<Level>, sqlx::Error> {
    let level = |row| -> Result<_, sqlx::Error> {
        let row: &sqlx::sqlite::SqliteRow = row;
        let place = usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or(usize::MAX);
        Ok(Level { place, priority: row.try_get(1)?, first_due_at: row.try_get(2)? })
    };
    answer.into_iter().flat_map(|answer| &answer.rows).map(level).collect()
}

/// Takes from one priority of each executor after the other, as long as there is room; `found` are the numbers of those
/// which are still to be marked as claimed.
async fn take(
    work: &mut Work<'_>,
    node: NodeId,
    demands: &[Demand],
    levels: &[Level],
    free: &mut [usize],
    found: &mut Vec<JobId>,
) -> Result<Vec<JobRow>, sqlx::Error> {
    let now = micros(work.now);
    let mut due: Vec<Level> = levels.iter().filter(|level| level.first_due_at <= now).copied().collect();
    // Of each executor.
    let mut jobs = vec![Vec::new(); demands.len()];
    while !due.is_empty() {
        // How much room a later one of the same executor has shows once the first is looked at.
        let mut place = None;
        let (first, later) = due.into_iter().partition(|level| place.replace(level.place) != Some(level.place));
        let first: Vec<Level> = first;
        let ask = |level: &Level| {
            let (demand, free) = (demands.get(level.place)?, *free.get(level.place)?);
            let ask = Ask { place: level.place, executor: &demand.executor, priority: level.priority, limit: free };
            (free > 0).then_some(ask)
        };
        let asks: Vec<Ask<'_>> = first.iter().filter_map(ask).collect();
        for asks in asks.chunks(MOST_AT_ONCE) {
            for (ask, taken) in asks.iter().zip(find_due(work, node, asks).await?) {
                let more = match taken {
                    Some(more) => {
                        found.extend(more.iter().map(|job| job.id));
                        more
                    }
                    None => claim_rows(work, node, ask).await?,
                };
                if let (Some(free), Some(jobs)) = (free.get_mut(ask.place), jobs.get_mut(ask.place)) {
                    *free = free.saturating_sub(more.len());
                    jobs.extend(more);
                }
            }
        }
        due = later;
    }
    Ok(jobs.into_iter().flatten().collect())
}

/// How many levels are looked at in one hand-over.
const MOST_AT_ONCE: usize = 64;

/// What is due of each level, as it will be once it is claimed. There is none where something cannot be read, or is too
/// long for one value: then the rows are taken one by one.
async fn find_due(
    work: &mut Work<'_>,
    node: NodeId,
    asks: &[Ask<'_>],
) -> Result<Vec<Option<Vec<JobRow>>>, sqlx::Error> {
    // Few different texts, because each stays prepared: what is too much asks for nothing.
    let count = [1, 4, 16, MOST_AT_ONCE].into_iter().find(|count| *count >= asks.len()).unwrap_or(asks.len());
    let nobody = ExecutorName::from("");
    let nothing = Ask { place: 0, executor: &nobody, priority: 0, limit: 0 };
    let mut script = Script::default().then_columns(queries::find_due(), count);
    for ask in asks.iter().chain(std::iter::repeat(&nothing)).take(count) {
        let limit = i64::try_from(ask.limit).unwrap_or(i64::MAX);
        script =
            script.bind(ask.executor.as_str().to_owned())?.bind(ask.priority)?.bind(micros(work.now))?.bind(limit)?;
    }
    let answers = match work.run(script).await {
        Err(error) if is_too_big(&error) => {
            // What was to begin with this statement begins again.
            if !work.has_begun() {
                work.restart();
                work.open().await?;
            }
            Vec::new()
        }
        answers => answers?,
    };
    let now = work.now;
    let row = answers.first().and_then(|answer| answer.rows.first());
    let mut taken = Vec::with_capacity(asks.len());
    for (place, ask) in asks.iter().enumerate() {
        let text: Option<&str> = row.and_then(|row| row.try_get(place).ok());
        let Some(mut jobs) =
            text.and_then(|text| due_rows::read(text, due_rows::Claim { executor: ask.executor, node, now }))
        else {
            taken.push(None);
            continue;
        };
        read::add_errors(work.conn, &mut jobs).await?;
        let jobs: Option<Vec<JobRow>> = jobs.into_iter().map(Result::ok).collect();
        taken.push(jobs.map(sorted));
    }
    Ok(taken)
}

/// RETURNING and sums of rows keep no order.
pub(super) fn sorted(mut jobs: Vec<JobRow>) -> Vec<JobRow> {
    jobs.sort_unstable_by_key(|job| (job.scheduled_at, job.id));
    jobs
}

/// Claims the rows of a level one by one, and quarantines those that cannot be read.
async fn claim_rows(work: &mut Work<'_>, node: NodeId, ask: &Ask<'_>) -> Result<Vec<JobRow>, sqlx::Error> {
    let mut jobs: Vec<JobRow> = Vec::new();
    loop {
        let wanted = ask.limit - jobs.len();
        let rows = sqlx::query(queries::claim_jobs())
            .bind(ask.executor.as_str())
            .bind(ask.priority)
            .bind(micros(work.now))
            .bind(i64::try_from(wanted).unwrap_or(i64::MAX))
            .bind(node.0)
            .fetch_all(&mut *work.conn)
            .await?;
        for job in read::read_all(&mut *work.conn, &rows).await? {
            match job {
                Ok(job) => jobs.push(job),
                Err(unreadable) => write::quarantine(work, &unreadable).await?,
            }
        }
        // Rows that were quarantined have made room for others.
        if rows.len() < wanted || jobs.len() == ask.limit {
            return Ok(sorted(jobs));
        }
    }
}
