//! How far claims have got in each executor's queue.
//!
//! Rows that were claimed stay in the ready index as dead entries until they are vacuumed, and a claim from the start of
//! the queue steps over all of them. So while a long queue is worked off, each claim goes on where the last one ended. What
//! comes in behind that place is found by a claim from the start: after 25 times as long as the last one took, which
//! keeps their share of the time small, after a second at the latest, and before a node is told that there is nothing
//! more.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use rexecutor::{backend::JobRow, job::ExecutorName};

/// A place in an executor's line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) priority: i32,
    pub(super) at: DateTime<Utc>,
    pub(super) id: i64,
}

impl Cursor {
    pub(super) fn of(job: &JobRow) -> Self {
        Self { priority: job.priority.into(), at: job.scheduled_at, id: job.id.as_i64() }
    }
}

/// From how many jobs of an executor on a claim goes on where this one, of so many jobs of all, has ended. Smaller ones
/// keep the strict order. Where many executors share a claim, each has few of it, and dead entries all the same.
pub(super) fn shortest(all: usize) -> usize {
    if all < MANY { MANY } else { MANY / 10 }
}

const MANY: usize = 100;

/// How many times as long as a claim from the start took others may go on after it.
const STRETCH: u32 = 25;

/// The places that were reached.
#[derive(Debug, Default)]
pub(super) struct ClaimCursors(Mutex<HashMap<ExecutorName, Reached>>);

#[derive(Debug, Clone, Copy)]
struct Reached {
    cursor: Cursor,
    start: Scan,
}

/// A claim from the start of a queue: when it began, in the time that nobody can set, and how long it took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan {
    pub(super) at: Duration,
    pub(super) took: Duration,
}

impl Scan {
    /// Whether claims may still go on after it.
    fn is_recent(self, now: Duration) -> bool {
        now.saturating_sub(self.at) < self.took.saturating_mul(STRETCH).min(Duration::from_secs(1))
    }
}

impl ClaimCursors {
    /// After which place a claim begins; `None`: at the start.
    pub(super) fn of(&self, executor: &ExecutorName, now: Duration) -> Option<Cursor> {
        let reached = self.reached_so_far();
        let recent = |reached: &&Reached| reached.start.is_recent(now);
        reached.get(executor).filter(recent).map(|reached| reached.cursor)
    }

    /// Records where a claim that got all it asked for ended, and whether it began at the start; `None`: there were fewer
    /// jobs, or too few, and the next one begins at the start.
    pub(super) fn reached(&self, executor: &ExecutorName, last: Option<Cursor>, start: Option<Scan>) {
        let mut reached = self.reached_so_far();
        let start = start.or(reached.get(executor).map(|reached| reached.start));
        match last.zip(start) {
            Some((cursor, start)) => drop(reached.insert(executor.clone(), Reached { cursor, start })),
            None => drop(reached.remove(executor)),
        }
    }

    fn reached_so_far(&self) -> MutexGuard<'_, HashMap<ExecutorName, Reached>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: Duration = Duration::from_secs(7);

    fn after(milliseconds: u64) -> Duration {
        BEGIN + Duration::from_millis(milliseconds)
    }

    fn took(milliseconds: u64) -> Option<Scan> {
        Some(Scan { at: BEGIN, took: Duration::from_millis(milliseconds) })
    }

    #[test]
    fn claims_go_on_for_a_while_and_begin_again() {
        let (cursors, executor) = (ClaimCursors::default(), ExecutorName::from("mail"));
        let place = Cursor { priority: 3, at: DateTime::UNIX_EPOCH, id: 9 };
        cursors.reached(&executor, Some(place), took(4));
        assert_eq!(cursors.of(&executor, after(99)), Some(place));
        // Going on does not count as beginning at the start.
        let from_cursors = Cursor { id: 20, ..place };
        cursors.reached(&executor, Some(from_cursors), None);
        assert_eq!(cursors.of(&executor, after(99)), Some(from_cursors));
        assert_eq!(cursors.of(&executor, after(100)), None);
        // A second is the most.
        cursors.reached(&executor, Some(place), took(60_000));
        assert_eq!(cursors.of(&executor, after(999)), Some(place));
        assert_eq!(cursors.of(&executor, after(1_000)), None);
        cursors.reached(&executor, None, None);
        assert_eq!(cursors.of(&executor, BEGIN), None);
    }

    #[test]
    fn small_claims_keep_to_the_start() {
        assert_eq!([1, 99, 100, 1_000].map(shortest), [100, 100, 10, 10]);
    }
}
