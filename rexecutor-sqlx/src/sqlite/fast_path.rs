//! Claiming on in a long line: one hand-over, where a claim that looks for the priorities first takes three.
//!
//! The last claim has taken all that it asked for from an executor's first priority, so the next one most likely will,
//! too: it finds jobs, claims them and commits without being asked again. Where it finds fewer than it asked for, or the
//! node is no member, it fails before the commit, and [`take`] decides.

use std::collections::{HashMap, HashSet};

use rexecutor::{
    backend::{Claimed, Demand, JobRow},
    job::{ExecutorName, JobId, NodeId},
};
use sqlx::{Row, sqlite::SqliteRow};

use super::{
    complete::expect,
    due_rows,
    error::{is_too_big, is_unexpected},
    row,
    row::micros,
    scan,
    script::{Script, json},
    states,
    work::Work,
};

/// Executors whose last claim got all that it asked for, from their first priority.
#[derive(Debug, Default)]
pub(super) struct LongQueues(HashSet<ExecutorName>);

impl LongQueues {
    pub(super) fn note(&mut self, executor: &ExecutorName, is_long: bool) {
        if !is_long {
            self.0.remove(executor);
        } else if !self.0.contains(executor) {
            self.0.insert(executor.clone());
        }
    }

    fn are(&self, slots: &[Demand]) -> bool {
        // What asks for nothing would learn nothing either, not even that the node is no member.
        !slots.is_empty() && slots.iter().all(|slot| slot.free > 0 && self.0.contains(&slot.executor))
    }
}

/// Of how many executors one statement claims jobs. No more: each has a cursor of its own on the table, and SQLite looks
/// at all of them for each row that it changes.
const AT_ONCE: usize = 16;

/// Of how many executors jobs are claimed in one hand-over.
const MOST: usize = 8 * AT_ONCE;

/// How many statements of a script are about the same executors.
const STATEMENTS: usize = 3;

/// Claims due jobs, in the shortest way that there is.
pub(super) async fn claim(
    work: &mut Work<'_>,
    node: NodeId,
    slots: &[Demand],
    long: &mut LongQueues,
) -> Result<Claimed, sqlx::Error> {
    if slots.len() > MOST || !long.are(slots) {
        return scan::claim(work, node, slots, long).await;
    }
    let answers = match work.finish(script(micros(work.now), node, slots)?).await {
        Ok(answers) => answers,
        Err(error) if is_unexpected(&error) || is_too_big(&error) => {
            work.restart();
            return scan::claim(work, node, slots, long).await;
        }
        Err(error) => return Err(error),
    };
    let (mut jobs, mut broken) = (Vec::with_capacity(slots.len()), Vec::new());
    for (answer, slots) in answers.iter().step_by(STATEMENTS).zip(slots.chunks(AT_ONCE)) {
        let row = answer.rows.first().ok_or(sqlx::Error::RowNotFound)?;
        for (place, slot) in slots.iter().enumerate() {
            let (sound, ids) = read(work, node, &slot.executor, row, place).await?;
            jobs.push(sound);
            broken.extend(ids);
        }
    }
    if broken.is_empty() {
        return Ok(Claimed { jobs: jobs.into_iter().flatten().collect(), next_due_in: None, member: true });
    }
    repair(work, node, slots, jobs, &broken, long).await
}

fn script(now: i64, node: NodeId, slots: &[Demand]) -> Result<Script, sqlx::Error> {
    // Few different texts, because each stays prepared: what is too much asks for nothing.
    let count = [1, 4, AT_ONCE].into_iter().find(|count| *count >= slots.len()).unwrap_or(AT_ONCE);
    let nothing = Demand { executor: "".into(), free: 0 };
    slots.chunks(AT_ONCE).try_fold(Script::default(), |script, slots| {
        let asks = || slots.iter().chain(std::iter::repeat(&nothing)).take(count);
        let ask = |script: Script, slot: &Demand| {
            let executor = slot.executor.as_str().to_owned();
            script.bind(executor.clone())?.bind(executor)?.bind(now)?.bind(bounded(slot.free))
        };
        let find = script.then_columns(include_str!("queries/find_first_due.sql"), count);
        let (claim, found) = (include_str!("queries/claim_first.sql"), include_str!("queries/first_due.sql"));
        let claim = asks().try_fold(find, ask)?.then_with(claim, found, count);
        let claim = asks().try_fold(claim.bind(node.0)?.bind(now)?.bind(node.0)?, ask)?;
        expect(claim, slots.iter().fold(0, |all, slot| all.saturating_add(bounded(slot.free))))
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
    let claim = due_rows::Claim { executor: executor.as_str(), node, now: work.now };
    if let Some(mut jobs) = std::str::from_utf8(bytes).ok().and_then(|text| due_rows::read(text, claim)) {
        row::add_errors(work.conn, &mut jobs).await?;
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
    slots: &[Demand],
    mut jobs: Vec<Vec<JobRow>>,
    broken: &[JobId],
    long: &mut LongQueues,
) -> Result<Claimed, sqlx::Error> {
    work.again();
    work.open().await?;
    sort_in(read_claimed(work, node, broken).await?, slots, &mut jobs);
    let rest = slots
        .iter()
        .zip(&jobs)
        .map(|(slot, jobs)| Demand { executor: slot.executor.clone(), free: slot.free.saturating_sub(jobs.len()) });
    let rest: Vec<Demand> = rest.filter(|slot| slot.free > 0).collect();
    let mut claimed = scan::claim(work, node, &rest, long).await?;
    sort_in(std::mem::take(&mut claimed.jobs), slots, &mut jobs);
    claimed.jobs = jobs.into_iter().flatten().collect();
    Ok(claimed)
}

/// The readable ones of these claimed jobs, in their order.
async fn read_claimed(work: &mut Work<'_>, node: NodeId, ids: &[JobId]) -> Result<Vec<JobRow>, sqlx::Error> {
    let find = sqlx::query(include_str!("queries/find_jobs.sql")).bind(json(&ids)?);
    let rows = find.fetch_all(&mut *work.conn).await?;
    let mut sound = Vec::with_capacity(rows.len());
    for job in row::read_all(work.conn, &rows).await? {
        match job {
            // Whoever has taken one back meanwhile had the right to.
            Ok(job) => sound.extend(Some(job).filter(|job| job.node == Some(node))),
            Err(unreadable) => states::quarantine(work, &unreadable).await?,
        }
    }
    Ok(scan::sorted(sound))
}

/// Adds jobs to those of their executors.
fn sort_in(more: Vec<JobRow>, slots: &[Demand], jobs: &mut [Vec<JobRow>]) {
    let places: HashMap<&ExecutorName, usize> =
        slots.iter().enumerate().map(|(place, slot)| (&slot.executor, place)).collect();
    for job in more {
        if let Some(jobs) = places.get(&job.executor).and_then(|place| jobs.get_mut(*place)) {
            jobs.push(job);
        }
    }
}
