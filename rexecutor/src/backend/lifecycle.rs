//! The life of a job: one pure function for each transition, from a row and an event to the row's next state or a
//! refusal.
//!
//! The in-memory backend calls these functions, and they are the oracle that the SQL of the others is tested against.
//!
//! ```text
//!            ┌────────── snooze, give back ──────────┐
//!            ▼                                       │
//! enqueue ► scheduled ── claim ──► executing ────────┼─ complete ► complete
//!                                   ▲    │           ├─ discard ─► discarded
//!                              claim │   │ retry     └─ cancel ──► cancelled
//!                                   retryable
//! ```
//!
//! A waiting job is cancelled at once, an executing one when its run has ended. A rerun leads from any status but
//! executing back to scheduled.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    AmendError, JobChange, JobRow,
    new_job::NewJob,
    settlement::{Failure, Outcome},
};
use crate::job::{ErrorType, JobError, JobStatus, Lease, NodeId, uniqueness_criteria::Replace};

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Fate {
    /// It stays.
    Keep,
    /// It is deleted.
    Delete,
}

/// `now` + `delay`, at the latest the end of the year 9999 and never before `now`.
pub fn after(now: DateTime<Utc>, delay: TimeDelta) -> DateTime<Utc> {
    let latest = chrono::NaiveDate::from_ymd_opt(9999, 12, 31).unwrap_or_default().and_time(chrono::NaiveTime::MIN);
    now.checked_add_signed(delay.max(TimeDelta::zero())).unwrap_or(latest.and_utc()).min(latest.and_utc()).max(now)
}

/// Whether a job can be claimed at `now`.
pub fn is_due(row: &JobRow, now: DateTime<Utc>) -> bool {
    row.status.is_pending() && row.scheduled_at <= now
}

/// Gives a due job to a node.
pub fn claim(row: &mut JobRow, node: NodeId, now: DateTime<Utc>) {
    row.status = JobStatus::Executing;
    row.attempt = row.attempt.saturating_add(1);
    row.lease = Lease(row.lease.0.saturating_add(1));
    row.node = Some(node);
    row.attempted_at = Some(now);
}

/// Ends the run that holds `lease`; `None` if there is no such run, and then nothing has changed.
pub fn settle(row: &mut JobRow, lease: Lease, outcome: &Outcome, now: DateTime<Utc>) -> Option<Fate> {
    if row.status != JobStatus::Executing || row.lease != lease {
        return None;
    }
    row.node = None;
    if row.cancel_reason.is_some() {
        if let Outcome::Retry { error, .. } | Outcome::Discard { error } = outcome {
            record(row, error, now);
        }
        finish(row, JobStatus::Cancelled, now);
        return Some(Fate::Keep);
    }
    match outcome {
        Outcome::Complete { keep } => {
            finish(row, JobStatus::Complete, now);
            return Some(if *keep { Fate::Keep } else { Fate::Delete });
        }
        Outcome::Retry { delay, error } => {
            record(row, error, now);
            if row.attempt >= row.max_attempts {
                finish(row, JobStatus::Discarded, now);
            } else {
                row.status = JobStatus::Retryable;
                row.scheduled_at = after(now, *delay);
            }
        }
        Outcome::Discard { error } => {
            record(row, error, now);
            finish(row, JobStatus::Discarded, now);
        }
        Outcome::Cancel { reason } => {
            row.cancel_reason = Some(reason.clone());
            finish(row, JobStatus::Cancelled, now);
        }
        Outcome::Snooze { delay } => {
            wait_again(row);
            row.scheduled_at = after(now, *delay);
        }
        Outcome::GiveBack => wait_again(row),
    }
    Some(Fate::Keep)
}

/// Ends the run of a node that is gone.
pub fn rescue(row: &mut JobRow, now: DateTime<Utc>) {
    let error = Failure { error_type: ErrorType::NodeLost, details: NODE_LOST.to_owned() };
    let _ = settle(row, row.lease, &Outcome::Retry { delay: TimeDelta::zero(), error }, now);
}

/// What is recorded of an attempt whose node is gone.
pub const NODE_LOST: &str = "the node that ran this attempt died or lost its connection";

/// Cancels a job that waits, or asks one that is executing to stop.
///
/// # Errors
///
/// When it is finished.
pub fn cancel(row: &mut JobRow, reason: String, now: DateTime<Utc>) -> Result<(), AmendError> {
    if row.status.is_finished() {
        return Err(AmendError::Refused { id: row.id, status: row.status, verb: "cancelled" });
    }
    // The first reason stands: a second request changes nothing for a job that is stopping already.
    row.cancel_reason.get_or_insert(reason);
    if row.status.is_pending() {
        finish(row, JobStatus::Cancelled, now);
    }
    Ok(())
}

/// Makes a job due now, with all its attempts. Its recorded errors stay.
///
/// # Errors
///
/// When it is executing: it would run twice at once.
pub fn rerun(row: &mut JobRow, now: DateTime<Utc>) -> Result<(), AmendError> {
    if row.status == JobStatus::Executing {
        return Err(AmendError::Refused { id: row.id, status: row.status, verb: "rerun" });
    }
    row.status = JobStatus::Scheduled;
    row.attempt = 0;
    row.scheduled_at = now;
    row.cancel_reason = None;
    row.completed_at = None;
    row.cancelled_at = None;
    row.discarded_at = None;
    Ok(())
}

/// Replaces what `change` names, in whatever status but executing.
///
/// # Errors
///
/// When it is executing: the run has its data already.
pub fn update(row: &mut JobRow, change: JobChange) -> Result<(), AmendError> {
    if row.status == JobStatus::Executing {
        return Err(AmendError::Refused { id: row.id, status: row.status, verb: "updated" });
    }
    let JobChange { data, metadata, max_attempts, priority, tags, scheduled_at } = change;
    row.data = data;
    row.metadata = metadata;
    row.max_attempts = max_attempts;
    row.priority = priority;
    row.tags = tags;
    row.scheduled_at = scheduled_at;
    Ok(())
}

/// Whether `row` stands in the way of a job with these criteria that is enqueued at `now`.
pub fn conflicts(row: &JobRow, unique: &super::Unique, now: DateTime<Utc>) -> bool {
    row.unique_key.as_ref() == Some(&unique.key)
        && unique.statuses.contains(row.status)
        && unique.within.is_none_or(|within| match now.checked_sub_signed(within) {
            Some(start) => row.inserted_at > start,
            None => true,
        })
}

/// Takes over from `job` the fields that `replace` names, where the row's status is one of those it names, and not
/// executing: a run has its data already.
///
/// Returns whether anything could change.
pub fn replace(row: &mut JobRow, replace: &Replace, job: NewJob, now: DateTime<Utc>) -> bool {
    if row.status == JobStatus::Executing || !replace.statuses().contains(row.status) {
        return false;
    }
    let fields = replace.fields();
    if fields.priority {
        row.priority = job.priority;
    }
    if fields.max_attempts {
        row.max_attempts = job.max_attempts;
    }
    if fields.scheduled_at {
        row.scheduled_at = job.due.at(now);
    }
    if fields.data {
        row.data = job.data;
    }
    if fields.metadata {
        row.metadata = job.metadata;
    }
    if fields.tags {
        row.tags = job.tags;
    }
    true
}

fn record(row: &mut JobRow, error: &Failure, now: DateTime<Utc>) {
    row.errors.push(JobError {
        attempt: row.attempt,
        error_type: error.error_type.clone(),
        details: error.details.clone(),
        recorded_at: now,
    });
}

fn finish(row: &mut JobRow, status: JobStatus, now: DateTime<Utc>) {
    row.status = status;
    match status {
        JobStatus::Complete => row.completed_at = Some(now),
        JobStatus::Cancelled => row.cancelled_at = Some(now),
        _ => row.discarded_at = Some(now),
    }
}

/// The attempt that was begun does not count.
fn wait_again(row: &mut JobRow) {
    row.attempt = row.attempt.saturating_sub(1);
    row.status = if row.attempt == 0 { JobStatus::Scheduled } else { JobStatus::Retryable };
}
