//! Completing runs, which is how most of them end: statements that change every run that they name, or fail.

use rexecutor::job::{JobId, Lease};

use super::script::{Script, json};

/// Runs that have completed.
#[derive(Debug, Default)]
pub(super) struct Completed {
    pub(super) kept: Vec<(JobId, Lease)>,
    pub(super) unkept: Vec<(JobId, Lease)>,
}

impl Completed {
    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.unkept.is_empty()
    }

    /// The statements. Where one of the runs is not what it was expected to be, they fail before whatever comes after
    /// them.
    pub(super) fn script(self, now: i64) -> Result<Script, sqlx::Error> {
        let mut script = Script::default();
        for (mut runs, completed_at) in [(self.kept, Some(now)), (self.unkept, None)] {
            runs.sort_unstable();
            let ranges = Range::all(&runs);
            script = match ranges.len() {
                0 => script,
                1..=MOST_RANGES => by_ranges(script, &ranges, completed_at)?,
                _ => by_numbers(script, &runs, completed_at)?,
            };
        }
        Ok(script)
    }
}

/// Runs of one lease of jobs whose numbers follow each other.
#[derive(Debug, Clone, Copy)]
struct Range {
    first: i64,
    last: i64,
    lease: Lease,
}

impl Range {
    /// None of any job.
    const EMPTY: Self = Self { first: 0, last: -1, lease: Lease(0) };

    /// The ranges of these runs, which are in the order of their jobs.
    fn all(runs: &[(JobId, Lease)]) -> Vec<Self> {
        let mut ranges: Vec<Self> = Vec::new();
        for (id, lease) in runs.iter().map(|(id, lease)| (id.as_i64(), *lease)) {
            match ranges.last_mut() {
                Some(range) if range.lease == lease && range.last.checked_add(1) == Some(id) => range.last = id,
                _ => ranges.push(Self { first: id, last: id, lease }),
            }
        }
        ranges
    }

    fn len(self) -> i64 {
        self.last - self.first + 1
    }
}

/// Where there are more ranges, a list of numbers is as fast.
const MOST_RANGES: usize = 4;

fn by_ranges(mut script: Script, ranges: &[Range], completed_at: Option<i64>) -> Result<Script, sqlx::Error> {
    // Few different texts, because each stays prepared.
    let count = ranges.len().next_power_of_two();
    for range in ranges.iter().chain(std::iter::repeat(&Range::EMPTY)).take(count) {
        script = match completed_at {
            Some(now) => script.then(include_str!("queries/complete_range.sql")).bind(now)?,
            None => script.then(include_str!("queries/delete_range.sql")),
        };
        script = script.bind(range.first)?.bind(range.last)?.bind(range.lease.0)?;
        script = expect(script, range.len())?;
    }
    Ok(script)
}

fn by_numbers(script: Script, runs: &[(JobId, Lease)], completed_at: Option<i64>) -> Result<Script, sqlx::Error> {
    let Some((_, lease)) = runs.first().copied() else { return Ok(script) };
    let is_alike = runs.iter().all(|(_, other)| *other == lease);
    let pairs = || json(&runs.iter().map(|(id, lease)| (id, lease.0)).collect::<Vec<_>>());
    let script = match completed_at {
        Some(now) if is_alike => script
            .then(include_str!("queries/complete_alike.sql"))
            .bind(now)?
            .bind(json(&runs.iter().map(|(id, _)| id).collect::<Vec<_>>())?)?
            .bind(lease.0)?,
        Some(now) => script.then(include_str!("queries/complete_jobs.sql")).bind(now)?.bind(pairs()?)?,
        None => script.then(include_str!("queries/delete_jobs.sql")).bind(pairs()?)?,
    };
    expect(script, i64::try_from(runs.len()).unwrap_or(i64::MAX))
}

/// Adds the statement that fails unless the one before it has changed so many rows.
pub(super) fn expect(script: Script, count: i64) -> Result<Script, sqlx::Error> {
    script.then(include_str!("queries/expect_changes.sql")).bind(count)
}
