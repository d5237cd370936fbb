//! Jobs that are set aside in the step that has claimed them, because a tag of theirs is paused.

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{JobRow, lifecycle},
    job::{ExecutorName, JobId},
};

/// The tags that are paused, as a claim finds them.
#[derive(Debug, Default)]
pub(crate) struct PausedTags {
    /// Those that are paused.
    pub(crate) names: Vec<String>,
    /// Whether there are others, whose pauses are over, and jobs that may have been set aside for them.
    pub(crate) has_over: bool,
    /// When the next pause is over by itself.
    pub(crate) again_at: Option<DateTime<Utc>>,
}

/// How many jobs are set aside, or taken back, in one claim of an executor, beside those that it meets.
pub(crate) const AT_ONCE: i64 = 5_000;

/// A job that is set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Aside {
    pub(crate) job: JobId,
    pub(crate) tag: String,
    pub(crate) due_at: DateTime<Utc>,
}

impl PausedTags {
    /// Whether claims have anything to heed.
    #[cfg(feature = "postgres")]
    pub(crate) fn is_any(&self) -> bool {
        !self.names.is_empty() || self.has_over
    }

    /// Takes those out of the claimed jobs that have a paused tag, as they are once they are set aside.
    pub(crate) fn take_out(&self, jobs: &mut Vec<JobRow>) -> (Vec<JobRow>, Vec<Aside>) {
        let (mut rows, mut aside) = (Vec::new(), Vec::new());
        if self.names.is_empty() {
            return (rows, aside);
        }
        let tag_of = |row: &JobRow| row.tags.iter().find(|tag| self.names.contains(tag)).cloned();
        for mut row in jobs.extract_if(.., |row| tag_of(row).is_some()) {
            let tag = tag_of(&row).unwrap_or_default();
            // Those are stored already.
            row.errors.clear();
            aside.push(Aside { job: row.id, tag, due_at: lifecycle::set_aside_claimed(&mut row) });
            rows.push(row);
        }
        (rows, aside)
    }
}

/// The executors of these jobs, each once.
pub(crate) fn executors_of(jobs: &[JobRow]) -> Vec<ExecutorName> {
    let mut names: Vec<ExecutorName> = jobs.iter().map(|job| job.executor.clone()).collect();
    names.sort_unstable();
    names.dedup();
    names
}
