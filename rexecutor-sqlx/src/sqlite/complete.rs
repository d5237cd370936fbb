//! Completing runs, which is how most of them end: statements that change every run that they name, or fail.

use rexecutor::job::{JobId, Lease};

use super::{
    queries,
    script::{Script, json},
};

/// Runs that have completed.
#[derive(Debug, Default)]
pub(super) struct Completed<'o> {
    pub(super) kept: Vec<(JobId, Lease)>,
    pub(super) unkept: Vec<(JobId, Lease)>,
    /// Those that have given something, with their leases and what it is.
    pub(super) outputs: Vec<(JobId, i64, &'o str)>,
    /// Those that are part of a flow, with their leases and what they have given.
    pub(super) members: Vec<(JobId, i64, Option<&'o str>)>,
}

impl Completed<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn len(&self) -> usize {
        self.kept.len() + self.unkept.len() + self.outputs.len() + self.members.len()
    }

    /// The statements. Where one of the runs is not what it was expected to be, they fail before whatever comes after
    /// them.
    pub(super) fn script(self, now: i64) -> Result<Script, sqlx::Error> {
        let mut script = Script::default();
        for (mut runs, completed_at) in [(self.kept, Some(now)), (self.unkept, None)] {
            runs.sort_unstable();
            script = match Ranges::of(&runs) {
                _ if runs.is_empty() => script,
                Some(ranges) => ranges.complete(script, completed_at)?,
                None => by_numbers(script, &runs, completed_at)?,
            };
        }
        if !self.outputs.is_empty() {
            script = script.then(queries::complete_with_outputs()).bind(now)?.bind(json(&self.outputs)?)?;
            script = expect(script, i64::try_from(self.outputs.len()).unwrap_or(i64::MAX))?;
        }
        if !self.members.is_empty() {
            script = script.then(queries::complete_members()).bind(now)?.bind(json(&self.members)?)?;
            script = expect(script, i64::try_from(self.members.len()).unwrap_or(i64::MAX))?;
        }
        Ok(script)
    }
}

/// Runs of one lease of jobs whose numbers nearly follow each other.
#[derive(Debug, PartialEq, Eq)]
struct Ranges {
    lease: Lease,
    /// The first and the last number of each. Those that hold nothing come last.
    ranges: [(i64, i64); 4],
    last: i64,
    count: i64,
}

impl Ranges {
    /// The ranges of these runs, which are in the order of their jobs, if they are few, and the gaps not too wide.
    fn of(runs: &[(JobId, Lease)]) -> Option<Self> {
        let (&(first, lease), &(last, _)) = (runs.first()?, runs.last()?);
        let mut found =
            Self { lease, ranges: [(0, -1); 4], last: last.as_i64(), count: i64::try_from(runs.len()).ok()? };
        // Rows in the gaps are read in vain.
        if found.last.checked_sub(first.as_i64())? > found.count.checked_mul(2)? {
            return None;
        }
        let mut ranges = found.ranges.iter_mut();
        let mut range: Option<&mut (i64, i64)> = None;
        for (id, other) in runs {
            let id = id.as_i64();
            match &mut range {
                _ if *other != lease => return None,
                Some((_, last)) if last.checked_add(1) == Some(id) => *last = id,
                _ => {
                    let next = ranges.next()?;
                    *next = (id, id);
                    range = Some(next);
                }
            }
        }
        Some(found)
    }

    fn complete(&self, script: Script, completed_at: Option<i64>) -> Result<Script, sqlx::Error> {
        let script = match completed_at {
            Some(now) => script.then(queries::complete_ranges()).bind(now)?,
            None => script.then(queries::delete_ranges()),
        };
        let hull = script.bind(self.ranges[0].0)?.bind(self.last)?;
        let ranges = self.ranges.iter().try_fold(hull, |script, (first, last)| script.bind(*first)?.bind(*last))?;
        expect(ranges.bind(self.lease.0)?, self.count)
    }
}

fn by_numbers(script: Script, runs: &[(JobId, Lease)], completed_at: Option<i64>) -> Result<Script, sqlx::Error> {
    let Some((_, lease)) = runs.first().copied() else { return Ok(script) };
    let is_alike = runs.iter().all(|(_, other)| *other == lease);
    let pairs = || json(&runs.iter().map(|(id, lease)| (id, lease.0)).collect::<Vec<_>>());
    let script = match completed_at {
        Some(now) if is_alike => script
            .then(queries::complete_alike())
            .bind(now)?
            .bind(json(&runs.iter().map(|(id, _)| id).collect::<Vec<_>>())?)?
            .bind(lease.0)?,
        Some(now) => script.then(queries::complete_runs()).bind(now)?.bind(pairs()?)?,
        None => script.then(queries::delete_runs()).bind(pairs()?)?,
    };
    expect(script, i64::try_from(runs.len()).unwrap_or(i64::MAX))
}

/// Adds the statement that fails unless the one before it has changed so many rows.
pub(super) fn expect(script: Script, count: i64) -> Result<Script, sqlx::Error> {
    script.then(queries::expect_changes()).bind(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(ids: &[i64], leases: &[i64]) -> Option<[(i64, i64); 4]> {
        let runs: Vec<_> = ids.iter().zip(leases).map(|(id, lease)| (JobId::from(*id), Lease(*lease))).collect();
        Ranges::of(&runs).map(|found| found.ranges)
    }

    #[test]
    fn runs_whose_numbers_nearly_follow_each_other_are_ranges() {
        assert_eq!(ranges(&[7], &[1]), Some([(7, 7), (0, -1), (0, -1), (0, -1)]));
        assert_eq!(ranges(&[1, 2, 4, 5, 6], &[1; 5]), Some([(1, 2), (4, 6), (0, -1), (0, -1)]));
        assert_eq!(ranges(&[1, 3, 5, 7], &[1; 4]), Some([(1, 1), (3, 3), (5, 5), (7, 7)]));
        let end = i64::MAX;
        assert_eq!(ranges(&[end - 1, end], &[1; 2]), Some([(end - 1, end), (0, -1), (0, -1), (0, -1)]));
    }

    #[test]
    fn runs_that_are_scattered_or_of_different_leases_are_none() {
        assert_eq!(ranges(&[1, 3, 5, 7, 9], &[1; 5]), None);
        assert_eq!(ranges(&[1, 2, 100], &[1; 3]), None);
        assert_eq!(ranges(&[1, 2], &[1, 2]), None);
        assert_eq!(ranges(&[i64::MIN, i64::MAX], &[1; 2]), None);
        assert_eq!(ranges(&[], &[]), None);
    }
}
