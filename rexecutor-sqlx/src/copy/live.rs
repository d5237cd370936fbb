//! Moving jobs that wait while nodes run.
//!
//! Two databases cannot commit together, so a job goes from one to the other in four transactions:
//!
//! 1. source: it is deleted from the jobs, and put among those that are outgoing, with all that belongs to it;
//! 2. target: it is put among the jobs, and its number among those that are incoming, unless that stands there already;
//! 3. source: it is deleted from those that are outgoing;
//! 4. target: its number is deleted from those that are incoming.
//!
//! # Invariants
//!
//! - A job stands in the source's jobs, or is outgoing, or has arrived: it is outgoing from 1 to 3, it has arrived from 2 on. So it is in
//!   one table of jobs at most at any time, and claimed from no other.
//! - 1 and 2 are each a transaction with all of a job, so none is lost between them: what is outgoing is sent again until 3.
//! - A job that is sent again is found among the incoming ones and not stored a second time, even if it has run and is deleted since:
//!   its number stays there until 4, and 4 follows 3.
//! - Only the newest run changes anything: each transaction locks the row of the copy and compares the number of its run, which is raised
//!   in both databases before anything that is outgoing is read. So no run sends what it has read before another one has done 3 and 4.
//! - What is outgoing is for one target, whose name the source has stored. It is sent to no other.
//! - 2 reads back what it has stored, and compares, before it commits.

use std::collections::BTreeMap;

use rexecutor::job::JobId;

use super::{
    DatabaseCopy,
    error::{CopyError, Result},
    moving::Moving,
    report::{CopyProgress, LiveCopy},
    store::{Range, Run, State, Store, Wanted},
    tables::OPERATORS,
};

/// The most jobs in one transaction.
const MOST_JOBS: usize = 200;

/// Moving that goes on.
struct Moves<'c> {
    copy: &'c DatabaseCopy,
    source: &'c dyn Store,
    target: &'c dyn Store,
    run: Run,
    report: LiveCopy,
}

/// Moves what waits now.
pub(super) async fn run(copy: &DatabaseCopy) -> Result<LiveCopy> {
    let (source, target) = copy.stores();
    let (before, there) = copy.states().await?;
    check(&before, &there)?;
    let run = source.begin_source(super::fresh_name()).await?;
    let begun = target.begin_target(&run, false, before.last, super::fresh_name()).await?;
    if !source.aim(&run, &begun.target).await? {
        return Err(CopyError::UnderWay { database: "the source", jobs: source.state().await?.outgoing });
    }
    let report = LiveCopy { clock_ahead_ms: super::clock_ahead(&before, &there), ..LiveCopy::default() };
    let mut moves = Moves { copy, source, target, run, report };
    if !begun.is_finished {
        moves.controls().await?;
    }
    moves.left_under_way().await?;
    let behind = before.source().and_then(|copy| copy.last_job).unwrap_or(i64::MIN);
    // What is enqueued from now on is left for the next call: it would never end.
    while moves.round(behind, before.last.jobs).await? > 0 {}
    moves.report.left = source.left(behind).await?;
    Ok(moves.report)
}

/// What would be moved, as `new` among what is left.
pub(super) async fn dry_run(copy: &DatabaseCopy) -> Result<LiveCopy> {
    let (before, there) = copy.states().await?;
    check(&before, &there)?;
    let behind = before.source().and_then(|copy| copy.last_job).unwrap_or(i64::MIN);
    let left = copy.stores().0.left(behind).await?;
    Ok(LiveCopy { clock_ahead_ms: super::clock_ahead(&before, &there), left, ..LiveCopy::default() })
}

fn check(source: &State, target: &State) -> Result<()> {
    let token = source.source().map(|copy| copy.token.as_str());
    let incomplete = target.copies.iter().find(|copy| !copy.is_source && copy.is_whole && !copy.is_finished);
    match incomplete {
        Some(copy) => Err(CopyError::Incomplete { of_source: Some(copy.token.as_str()) == token }),
        None => Ok(()),
    }
}

impl Moves<'_> {
    /// What operators have said holds for jobs that are moved, too. What they have said in the target holds there.
    async fn controls(&mut self) -> Result<()> {
        for table in OPERATORS {
            let page = self.source.read(table, Range { after: None, upto: None, limit: 100_000 }).await?;
            // The pause of the whole source, which has no name, is about the source.
            let is_named = |row: &Vec<super::value::Value>| row.first().and_then(|name| name.text()) != Some("");
            let rows: Vec<_> = page.rows.into_iter().filter(is_named).collect();
            if !rows.is_empty() {
                self.target.write(&self.run, table, rows, false).await?;
            }
        }
        self.target.finish_controls(&self.run).await
    }

    /// Sends what an earlier run has left among the outgoing jobs.
    async fn left_under_way(&mut self) -> Result<()> {
        let mut after = i64::MIN;
        loop {
            let jobs = self.source.outgoing(&self.run, after, MOST_JOBS).await?;
            let Some(last) = jobs.last().map(Moving::id) else { break };
            after = last;
            self.send(jobs).await?;
        }
        // Nothing is outgoing, so nothing that has come can come again.
        self.target.forget_incoming(&self.run, None).await
    }

    /// Moves what waits, from the first to the last; gives how many jobs there were.
    async fn round(&mut self, behind: i64, upto: i64) -> Result<u64> {
        let (mut after, mut moved) = (None, 0);
        loop {
            let wanted = Wanted { after, behind, upto, limit: MOST_JOBS };
            let taken = self.source.take(&self.run, &wanted).await?;
            if !taken.jobs.is_empty() {
                let jobs = taken.jobs.len() as u64;
                self.copy.tell(CopyProgress::Taken { jobs });
                moved += jobs;
                self.send(taken.jobs).await?;
            }
            match taken.last {
                Some(last) => after = Some(last),
                None => return Ok(moved),
            }
        }
    }

    /// The second, third and fourth transaction.
    async fn send(&mut self, jobs: Vec<Moving>) -> Result<()> {
        let ids: Vec<i64> = jobs.iter().map(Moving::id).collect();
        let count = ids.len() as u64;
        let arrived = self.target.arrive(&self.run, jobs).await?;
        self.copy.tell(CopyProgress::Arrived { jobs: arrived.iter().filter(|job| job.is_new).count() as u64 });
        let renumbered: BTreeMap<i64, i64> =
            arrived.iter().filter(|job| job.job != job.stored_as).map(|job| (job.job, job.stored_as)).collect();
        self.source.forget_outgoing(&self.run, ids.clone()).await?;
        self.report.moved += count;
        self.copy.tell(CopyProgress::Forgotten { jobs: count, moved: self.report.moved });
        self.target.forget_incoming(&self.run, Some(ids)).await?;
        self.report.renumbered.extend(renumbered.into_iter().map(|(job, id)| (JobId::from(job), JobId::from(id))));
        Ok(())
    }
}
