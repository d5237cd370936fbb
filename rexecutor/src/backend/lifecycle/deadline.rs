//! Jobs that are of no use any more.

use chrono::{DateTime, Utc};

use super::{Finish, finish, record};
use crate::model::{ErrorType, Failure, JobRow, JobStatus, Lease};

/// Discards a job that is blocked or waits and whose deadline has come; returns whether it is one.
pub fn expire(row: &mut JobRow, now: DateTime<Utc>) -> bool {
    let waits = row.status.is_pending() || row.status == JobStatus::Blocked;
    let Some(deadline) = row.deadline().filter(|deadline| waits && *deadline <= now) else { return false };
    // As a claim would: that there may be errors is told by the lease.
    row.lease = Lease(row.lease.0.saturating_add(1));
    record(row, &deadline_passed(deadline), now);
    finish(row, Finish::Discarded, now);
    true
}

/// What is recorded of a job whose deadline has come before it was done.
pub fn deadline_passed(deadline: DateTime<Utc>) -> Failure {
    Failure::new(ErrorType::DeadlinePassed, format!("its deadline was {deadline}"))
}
