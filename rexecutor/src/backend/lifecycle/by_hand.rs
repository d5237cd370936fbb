//! What people do to a job.

use chrono::{DateTime, Utc};

use super::{Finish, finish, refusals::refused, steps};
use crate::model::{
    AmendError, EventKind, Happened, JobChange, JobRow, JobStatus, KeyChange, Marks, OnDiscard, in_micros,
};

/// Lets a blocked job be claimed, as soon as it is due; or those behind a discarded one that halts their line.
///
/// # Errors
///
/// When it does neither block nor halt, or is a task that waits for those before it.
pub fn release(row: &mut JobRow, now: DateTime<Utc>) -> Result<(), AmendError> {
    // One that waits for a signal has begun.
    let waits_for_tasks = row.status == JobStatus::Blocked && !row.marks.contains(Marks::WAITING);
    match (&row.extras.task, row.extras.flow) {
        (Some(task), Some(workflow)) if waits_for_tasks => {
            Err(AmendError::WaitsForTasks { id: row.id, task: task.name.clone(), workflow })
        }
        _ => release_task(row, now),
    }
}

/// … also a task, as soon as those before it have ended.
///
/// # Errors
///
/// When it does neither block nor halt.
pub fn release_task(row: &mut JobRow, now: DateTime<Utc>) -> Result<(), AmendError> {
    match row.status {
        JobStatus::Blocked => {
            row.marks = row.marks.without(Marks::WAITING);
            row.status = JobStatus::Scheduled;
            // Not before: it would stand behind jobs that were claimed already.
            row.scheduled_at = row.scheduled_at.max(now);
            row.happened = Happened::that(EventKind::Released);
            Ok(())
        }
        JobStatus::Discarded if row.halts_line() => {
            row.extras.set(|extra| &mut extra.order, Some(OnDiscard::Skip));
            row.happened = Happened::that(EventKind::Released);
            Ok(())
        }
        JobStatus::Scheduled
        | JobStatus::Executing
        | JobStatus::Retryable
        | JobStatus::Complete
        | JobStatus::Cancelled
        | JobStatus::Discarded => Err(refused(row, "released")),
    }
}

/// Cancels a job that is blocked or waits, or asks one that is executing to stop. A discarded one that halts its line becomes a
/// cancelled one, which does not.
///
/// # Errors
///
/// When it is finished.
pub fn cancel(row: &mut JobRow, reason: String, now: DateTime<Utc>) -> Result<(), AmendError> {
    match row.status {
        JobStatus::Blocked | JobStatus::Scheduled | JobStatus::Retryable => {
            row.extras.set(|extra| &mut extra.cancel_reason, Some(reason));
            row.marks = row.marks.without(Marks::UNDECODED);
            finish(row, Finish::Cancelled, now);
            Ok(())
        }
        JobStatus::Executing => {
            // The first reason stands: a second request changes nothing for a job that is stopping already.
            let reason = row.extras.cancel_reason.clone().unwrap_or(reason);
            row.extras.set(|extra| &mut extra.cancel_reason, Some(reason));
            row.marks = row.marks.with(Marks::STOPPING);
            row.happened = Happened::that(EventKind::CancelRequested);
            Ok(())
        }
        JobStatus::Discarded if row.halts_line() => {
            row.extras.set(|extra| &mut extra.cancel_reason, Some(reason));
            row.marks = row.marks.without(Marks::UNDECODED);
            row.discarded_at = None;
            finish(row, Finish::Cancelled, now);
            Ok(())
        }
        JobStatus::Complete | JobStatus::Cancelled | JobStatus::Discarded => Err(refused(row, "cancelled")),
    }
}

/// Cancels a job that is blocked or waits because there is nothing to do for it: it is shown as skipped.
///
/// # Errors
///
/// When it runs or is finished.
pub fn skip(row: &mut JobRow, reason: String, now: DateTime<Utc>) -> Result<(), AmendError> {
    match row.status {
        JobStatus::Blocked | JobStatus::Scheduled | JobStatus::Retryable => {
            cancel(row, reason, now)?;
            row.marks = row.marks.with(Marks::SKIPPED);
            Ok(())
        }
        JobStatus::Executing | JobStatus::Complete | JobStatus::Cancelled | JobStatus::Discarded => {
            Err(refused(row, "skipped"))
        }
    }
}

/// [`rerun`] of a task that waits for others, which run again, too.
///
/// # Errors
///
/// Where `rerun` refuses.
pub fn rerun_blocked(row: &mut JobRow, now: DateTime<Utc>) -> Result<(), AmendError> {
    rerun(row, now)?;
    row.status = JobStatus::Blocked;
    Ok(())
}

/// Makes a job due now, with all its attempts. Its recorded errors stay, its output does not, nor does a deadline that has
/// passed. The steps of one that is complete are forgotten, with its [mark](Marks::STEPS); those of others stay done.
///
/// # Errors
///
/// When it is executing: it would run twice at once. When it is blocked: it is released, not rerun.
pub fn rerun(row: &mut JobRow, now: DateTime<Utc>) -> Result<(), AmendError> {
    match row.status {
        JobStatus::Executing | JobStatus::Blocked => return Err(refused(row, "rerun")),
        JobStatus::Scheduled
        | JobStatus::Retryable
        | JobStatus::Complete
        | JobStatus::Cancelled
        | JobStatus::Discarded => {}
    }
    row.marks = steps::marks_of_rerun(row);
    row.status = JobStatus::Scheduled;
    row.attempt = 0;
    row.scheduled_at = now;
    // Whoever waits for it anew says so.
    row.marks = row.marks.without(Marks::UNDECODED.with(Marks::AWAITED).with(Marks::SKIPPED).with(Marks::FLEETING));
    row.extras.set(|extra| &mut extra.cancel_reason, None);
    row.extras.set(|extra| &mut extra.output, None);
    if row.deadline().is_some_and(|deadline| deadline <= now) {
        row.extras.set(|extra| &mut extra.deadline, None);
    }
    row.completed_at = None;
    row.cancelled_at = None;
    row.discarded_at = None;
    row.happened = Happened::that(EventKind::Rerun);
    Ok(())
}

/// [`rerun`] of a job that must not run again once it is complete.
///
/// # Errors
///
/// When it is complete, and where `rerun` refuses.
pub fn rerun_unless_complete(row: &mut JobRow, now: DateTime<Utc>) -> Result<(), AmendError> {
    match row.status {
        JobStatus::Complete => Err(refused(row, "rerun")),
        _ => rerun(row, now),
    }
}

/// Replaces what `change` names, in whatever status but executing.
///
/// # Errors
///
/// When it is executing: the run has its data already.
pub fn update(row: &mut JobRow, change: JobChange) -> Result<(), AmendError> {
    if row.status == JobStatus::Executing {
        return Err(refused(row, "updated"));
    }
    let JobChange { data, metadata, max_attempts, priority, tags, scheduled_at, key, group_key, weight } = change;
    row.data = data;
    row.metadata = metadata;
    row.max_attempts = max_attempts;
    row.priority = priority;
    row.tags = tags;
    row.scheduled_at = in_micros(scheduled_at);
    row.extras.set(|extra| &mut extra.group_key, group_key);
    row.extras.set(|extra| &mut extra.weight, weight);
    match key {
        KeyChange::Keep => {}
        KeyChange::Set(unique) => row.unique_key = Some(unique.key),
        KeyChange::Remove => row.unique_key = None,
    }
    row.happened = Happened::that(EventKind::Updated);
    Ok(())
}
