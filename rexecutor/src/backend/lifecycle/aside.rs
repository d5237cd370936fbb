//! Jobs that are set aside, because a tag of theirs is paused.
//!
//! A claim that meets such a job puts its due time off, so that no later claim meets it again: a hundred thousand of them at the head
//! of a line keep nobody waiting. When each was due is stored apart, and that is its due time again once the tag is resumed.

use chrono::{DateTime, Utc};

use super::wait_again;
use crate::model::{EventKind, Happened, JobRow, Pause};

/// When a job is due that is set aside: on the first day of the year 9000.
pub const ASIDE: DateTime<Utc> = match DateTime::from_timestamp(221_845_392_000, 0) {
    Some(at) => at,
    None => DateTime::<Utc>::MAX_UTC,
};

/// From when on a due time is taken for that of a job that is set aside: a clock that was set back has moved it with it.
pub const ASIDE_FROM: DateTime<Utc> = match DateTime::from_timestamp(218_689_718_400, 0) {
    Some(at) => at,
    None => ASIDE,
};

/// Whether it looks as if it were set aside.
pub fn is_aside(row: &JobRow) -> bool {
    row.status.is_pending() && row.scheduled_at >= ASIDE_FROM
}

/// Sets a job aside that waits; returns when it was due.
pub fn set_aside(row: &mut JobRow) -> DateTime<Utc> {
    std::mem::replace(&mut row.scheduled_at, ASIDE)
}

/// Sets a job aside in the step that has claimed it: it does not run, and the attempt does not count. Returns when it was due.
pub fn set_aside_claimed(row: &mut JobRow) -> DateTime<Utc> {
    row.node = None;
    wait_again(row, EventKind::GivenBack);
    // Nobody was told that it was claimed.
    row.happened = Happened::NOTHING;
    set_aside(row)
}

/// A job is due again that was set aside, as it was before; one that somebody has changed meanwhile stays as it is. Returns whether
/// anything has changed.
pub fn take_back(row: &mut JobRow, due_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    let was_aside = is_aside(row);
    if was_aside {
        // It was due then, whatever clock says otherwise now.
        row.scheduled_at = due_at.min(now);
    }
    was_aside
}

/// The first of a job's tags that is paused.
pub fn paused_tag<'r>(row: &'r JobRow, mut pause_of: impl FnMut(&str) -> Option<&'r Pause>) -> Option<&'r str> {
    row.tags.iter().map(String::as_str).find(|tag| pause_of(tag).is_some())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::model::{JobId, JobStatus};

    #[test]
    fn a_job_is_set_aside_and_taken_back_as_it_was() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let mut row = JobRow::empty(JobId::from(1), "mail".into());
        (row.scheduled_at, row.status, row.attempt) = (now, JobStatus::Executing, 2);
        assert_eq!(set_aside_claimed(&mut row), now);
        assert_eq!((row.status, row.attempt, row.scheduled_at), (JobStatus::Retryable, 1, ASIDE));
        assert_eq!(ASIDE.to_rfc3339(), "9000-01-01T00:00:00+00:00");
        assert!(is_aside(&row));
        row.scheduled_at -= TimeDelta::days(100);
        assert!(take_back(&mut row, now, now + TimeDelta::seconds(5)));
        assert_eq!(row.scheduled_at, now);
        assert!(!take_back(&mut row, now - TimeDelta::days(1), now), "it is not set aside");
        assert_eq!(row.scheduled_at, now);
        row.scheduled_at = ASIDE;
        assert!(take_back(&mut row, now, now - TimeDelta::hours(1)));
        assert_eq!(row.scheduled_at, now - TimeDelta::hours(1), "a clock was set back");
    }
}
