//! Storing how runs ended: most of them in few statements, the others through the life cycle.

use std::collections::{BTreeMap, HashMap, HashSet};

use rexecutor::{
    backend::{JobRow, NewJob, Outcome, Settlement, flows::FlowEnds, lifecycle},
    job::JobId,
};

use super::{
    breakers, complete::Completed, control, error::is_unexpected, events, flows, queries, row::micros, store,
    work::Work, write,
};
use crate::common::{Heard, nanos};

/// Stores how runs ended; returns for each whether it was stored.
pub(super) async fn store(work: &mut Work<'_>, settlements: &[&Settlement]) -> Result<Vec<bool>, sqlx::Error> {
    let mut stored = vec![true; settlements.len()];
    let mut ends = FlowEnds::default();
    // Of a row that is gone nothing can be told.
    let takes_unkept = !work.is_heard;
    let others = match complete(work, settlements, takes_unkept, &mut ends).await? {
        Some(0) => None,
        Some(_) => Some(true),
        None => Some(false),
    };
    if let Some(has_completed) = others {
        let is_left = |end: &Settlement| !has_completed || !is_alike(end, takes_unkept);
        ends.extend(apply(work, settlements, &mut stored, is_left).await?);
    }
    flows::advance_if_any(work, ends).await?;
    Ok(stored)
}

/// Whether it can be stored with many others: the run has succeeded, and no jobs follow. What is deleted counts in its flow.
fn is_alike(end: &Settlement, takes_unkept: bool) -> bool {
    matches!(end.outcome, Outcome::Complete { jobs: None, keep, .. } if keep || (end.flow.is_none() && takes_unkept))
}

/// Completes jobs in few statements, and commits them if that is all; returns how many other settlements there are. Or
/// it changes nothing: then at least one run is not what it was expected to be.
async fn complete(
    work: &mut Work<'_>,
    settlements: &[&Settlement],
    takes_unkept: bool,
    ends: &mut FlowEnds,
) -> Result<Option<usize>, sqlx::Error> {
    let is_alike = |end: &Settlement| self::is_alike(end, takes_unkept);
    let mut completed = Completed::default();
    let mut seen = HashSet::with_capacity(settlements.len());
    for end in settlements {
        let Settlement { id, lease, outcome, .. } = end;
        // Of two settlements of one job the first may count.
        if !seen.insert(*id) {
            return Ok(None);
        }
        match outcome {
            _ if !is_alike(end) => {}
            Outcome::Complete { output, .. } if end.flow.is_some() => {
                completed.members.push((*id, lease.0, output.as_deref()))
            }
            Outcome::Complete { keep: true, output: Some(output), .. } => {
                completed.outputs.push((*id, lease.0, output))
            }
            Outcome::Complete { keep: true, .. } => completed.kept.push((*id, *lease)),
            Outcome::Complete { .. } => completed.unkept.push((*id, *lease)),
            _ => {}
        }
    }
    let others = settlements.len() - completed.len();
    if completed.is_empty() {
        return Ok(Some(others));
    }
    let have_members = !completed.members.is_empty();
    let script = completed.script(micros(work.now))?;
    let result = if others == 0 && !have_members { work.finish(script).await } else { work.run(script).await };
    match result {
        Ok(_) => {
            settlements.iter().filter(|end| is_alike(end)).for_each(|end| ends.add_settlement(end));
            let kept =
                |end: &&&Settlement| is_alike(end) && matches!(end.outcome, Outcome::Complete { keep: true, .. });
            let told: Vec<JobId> = settlements.iter().filter(kept).map(|end| end.id).collect();
            events::tell_completed(work, &told).await?;
            Ok(Some(others))
        }
        Err(error) if is_unexpected(&error) => {
            work.restart();
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Applies those settlements that are `meant`, one after the other.
async fn apply(
    work: &mut Work<'_>,
    settlements: &[&Settlement],
    stored: &mut [bool],
    meant: impl Fn(&Settlement) -> bool,
) -> Result<FlowEnds, sqlx::Error> {
    let ids: Vec<JobId> = settlements.iter().filter(|end| meant(end)).map(|end| end.id).collect();
    if ids.is_empty() {
        return Ok(FlowEnds::default());
    }
    work.open().await?;
    let mut jobs: HashMap<JobId, JobRow> =
        write::lock(work, &ids).await?.into_iter().map(|job| (job.id, job)).collect();
    let (mut changed, mut deleted, mut throttled) = (HashSet::new(), Vec::new(), BTreeMap::new());
    let mut throttled_keys = BTreeMap::new();
    let (mut follow, mut heard): (Vec<&NewJob>, Heard<'_>) = (Vec::new(), Vec::new());
    for (end, stored) in settlements.iter().zip(stored).filter(|(end, _)| meant(end)) {
        let job = jobs.get_mut(&end.id);
        let effects = job.and_then(|job| lifecycle::settle(job, end.lease, &end.outcome, work.now));
        *stored = effects.is_some();
        let Some(effects) = effects else { continue };
        if let (Some(verdict), Some(job)) = (effects.verdict.filter(|verdict| verdict.is_heard(end)), jobs.get(&end.id))
        {
            heard.push((job.executor.clone(), verdict, end));
        }
        follow.extend(jobs.get(&end.id).map(|job| lifecycle::follow(job, &end.outcome)).into_iter().flatten());
        if effects.wake {
            work.due.extend(jobs.get(&end.id).map(|job| job.executor.clone()));
        }
        if let (Some(until), Some(job)) = (effects.throttled_until, jobs.get(&end.id)) {
            let key = job.extras.group_key.clone().filter(|_| effects.throttles_key);
            let known = match key {
                Some(key) => throttled_keys.entry((job.executor.clone(), key)).or_insert(until),
                None => throttled.entry(job.executor.clone()).or_insert(until),
            };
            *known = until.max(*known);
        }
        match effects.delete {
            true => deleted.push(end.id),
            false => drop(changed.insert(end.id)),
        }
    }
    let changed: Vec<JobRow> = changed.iter().filter_map(|id| jobs.remove(id)).collect();
    write::store_states(work, &changed).await?;
    let deleted: Vec<JobRow> = deleted.iter().filter_map(|id| jobs.remove(id)).collect();
    let ends = FlowEnds::of(changed.iter().chain(&deleted));
    write::delete_jobs(work, &deleted).await?;
    for (executor, until) in &throttled {
        let throttle = sqlx::query(queries::throttle_executor()).bind(executor.to_string()).bind(micros(*until));
        throttle.execute(&mut *work.conn).await?;
    }
    for ((executor, key), until) in throttled_keys {
        let throttle = sqlx::query(queries::throttle_key()).bind(executor.to_string()).bind(key);
        throttle.bind(nanos(until)).execute(&mut *work.conn).await?;
    }
    if !throttled.is_empty() {
        control::outdate_nodes(work).await?;
    }
    breakers::take_in(work, &heard).await?;
    if !follow.is_empty() {
        store::store_open(work, &follow).await?;
    }
    Ok(ends)
}
