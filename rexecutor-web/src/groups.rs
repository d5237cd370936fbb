//! Discarded jobs that failed alike.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::JobRow,
    job::{ExecutorName, JobId},
};

use crate::format;

/// Jobs that failed alike: of one executor, with one type of error, whose first line differs in numbers at most.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// Whose jobs.
    pub executor: ExecutorName,
    /// The type of their last errors.
    pub error_type: String,
    /// The first line of it, with `#` for numbers.
    pub headline: String,
    /// How many there are.
    pub jobs: usize,
    /// The one that was discarded last, and when.
    pub last: (JobId, DateTime<Utc>),
    /// When the first of them was discarded.
    pub first_at: DateTime<Utc>,
}

impl Group {
    /// The groups of these discarded jobs, the largest first.
    pub fn of(jobs: &[JobRow]) -> Vec<Self> {
        let mut groups = BTreeMap::<_, Self>::new();
        for job in jobs {
            let (error_type, headline) = kind(job);
            let at = job.finished_at().unwrap_or(job.inserted_at);
            let new = || Self {
                executor: job.executor.clone(),
                error_type: error_type.clone(),
                headline: headline.clone(),
                jobs: 0,
                last: (job.id, at),
                first_at: at,
            };
            let group = groups.entry((job.executor.clone(), error_type.clone(), headline.clone())).or_insert_with(new);
            group.jobs += 1;
            group.first_at = group.first_at.min(at);
            if at > group.last.1 {
                group.last = (job.id, at);
            }
        }
        let mut groups: Vec<Self> = groups.into_values().collect();
        groups.sort_by_key(|group| std::cmp::Reverse((group.jobs, group.last.1)));
        groups
    }
}

/// The type of its last error, and the first line of it without its numbers.
pub fn kind(job: &JobRow) -> (String, String) {
    let Some(error) = job.errors.last() else { return (String::new(), String::new()) };
    let mut headline = String::new();
    for character in format::short(&error.details, 160).chars() {
        match character {
            '0'..='9' if headline.ends_with('#') => {}
            '0'..='9' => headline.push('#'),
            other => headline.push(other),
        }
    }
    (error.error_type.to_string(), headline)
}

#[cfg(test)]
mod tests {
    use rexecutor::{
        backend::Failure,
        job::{ErrorType, JobError},
    };

    use super::*;

    #[test]
    fn errors_that_differ_in_numbers_are_one_kind() {
        let of = |details: &str| {
            let mut job = JobRow::empty(1.into(), "mail".into());
            let failure = Failure::new(ErrorType::Timeout, details);
            job.errors.push(JobError::new(1, failure, DateTime::UNIX_EPOCH));
            kind(&job)
        };
        assert_eq!(
            of("order 4711 of 10.0.0.1: late\nmore"),
            ("timeout".to_owned(), "order # of #.#.#.#: late".to_owned())
        );
        assert_eq!(of("order 1 of 9.9.9.9: late"), of("order 22 of 1.1.1.1: late"));
    }
}
