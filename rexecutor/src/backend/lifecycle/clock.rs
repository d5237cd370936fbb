//! A clock that was set back.

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::JobRow;

/// How far a clock must have been set back for jobs to be [moved](set_back) with it: corrections by less make them wait for as long.
pub const SET_BACK: TimeDelta = TimeDelta::minutes(1);

/// The clock, which was last known to show `before`, was set back to `now`: what was due is due, and what is to be tried again waits no
/// longer for it. Returns whether that changes anything. To do it again changes nothing more.
///
/// A job that was enqueued for later, and was not due, goes by the clock: nobody knows whether an instant or a delay was meant.
pub fn set_back(row: &mut JobRow, before: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    if !row.status.is_pending() || row.scheduled_at <= now {
        return false;
    }
    // It showed at least when the last attempt began.
    let before = row.attempted_at.map_or(before, |attempted_at| before.max(attempted_at));
    let moved = row.scheduled_at - (before - now);
    match row.attempted_at {
        // One that was to start at once may have come after the clock was looked at.
        None if row.inserted_at > now && row.scheduled_at <= before.max(row.inserted_at) => {
            row.scheduled_at = moved.min(now);
        }
        // Else it was settled after the clock was set back.
        Some(attempted_at) if attempted_at > now && row.scheduled_at >= attempted_at => {
            (row.scheduled_at, row.attempted_at) = (moved, Some(now));
        }
        _ => return false,
    }
    true
}

/// The same for an executor that is held back until then.
#[must_use]
pub fn set_back_throttle(until: DateTime<Utc>, before: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    if until <= now { until } else { now + (until - before).max(TimeDelta::zero()) }
}
