//! Taking in how runs ended.

use std::collections::{HashMap, HashSet};

use futures::future::BoxFuture;
use rexecutor::{
    backend::{
        JobRow, Outcome, Result, Settle, Settlement,
        lifecycle::{self, Fate},
    },
    job::{JobId, Lease},
};
use serde_json::{Value, json as array};

use super::{
    SqliteBackend,
    row::micros,
    script::{Script, json},
    states,
    work::Work,
    writer::Request,
};

impl Settle for SqliteBackend {
    fn settle<'a>(&'a self, settlements: &'a [Settlement]) -> BoxFuture<'a, Result<Vec<(JobId, Lease)>>> {
        Box::pin(async move {
            let stored = self.0.writer.share(settlements.to_vec(), Request::Settle).await?;
            let refused = settlements.iter().zip(stored).filter(|(_, stored)| !stored);
            Ok(refused.map(|(settlement, _)| (settlement.id, settlement.lease)).collect())
        })
    }
}

/// Stores how runs ended; returns for each whether it was stored.
pub(super) async fn store(work: &mut Work<'_>, settlements: &[Settlement]) -> Result<Vec<bool>, sqlx::Error> {
    let mut seen = HashSet::new();
    let is_plain = settlements.iter().all(|settlement| seen.insert(settlement.id));
    let mut stored = vec![true; settlements.len()];
    if is_plain && complete(work, settlements).await? {
        let is_other = |end: &Settlement| !matches!(end.outcome, Outcome::Complete { .. });
        apply(work, settlements, &mut stored, is_other).await?;
    } else {
        apply(work, settlements, &mut stored, |_| true).await?;
    }
    Ok(stored)
}

/// Completes jobs in one statement, or changes nothing: then at least one is not what it was expected to be.
async fn complete(work: &mut Work<'_>, settlements: &[Settlement]) -> Result<bool, sqlx::Error> {
    for keep in [true, false] {
        let completed = settlements.iter().filter(|end| end.outcome == Outcome::Complete { keep });
        let runs: Vec<(JobId, i64)> = completed.map(|end| (end.id, end.lease.0)).collect();
        let Some((_, lease)) = runs.first().copied() else { continue };
        let script = match keep {
            true if runs.iter().all(|(_, other)| *other == lease) => Script::default()
                .then(include_str!("queries/complete_alike.sql"))
                .bind(json(&runs.iter().map(|(id, _)| id).collect::<Vec<_>>())?)?
                .bind(micros(work.now))?
                .bind(lease)?,
            true => Script::default()
                .then(include_str!("queries/complete_jobs.sql"))
                .bind(json(&runs)?)?
                .bind(micros(work.now))?,
            false => Script::default().then(include_str!("queries/delete_jobs.sql")).bind(json(&runs)?)?,
        };
        let changed = work.run(script).await?.first().map_or(0, |answer| answer.changed);
        if changed != runs.len() as u64 {
            work.restart().await?;
            return Ok(false);
        }
    }
    Ok(true)
}

/// Applies those settlements that are `meant`, one after the other.
async fn apply(
    work: &mut Work<'_>,
    settlements: &[Settlement],
    stored: &mut [bool],
    meant: impl Fn(&Settlement) -> bool,
) -> Result<(), sqlx::Error> {
    let ids: Vec<JobId> = settlements.iter().filter(|end| meant(end)).map(|end| end.id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    work.open().await?;
    let mut jobs: HashMap<JobId, JobRow> =
        states::find(work, &ids).await?.into_iter().map(|job| (job.id, job)).collect();
    let (mut changed, mut deleted) = (HashSet::new(), HashSet::new());
    for (end, stored) in settlements.iter().zip(stored).filter(|(end, _)| meant(end)) {
        let fate = jobs.get_mut(&end.id).and_then(|job| lifecycle::settle(job, end.lease, &end.outcome, work.now));
        *stored = fate.is_some();
        match fate {
            Some(Fate::Keep) => drop(changed.insert(end.id)),
            Some(Fate::Delete) => drop(deleted.insert((end.id, end.lease))),
            None => {}
        }
    }
    let changed: Vec<JobRow> = changed.iter().filter_map(|id| jobs.remove(id)).collect();
    work.due.extend(changed.iter().filter(|job| job.status.is_pending()).map(|job| job.executor.clone()));
    states::save(work, &changed).await?;
    delete(work, &deleted).await
}

async fn delete(work: &mut Work<'_>, runs: &HashSet<(JobId, Lease)>) -> Result<(), sqlx::Error> {
    if runs.is_empty() {
        return Ok(());
    }
    let runs = Value::from_iter(runs.iter().map(|(id, lease)| array!([id, lease.0]))).to_string();
    sqlx::query(include_str!("queries/delete_jobs.sql")).bind(runs).execute(&mut *work.conn).await?;
    Ok(())
}
