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
    extras,
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
    max_bytes: usize,
}

impl<'s> Ask<'s> {
    fn of(level: &Level, demand: &'s Demand) -> Self {
        let Demand { executor, limit, max_bytes, .. } = demand;
        Self { place: level.place, executor, priority: level.priority, limit: *limit, max_bytes: *max_bytes }
    }
}

fn bytes(jobs: &[JobRow]) -> usize {
    jobs.iter().map(JobRow::content_bytes).sum()
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
    let mut free: Vec<Demand> = demands.to_vec();
    let mut found = Vec::new();
    claimed.jobs = take(work, node, &levels, &mut free, &mut found).await?;
    note(long, demands, &levels, &free, &claimed.jobs);
    if !claimed.jobs.is_empty() {
        let mark = Script::default().then(queries::claim_found());
        let is_full = free.iter().all(is_full);
        let mark = if is_full { mark.bind(node.0)?.bind(None::<&str>)? } else { find_levels(mark, node, demands)? };
        let answers = work.finish(mark.bind(json(&found)?)?.bind(micros(work.now))?).await?;
        levels = if is_full { Vec::new() } else { read_levels(answers.last())? };
    }
    // Who has no free demand has no use for another job.
    let next = levels.iter().filter(|level| free.get(level.place).is_some_and(|free| !self::is_full(free)));
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

/// Whether nothing more is to be claimed.
fn is_full(demand: &Demand) -> bool {
    demand.limit == 0 || demand.max_bytes == 0
}

/// Notes which queues are longer than what was taken of their first priority, and have no heavy jobs.
fn note(long: &mut LongQueues, demands: &[Demand], levels: &[Level], free: &[Demand], jobs: &[JobRow]) {
    let mut first = vec![None; demands.len()];
    for level in levels.iter().rev() {
        if let Some(first) = first.get_mut(level.place) {
            *first = Some(level.priority);
        }
    }
    for ((demand, free), first) in demands.iter().zip(free).zip(first) {
        let mut taken = jobs.iter().filter(|job| job.executor == demand.executor);
        let is_light = taken.clone().all(|job| job.content_bytes() <= extras::HEAVY);
        let is_long = free.limit == 0 && taken.next_back().map(|job| i64::from(job.priority)) == first;
        long.note(&demand.executor, is_long && is_light);
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
    levels: &[Level],
    free: &mut [Demand],
    found: &mut Vec<JobId>,
) -> Result<Vec<JobRow>, sqlx::Error> {
    let now = micros(work.now);
    let mut due: Vec<Level> = levels.iter().filter(|level| level.first_due_at <= now).copied().collect();
    // Of each executor.
    let mut jobs = vec![Vec::new(); free.len()];
    while !due.is_empty() {
        // How much room a later one of the same executor has shows once the first is looked at.
        let mut place = None;
        let (first, later) = due.into_iter().partition(|level| place.replace(level.place) != Some(level.place));
        let first: Vec<Level> = first;
        let asked: Vec<(Level, Demand)> = first
            .iter()
            .filter_map(|level| Some((*level, free.get(level.place).filter(|free| !is_full(free))?.clone())))
            .collect();
        let asks: Vec<Ask<'_>> = asked.iter().map(|(level, demand)| Ask::of(level, demand)).collect();
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
                    free.limit = free.limit.saturating_sub(more.len());
                    free.max_bytes = free.max_bytes.saturating_sub(bytes(&more));
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
    let nothing = Ask { place: 0, executor: &nobody, priority: 0, limit: 0, max_bytes: 0 };
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
        let found = text.and_then(|text| due_rows::read(text, due_rows::Claim { executor: ask.executor, node, now }));
        let fitting = found.and_then(|found| fitting(found, ask.max_bytes));
        let jobs = match fitting {
            Some((jobs, unread)) => read::add_contents(work.conn, jobs, &unread).await?,
            None => None,
        };
        let Some(jobs) = jobs else {
            taken.push(None);
            continue;
        };
        let mut jobs: Vec<_> = jobs.into_iter().map(Ok).collect();
        read::add_errors(work.conn, &mut jobs).await?;
        taken.push(jobs.into_iter().map(Result::ok).collect());
    }
    Ok(taken)
}

/// The first of these jobs, in their order, until they have so many bytes, and those of them whose content is still to be
/// read. Nothing, if one cannot be read.
fn fitting(found: due_rows::Found, max_bytes: usize) -> Option<(Vec<JobRow>, Vec<JobId>)> {
    let due_rows::Found { jobs, heavy } = found;
    let mut jobs = sorted(jobs.into_iter().map(Result::ok).collect::<Option<_>>()?);
    let weight = |job: &JobRow| heavy.get(&job.id).copied().unwrap_or_else(|| job.content_bytes());
    let mut bytes = 0_usize;
    let fits = |job: &&JobRow| {
        let has_room = bytes < max_bytes;
        bytes = bytes.saturating_add(weight(job));
        has_room
    };
    let count = jobs.iter().take_while(fits).count();
    jobs.truncate(count);
    let unread = jobs.iter().map(|job| job.id).filter(|id| heavy.contains_key(id)).collect();
    Some((jobs, unread))
}

/// RETURNING and sums of rows keep no order.
pub(super) fn sorted(mut jobs: Vec<JobRow>) -> Vec<JobRow> {
    jobs.sort_unstable_by_key(|job| (job.scheduled_at, job.id));
    jobs
}

/// How many rows are claimed at once where each may have any number of bytes.
const FEW: usize = 16;

/// Claims the rows of a level one by one, and quarantines those that cannot be read.
async fn claim_rows(work: &mut Work<'_>, node: NodeId, ask: &Ask<'_>) -> Result<Vec<JobRow>, sqlx::Error> {
    let mut jobs: Vec<JobRow> = Vec::new();
    loop {
        let wanted = (ask.limit - jobs.len()).min(FEW);
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
        if rows.len() < wanted || jobs.len() == ask.limit || bytes(&jobs) >= ask.max_bytes {
            return Ok(sorted(jobs));
        }
    }
}
