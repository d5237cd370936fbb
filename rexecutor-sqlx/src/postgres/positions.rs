//! How far claims have got in each executor's line.
//!
//! While any transaction holds an old snapshot, rows that were claimed stay in the ready index as dead entries, and a claim
//! from the start of the line steps over all of them. When claims become slow by it, they go on where the last one ended.
//! What comes in behind that place is found by a claim from the start: after a second at the latest, and before a node
//! is told that there is nothing more.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use rexecutor::{backend::JobRow, job::ExecutorName};

/// A place in an executor's line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) priority: i32,
    pub(super) at: DateTime<Utc>,
    pub(super) id: i64,
}

impl Position {
    /// Before every job.
    pub(super) const START: Self = Self { priority: -1, at: DateTime::UNIX_EPOCH, id: 0 };

    pub(super) fn of(job: &JobRow) -> Self {
        Self { priority: job.priority.into(), at: job.scheduled_at, id: job.id.as_i64() }
    }

    pub(super) fn is_start(self) -> bool {
        self == Self::START
    }

    /// Whether a claim of so many jobs took longer than it does in a line without dead entries. Small claims count as
    /// quick: they keep the strict order.
    pub(super) fn is_slow(jobs: usize, elapsed: TimeDelta) -> bool {
        let usual = TimeDelta::microseconds(5_000 + 40 * i64::try_from(jobs).unwrap_or(i64::MAX / 64));
        jobs >= 50 && elapsed > usual
    }
}

/// The places that were reached.
#[derive(Debug, Default)]
pub(super) struct Positions(Mutex<HashMap<ExecutorName, Reached>>);

#[derive(Debug)]
struct Reached {
    position: Position,
    /// When a claim last began at the start.
    since: DateTime<Utc>,
}

/// How long claims may go on without one from the start.
const STRETCH: TimeDelta = TimeDelta::seconds(1);

impl Positions {
    /// Where a claim begins.
    pub(super) fn of(&self, executor: &ExecutorName, now: DateTime<Utc>) -> Position {
        let reached = self.reached_so_far();
        let recent = |reached: &&Reached| (TimeDelta::zero()..STRETCH).contains(&(now - reached.since));
        reached.get(executor).filter(recent).map_or(Position::START, |reached| reached.position)
    }

    /// Records where a claim ended; `None`: the next one begins at the start.
    pub(super) fn reached(&self, executor: &ExecutorName, last: Option<Position>, from_start: Option<DateTime<Utc>>) {
        let mut reached = self.reached_so_far();
        let since = from_start.or(reached.get(executor).map(|reached| reached.since));
        match last.zip(since) {
            Some((position, since)) => drop(reached.insert(executor.clone(), Reached { position, since })),
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

    #[test]
    fn claims_go_on_for_a_second_and_begin_again() {
        let (positions, executor) = (Positions::default(), ExecutorName::from("mail"));
        let start = DateTime::UNIX_EPOCH;
        let place = Position { priority: 3, at: start, id: 9 };
        positions.reached(&executor, Some(place), Some(start));
        assert_eq!(positions.of(&executor, start + TimeDelta::milliseconds(999)), place);
        // Going on does not count as beginning at the start.
        let further = Position { id: 20, ..place };
        positions.reached(&executor, Some(further), None);
        assert_eq!(positions.of(&executor, start + TimeDelta::milliseconds(999)), further);
        assert_eq!(positions.of(&executor, start + TimeDelta::seconds(1)), Position::START);
        positions.reached(&executor, None, None);
        assert_eq!(positions.of(&executor, start), Position::START);
    }

    #[test]
    fn small_and_quick_claims_keep_to_the_start() {
        assert!(!Position::is_slow(49, TimeDelta::seconds(9)));
        assert!(!Position::is_slow(500, TimeDelta::milliseconds(10)));
        assert!(Position::is_slow(500, TimeDelta::milliseconds(41)));
    }
}
