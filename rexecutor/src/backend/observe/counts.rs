//! How many jobs there are.

use std::{collections::BTreeMap, fmt};

use crate::model::{ExecutorName, JobStatus};

/// How many there are, or how many at least.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Count {
    /// The number.
    pub jobs: u64,
    /// Whether there may be more.
    pub is_least: bool,
}

impl Count {
    /// Exactly so many.
    pub fn exact(jobs: usize) -> Self {
        Self { jobs: u64::try_from(jobs).unwrap_or(u64::MAX), is_least: false }
    }

    /// So many, when no more than `cap` were counted.
    pub fn up_to(jobs: usize, cap: usize) -> Self {
        Self { is_least: jobs >= cap, ..Self::exact(jobs.min(cap)) }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { jobs: self.jobs.saturating_add(other.jobs), is_least: self.is_least || other.is_least }
    }
}

/// With a comma between thousands: `12,345`, or `10,000+` where there may be more.
impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.jobs.to_string();
        let mut shown = String::with_capacity(digits.len() + digits.len() / 3 + 1);
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                shown.push(',');
            }
            shown.push(digit);
        }
        if self.is_least {
            shown.push('+');
        }
        f.pad(&shown)
    }
}

/// How many jobs there are, by executor and status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Those of each executor. What is not here is zero, or among the [rest](Self::is_least).
    pub by_executor: BTreeMap<ExecutorName, BTreeMap<JobStatus, Count>>,
    /// Those of all executors together.
    pub totals: BTreeMap<JobStatus, Count>,
}

impl Counts {
    /// Adds what was counted of a status: so many of each executor, out of at most `cap` rows.
    pub fn add(&mut self, status: JobStatus, counted: impl IntoIterator<Item = (ExecutorName, usize)>, cap: usize) {
        let counted: Vec<_> = counted.into_iter().collect();
        let total = Count::up_to(counted.iter().map(|(_, jobs)| jobs).sum(), cap);
        for (executor, jobs) in counted {
            self.add_one(status, executor, Count { is_least: total.is_least, ..Count::exact(jobs) });
        }
        let known = self.totals.entry(status).or_default();
        known.is_least |= total.is_least;
    }

    /// Adds what was counted of an executor that waits: so many are scheduled and so many retryable, out of at most `cap` rows.
    pub fn add_waiting(&mut self, executor: ExecutorName, scheduled: usize, retryable: usize, cap: usize) {
        let is_least = scheduled.saturating_add(retryable) >= cap;
        for (status, jobs) in [(JobStatus::Scheduled, scheduled), (JobStatus::Retryable, retryable)] {
            self.add_one(status, executor.clone(), Count { is_least, ..Count::exact(jobs) });
        }
    }

    /// Adds what was counted of one executor and status.
    pub fn add_one(&mut self, status: JobStatus, executor: ExecutorName, count: Count) {
        let total = self.totals.entry(status).or_default();
        *total = total.plus(count);
        let known = self.by_executor.entry(executor).or_default().entry(status).or_default();
        *known = known.plus(count);
    }

    /// How many of this status.
    pub fn total(&self, status: JobStatus) -> Count {
        self.totals.get(&status).copied().unwrap_or_default()
    }

    /// How many of this executor and status. Where the total of the status is a least number, so is this.
    pub fn of(&self, executor: &ExecutorName, status: JobStatus) -> Count {
        let counted = self.by_executor.get(executor).and_then(|counts| counts.get(&status)).copied();
        counted.unwrap_or(Count { jobs: 0, is_least: self.is_least(status) })
    }

    /// Whether not all of this status were counted.
    pub fn is_least(&self, status: JobStatus) -> bool {
        self.total(status).is_least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_has_commas_and_says_that_there_may_be_more() {
        let shown = [0, 999, 1_000, 1_234_567].map(|jobs| Count::up_to(jobs, 1_000).to_string());
        assert_eq!(shown, ["0", "999", "1,000+", "1,000+"]);
        assert_eq!(Count::exact(1_234_567).to_string(), "1,234,567");
    }

    #[test]
    fn what_was_not_counted_in_full_is_a_least_number_for_every_executor() {
        let mut counts = Counts::default();
        counts.add(JobStatus::Complete, [("mail".into(), 3), ("print".into(), 2)], 5);
        counts.add(JobStatus::Discarded, [("mail".into(), 4)], 5);
        assert_eq!(counts.total(JobStatus::Complete).to_string(), "5+");
        assert_eq!(counts.of(&"mail".into(), JobStatus::Complete).to_string(), "3+");
        assert_eq!(counts.of(&"other".into(), JobStatus::Complete).to_string(), "0+");
        assert_eq!(counts.of(&"mail".into(), JobStatus::Discarded).to_string(), "4");
        assert_eq!(counts.of(&"other".into(), JobStatus::Discarded).to_string(), "0");
    }
}
