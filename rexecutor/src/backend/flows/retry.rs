//! Which tasks of a workflow run again when it is retried.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    decision::{Decision, decide},
    task_row::TaskRow,
};
use crate::model::{JobId, JobStatus, TaskResult, TaskTally};

/// A task that a retry concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retried {
    /// Its job.
    pub job: JobId,
    /// How many of its predecessors have ended how, now.
    pub tally: TaskTally,
    /// What becomes of its job.
    pub job_is: Rerun,
}

/// What a retry makes of a task's job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rerun {
    /// It is due.
    Due,
    /// It is blocked until its predecessors have ended again.
    Blocked,
    /// It is blocked already, and waits for predecessors that run again.
    AsItIs,
}

/// What a retry changes: tasks that have failed run again, those first that nothing before them keeps from it. What has succeeded or was
/// skipped stays so, a task that undid something among it.
pub fn retry(tasks: &[TaskRow]) -> Vec<Retried> {
    let failed: BTreeSet<JobId> =
        tasks.iter().filter(|task| task.result() == Some(TaskResult::Failed)).map(|task| task.job).collect();
    let results: BTreeMap<JobId, Option<TaskResult>> =
        tasks.iter().map(|task| (task.job, task.result().filter(|_| !failed.contains(&task.job)))).collect();
    let concerned = tasks.iter().filter(|task| failed.contains(&task.job) || task.status == Some(JobStatus::Blocked));
    let retried = concerned.filter_map(|task| {
        let mut tally = TaskTally::of(u32::try_from(task.after.len()).unwrap_or(u32::MAX));
        task.after.iter().filter_map(|before| results.get(before).copied().flatten()).for_each(|end| tally.add(end));
        let job_is = match (failed.contains(&task.job), decide(task.run_when, tally)) {
            (false, _) => Rerun::AsItIs,
            // Whoever cancelled it did so before its predecessors had ended.
            (true, Decision::Wait) => Rerun::Blocked,
            (true, Decision::Run) => Rerun::Due,
            (true, Decision::Skip | Decision::Cancel) => return None,
        };
        // What was deleted cannot run again.
        task.status.is_some().then_some(Retried { job: task.job, tally, job_is })
    });
    retried.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RunWhen;

    fn task(id: i64, after: &[i64], status: JobStatus) -> TaskRow {
        let mut task = TaskRow::new(JobId::from(id), "mail".into(), id.to_string());
        task.after = after.iter().copied().map(JobId::from).collect();
        task.status = Some(status);
        task
    }

    fn again(tasks: &[TaskRow]) -> Vec<(i64, Rerun, u32)> {
        retry(tasks).into_iter().map(|task| (task.job.as_i64(), task.job_is, task.tally.open())).collect()
    }

    #[test]
    fn what_has_failed_runs_again_and_what_comes_after_it_waits() {
        use JobStatus::{Blocked, Cancelled, Complete, Discarded, Executing};
        let tasks = [
            task(1, &[], Complete),
            task(2, &[1], Discarded),
            task(3, &[1], Executing),
            task(4, &[2, 3], Cancelled),
            task(5, &[4], Cancelled),
            task(6, &[2, 3], Blocked),
        ];
        let expected = [(2, Rerun::Due, 0), (4, Rerun::Blocked, 2), (5, Rerun::Blocked, 1), (6, Rerun::AsItIs, 2)];
        assert_eq!(again(&tasks), expected);
        assert_eq!(again(&tasks[..1]), []);
    }

    #[test]
    fn what_undid_something_and_what_was_skipped_stays_so() {
        use JobStatus::{Cancelled, Complete, Discarded};
        let mut undo = task(2, &[1], Complete);
        undo.run_when = RunWhen::AnyFailed;
        let mut skipped = task(3, &[1], Cancelled);
        skipped.is_skipped = true;
        let tasks = [task(1, &[], Discarded), undo, skipped, task(4, &[3], Cancelled)];
        assert_eq!(again(&tasks), [(1, Rerun::Due, 0)], "the last would only be skipped");
    }
}
