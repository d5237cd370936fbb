//! What an import tells while it goes on, and when it is done.

use super::{MOST_REFUSED, Moved};

/// What an [`Import01`](super::Import01) is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportProgress {
    /// Jobs were stored in a transaction that is not committed yet.
    Stored {
        /// How many.
        jobs: u64,
    },
    /// That was committed, or there was nothing to move.
    Moved {
        /// How many.
        jobs: u64,
        /// How many jobs this call has moved until now.
        moved: u64,
    },
}

/// What an [`Import01`](super::Import01) has done; of a dry run, what it would do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportReport {
    /// The schema of the old table.
    pub schema: String,
    /// The jobs that were moved, by executor and by the status that they had, in this order.
    pub moved: Vec<OldJobs>,
    /// The jobs that this version cannot have, and why: the first 1,000 by number. They are in the old table.
    pub refused: Vec<RefusedJob>,
    /// How many there are in all.
    pub refused_jobs: u64,
    /// What is in the old table afterwards, counted there.
    pub left: Vec<OldJobs>,
}

/// Jobs of one executor in one status.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OldJobs {
    /// The executor.
    pub executor: String,
    /// The status in 0.1: `scheduled`, `executing`, `retryable`, `complete`, `cancelled` or `discarded`.
    pub status: String,
    /// How many there are.
    pub jobs: u64,
}

/// A job that this version cannot have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusedJob {
    /// Its number in 0.1.
    pub id: i32,
    /// Its executor.
    pub executor: String,
    /// Its status in 0.1.
    pub status: String,
    /// What is wrong with it.
    pub problem: String,
}

impl OldJobs {
    pub(crate) fn new(executor: String, status: String, jobs: u64) -> Self {
        Self { executor, status, jobs }
    }
}

impl ImportReport {
    pub(super) fn new(schema: &str) -> Self {
        Self { schema: schema.to_owned(), moved: Vec::new(), refused: Vec::new(), refused_jobs: 0, left: Vec::new() }
    }

    /// How many jobs were moved.
    pub fn moved_jobs(&self) -> u64 {
        self.moved.iter().map(|moved| moved.jobs).sum()
    }

    /// How many jobs are in the old table.
    pub fn left_jobs(&self) -> u64 {
        self.left.iter().map(|left| left.jobs).sum()
    }

    /// The statements that drop the old table and what goes with it, once nothing is left in it.
    pub fn drop_sql(&self) -> Option<String> {
        let schema = match &*self.schema {
            "public" => "public".to_owned(),
            name => format!("\"{}\"", name.replace('"', "\"\"")),
        };
        let sql = format!(
            "DROP TABLE {schema}.rexecutor_jobs;\nDROP FUNCTION IF EXISTS {schema}.rexecutor_new_job_notify();\n\
             DROP TYPE {schema}.rexecutor_job_state;"
        );
        self.left.is_empty().then_some(sql)
    }

    pub(super) fn add(&mut self, moved: Moved) {
        for (executor, status) in moved.jobs {
            let place = self.moved.binary_search_by(|one| (&one.executor, &one.status).cmp(&(&executor, &status)));
            match place {
                Ok(place) => self.moved[place].jobs += 1,
                Err(place) => self.moved.insert(place, OldJobs::new(executor, status, 1)),
            }
        }
        self.refused_jobs += moved.refused.len() as u64;
        let room = MOST_REFUSED.saturating_sub(self.refused.len());
        self.refused.extend(moved.refused.into_iter().take(room));
    }

    /// They are found again by the next walk.
    pub(super) fn forget_refused(&mut self) {
        self.refused.clear();
        self.refused_jobs = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_counted_in_order_and_only_an_empty_table_is_to_be_dropped() {
        let mut report = ImportReport::new("we\"ird");
        let job = |executor: &str, status: &str| (executor.to_owned(), status.to_owned());
        report.add(Moved { jobs: vec![job("b", "x"), job("a", "y"), job("a", "x"), job("a", "y")], refused: vec![] });
        let counts: Vec<_> = report.moved.iter().map(|one| (&*one.executor, &*one.status, one.jobs)).collect();
        assert_eq!(counts, [("a", "x", 1), ("a", "y", 2), ("b", "x", 1)]);
        assert_eq!(report.moved_jobs(), 4);
        assert!(report.drop_sql().unwrap().starts_with("DROP TABLE \"we\"\"ird\".rexecutor_jobs;"));
        report.left = report.moved.clone();
        assert_eq!(report.drop_sql(), None);
    }

    #[test]
    fn all_refused_jobs_are_counted_and_the_first_ones_are_named() {
        let refused = |id| RefusedJob { id, executor: "a".into(), status: "b".into(), problem: "c".into() };
        let mut report = ImportReport::new("public");
        report.add(Moved { jobs: vec![], refused: (0..999).map(refused).collect() });
        report.add(Moved { jobs: vec![], refused: (999..2_000).map(refused).collect() });
        assert_eq!((report.refused.len(), report.refused_jobs, report.refused[999].id), (1_000, 2_000, 999));
        report.forget_refused();
        assert_eq!((report.refused.len(), report.refused_jobs), (0, 0));
    }
}
