//! What follows for tasks, whatever database keeps them.

use std::collections::BTreeMap;

use rexecutor::{
    backend::{
        JobRow, Marks,
        flows::{Decision, decide, reason, result_of},
    },
    workflows::{RunWhen, TaskResult},
};

/// What becomes of tasks that others were told about.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    /// These are released.
    pub(crate) runs: Vec<i64>,
    /// These are skipped or cancelled, with the reason.
    pub(crate) ends: BTreeMap<i64, (Decision, String)>,
}

impl Decisions {
    /// Decides about a task. `because` is the name of one before it that has not succeeded, if it is one of those that were told just now.
    pub(crate) fn add(
        &mut self,
        job: i64,
        run_when: RunWhen,
        tally: rexecutor::backend::flows::TaskTally,
        because: Option<&str>,
    ) {
        match decide(run_when, tally) {
            Decision::Wait => {}
            Decision::Run => self.runs.push(job),
            decision => drop(self.ends.insert(job, (decision, reason(decision, because)))),
        }
    }
}

/// Whether a job is a task that was skipped.
pub(crate) fn is_skipped(job: &JobRow) -> bool {
    result_of(job.status, job.marks.contains(Marks::SKIPPED)) == Some(TaskResult::Skipped)
}
