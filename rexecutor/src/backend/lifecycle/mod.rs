//! The life of a job: one pure function for each transition, from a row and an event to the row's next state or a
//! refusal.
//!
//! The in-memory backend calls these functions, and they are the oracle that the SQL of the others is tested against.
//!
//! ```text
//!           release
//!  blocked ────────┐     ┌─ snooze, throttle, defer, give back ──┐
//!     ▲            ▼     ▼                                       │
//!  enqueue ─────► scheduled ── claim ──► executing ──────────────┼─ complete ► complete
//!                                         ▲    │                 ├─ discard ─► discarded
//!                                   claim │    │ retry           └─ cancel ──► cancelled
//!                                        retryable
//! ```
//!
//! A job that is blocked or waits is cancelled at once, an executing one when its run has ended. A rerun leads from
//! waiting and from finished statuses back to scheduled. One that is blocked or waits past its deadline is discarded. A run that
//! [suspends](Outcome::Suspend) leads to scheduled, or to blocked where only a signal makes it run again.

mod aside;
mod by_hand;
mod clock;
mod deadline;
mod refusals;
mod steps;
mod unique;

use chrono::{DateTime, TimeDelta, Utc};

use super::breaker::Verdict;
use crate::{
    limits::MAX_ERRORS,
    model::{
        ErrorType, EventKind, Failure, Happened, JobError, JobRow, JobStatus, Lease, Marks, NewJob, NodeId, Outcome,
        after,
    },
};

pub use self::{
    aside::{ASIDE, ASIDE_FROM, is_aside, paused_tag, set_aside, set_aside_claimed, take_back},
    by_hand::{cancel, release, release_task, rerun, rerun_blocked, rerun_unless_complete, skip, update},
    clock::{SET_BACK, set_back, set_back_throttle},
    deadline::{deadline_passed, expire},
    refusals::delete,
    steps::{forked, signal},
    unique::{Resolved, beside_rerun, beside_update, conflicts, replace, resolve},
};

/// What has to happen once the end of a run is stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Effects {
    /// The row is deleted.
    pub delete: bool,
    /// The job waits again: nodes are told that its executor has one.
    pub wake: bool,
    /// The row has an output that it did not have before.
    pub output: bool,
    /// No job of its executor is to be claimed before this instant.
    pub throttled_until: Option<DateTime<Utc>>,
    /// … none of its key, if it has one, and all others go on.
    pub throttles_key: bool,
    /// What the run says to the circuit breaker of its executor, if that has one.
    pub verdict: Option<Verdict>,
}

impl Effects {
    /// Nothing but the row itself changes.
    const NONE: Self =
        Self { delete: false, wake: false, output: false, throttled_until: None, throttles_key: false, verdict: None };
    const WAKE: Self = Self { wake: true, ..Self::NONE };
}

/// Whether a job can be claimed at `now`: what every claim, however it looks for jobs, must agree with.
pub fn is_due(row: &JobRow, now: DateTime<Utc>) -> bool {
    row.status.is_pending() && row.scheduled_at <= now
}

/// Whether those who wait for the job's end are to be told, after a step that has finished it.
pub fn is_awaited_end(row: &JobRow) -> bool {
    row.status.is_finished() && row.marks.contains(Marks::AWAITED)
}

/// Whether a failure of the present attempt would be final.
pub fn is_last_attempt(row: &JobRow) -> bool {
    row.attempt >= row.max_attempts
}

/// Gives a due job to a node.
pub fn claim(row: &mut JobRow, node: NodeId, now: DateTime<Utc>) {
    row.status = JobStatus::Executing;
    row.attempt = row.attempt.saturating_add(1);
    row.lease = Lease(row.lease.0.saturating_add(1));
    row.node = Some(node);
    row.attempted_at = Some(now);
    row.happened = Happened::that(EventKind::Started);
}

/// Ends the run that holds `lease`; `None` if there is no such run, and then nothing has changed.
pub fn settle(row: &mut JobRow, lease: Lease, outcome: &Outcome, now: DateTime<Utc>) -> Option<Effects> {
    if row.status != JobStatus::Executing || row.lease != lease {
        return None;
    }
    row.node = None;
    let is_trial = row.marks.contains(Marks::TRIAL);
    row.marks = row.marks.without(Marks::TRIAL);
    let effects = end(row, outcome, now);
    Some(Effects { verdict: Verdict::of(row, outcome, is_trial), ..effects })
}

fn end(row: &mut JobRow, outcome: &Outcome, now: DateTime<Utc>) -> Effects {
    if row.marks.contains(Marks::STOPPING) {
        if let Outcome::Retry { error, .. }
        | Outcome::SettledInTransaction { error, .. }
        | Outcome::Discard { error }
        | Outcome::Defer { error, .. } = outcome
        {
            record(row, error, now);
        }
        row.marks = row.marks.without(Marks::STOPPING.with(Marks::UNDECODED).with(steps::OF_A_WAIT));
        finish(row, Finish::Cancelled, now);
        return Effects::NONE;
    }
    let was_signalled = row.marks.contains(Marks::SIGNALLED);
    // Whatever follows looks at all signals anew.
    row.marks = row.marks.without(steps::OF_A_WAIT);
    let was_undecoded = row.marks.contains(Marks::UNDECODED);
    // A run that was given back says nothing about its data.
    if *outcome != Outcome::GiveBack {
        row.marks = row.marks.without(Marks::UNDECODED);
    }
    match outcome {
        Outcome::Complete { keep, output, jobs: _ } => {
            finish(row, Finish::Complete, now);
            row.extras.set(|extra| &mut extra.output, output.clone());
            // Those behind it in its workflow ask what it gave.
            if !keep && row.extras.task.is_some() {
                row.marks = row.marks.with(Marks::FLEETING);
            }
            let delete = !keep && row.extras.task.is_none();
            Effects { delete, output: *keep && output.is_some(), ..Effects::NONE }
        }
        Outcome::Retry { delay, error } | Outcome::SettledInTransaction { delay, error } => {
            record(row, error, now);
            if is_last_attempt(row) {
                finish(row, Finish::Discarded, now);
                Effects::NONE
            } else {
                row.status = JobStatus::Retryable;
                row.scheduled_at = after(now, *delay);
                row.happened = Happened::that(EventKind::Retried);
                Effects::WAKE
            }
        }
        Outcome::Discard { error } => {
            // Nobody could read it: so it can still be found.
            if was_undecoded && error.error_type == ErrorType::Decode {
                row.marks = row.marks.with(Marks::UNDECODED);
            }
            record(row, error, now);
            finish(row, Finish::Discarded, now);
            Effects::NONE
        }
        Outcome::Cancel { reason, is_skip } => {
            if *is_skip {
                row.marks = row.marks.with(Marks::SKIPPED);
            }
            row.extras.set(|extra| &mut extra.cancel_reason, Some(reason.clone()));
            finish(row, Finish::Cancelled, now);
            Effects::NONE
        }
        Outcome::Snooze { delay } => {
            wait_again(row, EventKind::Snoozed);
            row.scheduled_at = after(now, *delay);
            Effects::WAKE
        }
        Outcome::Throttle { delay, of_key } => {
            wait_again(row, EventKind::Throttled);
            row.scheduled_at = after(now, *delay);
            Effects { throttled_until: Some(row.scheduled_at), throttles_key: *of_key, ..Effects::WAKE }
        }
        Outcome::Defer { delay, error } => {
            // The first one says since when.
            if !was_undecoded {
                record(row, error, now);
            }
            row.marks = row.marks.with(Marks::UNDECODED);
            wait_again(row, EventKind::Deferred);
            row.scheduled_at = after(now, *delay);
            Effects::WAKE
        }
        Outcome::Suspend { until, for_signal } => steps::suspend(row, *until, *for_signal, was_signalled, now),
        Outcome::GiveBack => {
            wait_again(row, EventKind::GivenBack);
            Effects::WAKE
        }
    }
}

/// The jobs that are stored in the step that [settles](settle) this one: those of its outcome, if it is complete now.
pub fn follow<'o>(row: &JobRow, outcome: &'o Outcome) -> &'o [NewJob] {
    match row.status {
        JobStatus::Complete => outcome.jobs(),
        _ => &[],
    }
}

/// Ends the run of a node that is gone.
pub fn rescue(row: &mut JobRow, now: DateTime<Utc>) {
    let lost = Outcome::retry(TimeDelta::zero(), Failure::new(ErrorType::NodeLost, NODE_LOST));
    let _ = settle(row, row.lease, &lost, now);
}

/// What is recorded of an attempt whose node is gone.
pub const NODE_LOST: &str = "the node that ran this attempt died or lost its connection";

fn record(row: &mut JobRow, error: &Failure, now: DateTime<Utc>) {
    row.errors.push(JobError::new(row.attempt, error.clone(), now));
    // The first one says how it began.
    if row.errors.len() > MAX_ERRORS {
        row.errors.drain(1..=row.errors.len() - MAX_ERRORS);
    }
}

/// How a job is over.
enum Finish {
    Complete,
    Cancelled,
    Discarded,
}

fn finish(row: &mut JobRow, how: Finish, now: DateTime<Utc>) {
    let (status, at, kind) = match how {
        Finish::Complete => (JobStatus::Complete, &mut row.completed_at, EventKind::Completed),
        Finish::Cancelled => (JobStatus::Cancelled, &mut row.cancelled_at, EventKind::Cancelled),
        Finish::Discarded => (JobStatus::Discarded, &mut row.discarded_at, EventKind::Discarded),
    };
    // No run ends before it began, whoever has set the clock.
    (row.status, *at) = (status, Some(row.attempted_at.map_or(now, |began| began.max(now))));
    row.happened = Happened::that(kind);
}

/// The attempt that was begun does not count.
fn wait_again(row: &mut JobRow, kind: EventKind) {
    row.happened = Happened::that(kind);
    row.attempt = row.attempt.saturating_sub(1);
    row.status = if row.attempt == 0 { JobStatus::Scheduled } else { JobStatus::Retryable };
}
