//! Claiming on in a long queue: one hand-over, where a claim that looks for the priorities first takes three.
//!
//! The last claim has taken all that it asked for from an executor's first priority, so the next one most likely will,
//! too: it finds jobs, claims them and commits without being asked again. Where it finds fewer than it asked for, or a heavy
//! one, or the node is no member, it fails before the commit, and [`scan`] decides.

use std::collections::HashMap;

use rexecutor::{
    backend::{Claimed, Demand, JobRow},
    job::{ExecutorName, JobId, NodeId},
};
use sqlx::{Row, sqlite::SqliteRow};

use super::{
    complete::expect,
    due_rows,
    error::{is_too_big, is_unexpected},
    long_queues::LongQueues,
    queries, read,
    row::micros,
    scan,
    script::{Script, json},
    work::Work,
    write,
};

/// Of how many executors one statement claims jobs. No more: each has a cursor of its own on the table, and SQLite looks
/// at all of them for each row that it changes.
const AT_ONCE: usize = 16;

/// Of how many executors jobs are claimed in one hand-over.
const MOST: usize = 8 * AT_ONCE;

/// How many statements of a script are about the same executors.
const STATEMENTS: usize = 3;

/// Claims due jobs, in the shortest way that there is; `None`: the node must read the controls first.
pub(super) async fn claim(
    work: &mut Work<'_>,
    node: NodeId,
    demands: &[Demand],
    long: &mut LongQueues,
) -> Result<Option<Claimed>, sqlx::Error> {
    if demands.len() > MOST || !long.are(demands) {
        return scan::claim(work, node, demands, long).await;
    }
    let answers = match work.finish(script(micros(work.now), node, demands)?).await {
        Ok(answers) => answers,
        Err(error) if is_unexpected(&error) || is_too_big(&error) => {
            work.restart();
            return scan::claim(work, node, demands, long).await;
        }
        Err(error) => return Err(error),
    };
    let (mut jobs, mut broken) = (Vec::with_capacity(demands.len()), Vec::new());
    for (answer, demands) in answers.iter().step_by(STATEMENTS).zip(demands.chunks(AT_ONCE)) {
        let row = answer.rows.first().ok_or(sqlx::Error::RowNotFound)?;
        for (place, demand) in demands.iter().enumerate() {
            let (sound, ids) = read(work, node, &demand.executor, row, place).await?;
            jobs.push(sound);
            broken.extend(ids);
        }
    }
    if broken.is_empty() {
        let mut claimed = Claimed::nothing(true);
        claimed.jobs = jobs.into_iter().flatten().collect();
        return Ok(Some(claimed));
    }
    repair(work, node, demands, jobs, &broken, long).await
}

fn script(now: i64, node: NodeId, demands: &[Demand]) -> Result<Script, sqlx::Error> {
    // Few different texts, because each stays prepared: what is too much asks for nothing.
    let count = [1, 4, AT_ONCE].into_iter().find(|count| *count >= demands.len()).unwrap_or(AT_ONCE);
    let nothing = Demand::new("", 0);
    demands.chunks(AT_ONCE).try_fold(Script::default(), |script, demands| {
        let asks = || demands.iter().chain(std::iter::repeat(&nothing)).take(count);
        let ask = |script: Script, demand: &Demand| {
            let executor = demand.executor.as_str().to_owned();
            script.bind(executor.clone())?.bind(executor)?.bind(now)?.bind(bounded(demand.limit))
        };
        let find = script.then_columns(queries::find_first_due(), count);
        let (claim, found) = (queries::claim_first(), queries::first_due());
        let claim = asks().try_fold(find, ask)?.then_with(claim, found, count);
        let claim = asks().try_fold(claim.bind(node.0)?.bind(now)?.bind(node.0)?, ask)?;
        expect(claim, demands.iter().fold(0, |all, demand| all.saturating_add(bounded(demand.limit))))
    })
}

fn bounded(free: usize) -> i64 {
    i64::try_from(free).unwrap_or(i64::MAX)
}

/// The jobs of one executor, in their order; or, if one of them cannot be read, the numbers of all of them.
async fn read(
    work: &mut Work<'_>,
    node: NodeId,
    executor: &ExecutorName,
    row: &SqliteRow,
    place: usize,
) -> Result<(Vec<JobRow>, Vec<JobId>), sqlx::Error> {
    // Unchecked: SQLite says that it is text, which it does not have to be.
    let bytes: &[u8] = row.try_get_unchecked(place)?;
    let claim = due_rows::Claim { executor, node, now: work.now };
    let found = std::str::from_utf8(bytes).ok().and_then(|text| due_rows::read(text, claim));
    if let Some(due_rows::Found { mut jobs, .. }) = found {
        read::add_errors(work.conn, &mut jobs).await?;
        if let Ok(jobs) = jobs.into_iter().collect() {
            return Ok((scan::sorted(jobs), Vec::new()));
        }
    }
    let ids = due_rows::read_ids(bytes).ok_or_else(|| sqlx::Error::Decode("a claim's answer cannot be read".into()))?;
    Ok((Vec::new(), ids))
}

/// Reads claimed rows one by one, quarantines those that are `broken`, and claims others in their place.
///
/// If that fails, or never begins, the node does not know these runs, and gives them back.
async fn repair(
    work: &mut Work<'_>,
    node: NodeId,
    demands: &[Demand],
    mut jobs: Vec<Vec<JobRow>>,
    broken: &[JobId],
    long: &mut LongQueues,
) -> Result<Option<Claimed>, sqlx::Error> {
    work.again();
    work.open().await?;
    sort_in(read_claimed(work, node, broken).await?, demands, &mut jobs);
    let rest: Vec<Demand> = demands.iter().zip(&jobs).filter_map(|(demand, jobs)| demand.after(jobs)).collect();
    // What was claimed is the node's already, whatever has become of the controls since.
    let mut claimed = scan::claim(work, node, &rest, long).await?.unwrap_or_else(|| Claimed::nothing(true));
    sort_in(std::mem::take(&mut claimed.jobs), demands, &mut jobs);
    claimed.jobs = jobs.into_iter().flatten().collect();
    Ok(Some(claimed))
}

/// The readable ones of these claimed jobs, in their order.
pub(super) async fn read_claimed(work: &mut Work<'_>, node: NodeId, ids: &[JobId]) -> Result<Vec<JobRow>, sqlx::Error> {
    let find = sqlx::query(queries::lock_jobs()).bind(json(&ids)?);
    let rows = find.fetch_all(&mut *work.conn).await?;
    let mut sound = Vec::with_capacity(rows.len());
    for job in read::read_all(work.conn, &rows).await? {
        match job {
            // Whoever has taken one back meanwhile had the right to.
            Ok(job) => sound.extend(Some(job).filter(|job| job.node == Some(node))),
            Err(unreadable) => write::quarantine(work, &unreadable).await?,
        }
    }
    Ok(scan::sorted(sound))
}

/// Adds jobs to those of their executors.
fn sort_in(more: Vec<JobRow>, demands: &[Demand], jobs: &mut [Vec<JobRow>]) {
    let places: HashMap<&ExecutorName, usize> =
        demands.iter().enumerate().map(|(place, demand)| (&demand.executor, place)).collect();
    for job in more {
        if let Some(jobs) = places.get(&job.executor).and_then(|place| jobs.get_mut(*place)) {
            jobs.push(job);
        }
    }
}
