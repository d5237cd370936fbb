//! Jobs whose runs end because a step is not over yet.
//!
//! # Invariant
//!
//! - A job that waits for a signal has [`Marks::WAITING`], and is blocked, or due at its time limit. A signal that comes while it runs
//!   leaves [`Marks::SIGNALLED`]. Each is decided under the job's lock, so a signal finds the one or leaves the other: none is missed
//!   between the look of a run and the end of it.

use chrono::{DateTime, Utc};

use super::{Effects, refusals::refused, wait_again};
use crate::model::{AmendError, Due, EventKind, Extra, Happened, JobRow, JobStatus, Marks, NewJob};

/// What says that a job waits for signals, and what it may have missed.
pub(super) const OF_A_WAIT: Marks = Marks::WAITING.with(Marks::SIGNALLED);

pub(super) fn suspend(
    row: &mut JobRow,
    until: Option<DateTime<Utc>>,
    for_signal: bool,
    was_signalled: bool,
    now: DateTime<Utc>,
) -> Effects {
    wait_again(row, EventKind::Suspended);
    if for_signal && was_signalled {
        row.scheduled_at = now;
        return Effects::WAKE;
    }
    if for_signal {
        row.marks = row.marks.with(Marks::WAITING);
    }
    match until {
        Some(until) => row.scheduled_at = until.max(now),
        None if for_signal => {
            row.status = JobStatus::Blocked;
            return Effects::NONE;
        }
        // Nothing would ever wake it.
        None => row.scheduled_at = now,
    }
    Effects::WAKE
}

/// A signal has come for a job: one that waits for signals is due. Returns whether it has become so.
///
/// # Errors
///
/// When it is finished.
pub fn signal(row: &mut JobRow, now: DateTime<Utc>) -> Result<bool, AmendError> {
    match row.status {
        JobStatus::Complete | JobStatus::Cancelled | JobStatus::Discarded => return Err(refused(row, "signalled")),
        JobStatus::Executing => row.marks = row.marks.with(Marks::SIGNALLED),
        JobStatus::Blocked | JobStatus::Scheduled | JobStatus::Retryable if row.marks.contains(Marks::WAITING) => {
            row.marks = row.marks.without(Marks::WAITING);
            if row.status == JobStatus::Blocked {
                // Not before: it would stand behind jobs that were claimed already.
                (row.status, row.scheduled_at) = (JobStatus::Scheduled, now);
            }
            row.scheduled_at = row.scheduled_at.min(now);
            row.happened = Happened::that(EventKind::Released);
            return Ok(true);
        }
        JobStatus::Blocked | JobStatus::Scheduled | JobStatus::Retryable => {}
    }
    Ok(false)
}

/// A new job with all that was given when `row` was enqueued, but for what it was not to exist beside, the flow that it was part of, and
/// a deadline that has passed.
///
/// # Errors
///
/// When `row` is not finished: both would do the steps that are left.
pub fn forked(row: &JobRow, now: DateTime<Utc>) -> Result<NewJob, AmendError> {
    if !row.status.is_finished() {
        return Err(refused(row, "forked"));
    }
    let mut job = NewJob::new(row.executor.clone(), row.data.clone())
        .with_metadata(row.metadata.clone())
        .with_max_attempts(row.max_attempts)
        .with_priority(row.priority)
        .with_tags(row.tags.clone())
        .with_due(Due::Now);
    let Extra { headers, group_key, order, weight, deadline, tick_at, .. } = &*row.extras;
    job.extras.set(|extra| &mut extra.headers, headers.clone());
    job.extras.set(|extra| &mut extra.group_key, group_key.clone());
    job.extras.set(|extra| &mut extra.order, *order);
    job.extras.set(|extra| &mut extra.weight, *weight);
    job.extras.set(|extra| &mut extra.tick_at, *tick_at);
    let deadline = deadline.filter(|deadline| deadline.at(row.inserted_at) > now);
    job.extras.set(|extra| &mut extra.deadline, deadline);
    Ok(job)
}

/// The marks of a job that is rerun: it waits for no signal, and one that was complete does all its steps again.
pub(super) fn marks_of_rerun(row: &JobRow) -> Marks {
    let forgotten = if row.status == JobStatus::Complete { Marks::STEPS } else { Marks::NONE };
    row.marks.without(OF_A_WAIT.with(forgotten))
}
