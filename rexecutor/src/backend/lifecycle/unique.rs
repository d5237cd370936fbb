//! What jobs with the same key do to each other.

use chrono::{DateTime, Utc};

use super::clock::SET_BACK;
use crate::model::{
    Debounce, EventKind, Happened, JobChange, JobRow, JobStatus, KeyChange, NewJob, Replace, Resolution, Statuses,
    Unique, after,
};

/// What becomes of a new job that a stored one stands in the way of.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub enum Resolved {
    /// Nothing: the stored one stays as it is.
    Existing,
    /// The stored one has taken over what it should.
    Replaced,
    /// It is inserted after all: the stored one has begun.
    Insert(Box<NewJob>),
}

/// What no other job must stand in the way of when `row` is [rerun](super::rerun): a finished job that is unique does not come back
/// beside one with its key that is not finished.
pub fn beside_rerun(row: &JobRow) -> Option<Unique> {
    const LIVE: Statuses =
        Statuses::of(&[JobStatus::Blocked, JobStatus::Scheduled, JobStatus::Executing, JobStatus::Retryable]);
    row.unique_key.filter(|_| row.status.is_finished()).map(|key| Unique::new(key, LIVE))
}

/// What no other job must stand in the way of when `row` is [updated](super::update): a key that it does not have yet.
pub fn beside_update(row: &JobRow, change: &JobChange) -> Option<Unique> {
    match &change.key {
        KeyChange::Set(unique) if row.unique_key != Some(unique.key) => Some(unique.clone()),
        KeyChange::Keep | KeyChange::Set(_) | KeyChange::Remove => None,
    }
}

/// Whether `row` stands in the way of a job with these criteria that is enqueued at `now`.
pub fn conflicts(row: &JobRow, unique: &Unique, now: DateTime<Utc>) -> bool {
    row.unique_key.as_ref() == Some(&unique.key)
        && unique.statuses.contains(row.status)
        // One that lies further ahead than a correction is of a clock that was set back since: it must not stand in the way until that has caught up.
        && unique.within.is_none_or(|within| {
            now.checked_sub_signed(within).is_none_or(|start| row.inserted_at > start)
                && within.checked_add(&SET_BACK).and_then(|within| now.checked_add_signed(within)).is_none_or(|end| row.inserted_at < end)
        })
}

/// Decides about `job`, which `row` stands in the way of.
pub fn resolve(row: &mut JobRow, job: NewJob, now: DateTime<Utc>) -> Resolved {
    let replaced = match job.unique.as_ref().map(|unique| unique.on_conflict) {
        Some(Resolution::Debounce(_)) if !row.status.is_pending() => return Resolved::Insert(Box::new(job)),
        Some(Resolution::Debounce(debounce)) => self::debounce(row, debounce, job, now),
        Some(Resolution::Replace(fields)) => replace(row, &fields, job, now),
        Some(Resolution::Ignore) | None => false,
    };
    if replaced { Resolved::Replaced } else { Resolved::Existing }
}

/// Takes over the content of `job`, and waits again: not for longer than it may, and never for less than it did. A retry is not
/// hurried by a call, nor is a job that was snoozed.
fn debounce(row: &mut JobRow, debounce: Debounce, job: NewJob, now: DateTime<Utc>) -> bool {
    const CONTENT: Replace = Replace::data().and_metadata().and_priority().and_max_attempts().and_tags();
    let at_last = after(row.inserted_at, debounce.longest);
    row.scheduled_at = after(now, debounce.within).min(at_last).max(row.scheduled_at);
    replace(row, &CONTENT, job, now)
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
    // When a blocked job is due is known once it is released.
    if fields.scheduled_at && !job.blocked {
        row.scheduled_at = job.due.at(now);
    }
    if fields.data {
        row.data = job.data;
        // It follows from the data.
        let group_key = job.extras.group_key.clone();
        row.extras.set(|extra| &mut extra.group_key, group_key);
        row.extras.set(|extra| &mut extra.weight, job.extras.weight);
    }
    if fields.metadata {
        row.metadata = job.metadata;
    }
    if fields.tags {
        row.tags = job.tags;
    }
    row.happened = Happened::that(EventKind::Updated);
    true
}
