//! Which tasks of a workflow run again when it is retried.

use std::collections::{BTreeMap, VecDeque};

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
    /// It stays as it is. It was rerun by hand since those behind it were told how it had ended, and they are told anew.
    ToldAnew,
}

impl Rerun {
    /// Whether its job runs again, now or later.
    pub fn runs_again(self) -> bool {
        matches!(self, Self::Due | Self::Blocked)
    }

    /// Whether those behind it have yet to be told how it ends.
    pub fn is_untold(self) -> bool {
        self != Self::AsItIs
    }
}

/// What a retry changes: tasks that have failed run again, those first that nothing before them keeps from it. What has succeeded or was
/// skipped stays so, a task that undid something among it; so does what would only be skipped or cancelled once more.
///
/// Of what stays, that counts of which those behind it were told: the rest is told later, and counts then. So does what had not succeeded when
/// they were told, and was rerun by hand since: what was cancelled because of it runs, once it has succeeded.
pub fn retry(tasks: &[TaskRow]) -> Vec<Retried> {
    let mut results: BTreeMap<JobId, Option<TaskResult>> = BTreeMap::new();
    let mut retried = Vec::new();
    for task in in_order(tasks) {
        let mut tally = TaskTally::of(u32::try_from(task.after.len()).unwrap_or(u32::MAX));
        task.after.iter().filter_map(|before| results.get(before).copied().flatten()).for_each(|end| tally.add(end));
        // What was deleted cannot run again.
        let has_failed = task.status.is_some() && task.result() == Some(TaskResult::Failed);
        let job_is = match (has_failed, decide(task.run_when, tally)) {
            (false, _) if task.status == Some(JobStatus::Blocked) => Some(Rerun::AsItIs),
            (false, _) => was_rerun(task).then_some(Rerun::ToldAnew),
            // Whoever cancelled it did so before its predecessors had ended.
            (true, Decision::Wait) => Some(Rerun::Blocked),
            (true, Decision::Run) => Some(Rerun::Due),
            (true, Decision::Skip | Decision::Cancel) => None,
        };
        results.insert(task.job, task.told.filter(|_| job_is.is_none()));
        retried.extend(job_is.map(|job_is| Retried { job: task.job, tally, job_is }));
    }
    retried
}

/// Whether it has not stayed at the end without success that those behind it were told.
fn was_rerun(task: &TaskRow) -> bool {
    matches!(task.told, Some(TaskResult::Failed | TaskResult::Skipped)) && task.told != task.result()
}

/// The tasks, each after those that it comes after. What is in a circle, which is never stored, is left out.
fn in_order(tasks: &[TaskRow]) -> Vec<&TaskRow> {
    let places: BTreeMap<JobId, usize> = tasks.iter().enumerate().map(|(place, task)| (task.job, place)).collect();
    let before = |task: &TaskRow| task.after.iter().filter_map(|job| places.get(job).copied()).collect::<Vec<_>>();
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); tasks.len()];
    let mut waits: Vec<usize> = vec![0; tasks.len()];
    for (place, task) in tasks.iter().enumerate() {
        for before in before(task) {
            followers[before].push(place);
            waits[place] += 1;
        }
    }
    let mut free: VecDeque<usize> = (0..tasks.len()).filter(|place| waits[*place] == 0).collect();
    let mut ordered = Vec::with_capacity(tasks.len());
    while let Some(place) = free.pop_front() {
        ordered.push(&tasks[place]);
        for follower in &followers[place] {
            waits[*follower] -= 1;
            if waits[*follower] == 0 {
                free.push_back(*follower);
            }
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RunWhen;

    fn task(id: i64, after: &[i64], status: JobStatus) -> TaskRow {
        let mut task = TaskRow::new(JobId::from(id), "mail".into(), id.to_string());
        task.after = after.iter().copied().map(JobId::from).collect();
        task.status = Some(status);
        task.told = task.result();
        task
    }

    /// By their numbers.
    fn again(tasks: &[TaskRow]) -> Vec<(i64, Rerun, u32)> {
        let mut retried = retry(tasks);
        retried.sort_unstable_by_key(|task| task.job);
        retried.into_iter().map(|task| (task.job.as_i64(), task.job_is, task.tally.open())).collect()
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
        (skipped.is_skipped, skipped.told) = (true, Some(TaskResult::Skipped));
        let tasks = [task(1, &[], Discarded), undo, skipped, task(4, &[3], Cancelled), task(5, &[4], Cancelled)];
        assert_eq!(
            again(&tasks),
            [(1, Rerun::Due, 0)],
            "the fourth would only be skipped, and the last cancelled with it"
        );
    }

    #[test]
    fn what_was_rerun_by_hand_is_told_anew() {
        use JobStatus::{Cancelled, Complete, Discarded, Executing};
        for now in [Complete, Executing] {
            let mut rerun = task(2, &[1], now);
            rerun.told = Some(TaskResult::Failed);
            let tasks = [task(1, &[], Complete), rerun, task(3, &[2], Cancelled), task(4, &[3], Cancelled)];
            let expected = [(2, Rerun::ToldAnew, 0), (3, Rerun::Blocked, 1), (4, Rerun::Blocked, 1)];
            assert_eq!(again(&tasks), expected, "{now:?}");
        }
        // One that had succeeded is no reason to wait for it again.
        let mut rerun = task(1, &[], Executing);
        rerun.told = Some(TaskResult::Succeeded);
        assert_eq!(again(&[rerun, task(2, &[1], Discarded)]), [(2, Rerun::Due, 0)]);
    }

    #[test]
    fn nothing_waits_for_what_was_deleted() {
        use JobStatus::Cancelled;
        let mut deleted = task(1, &[], Cancelled);
        deleted.status = None;
        // In whatever order they are stored.
        let tasks = [task(3, &[2], Cancelled), task(2, &[1], Cancelled), deleted.clone()];
        assert_eq!(again(&tasks), []);
        deleted.told = None;
        let tasks = [deleted, task(2, &[1], Cancelled)];
        assert_eq!(again(&tasks), [(2, Rerun::Blocked, 1)], "that it has failed is told later");
    }

    #[test]
    fn what_is_told_later_counts_once() {
        use JobStatus::{Blocked, Complete, Discarded};
        let mut untold = task(1, &[], Complete);
        untold.told = None;
        let tasks = [untold, task(2, &[], Discarded), task(3, &[1, 2], Blocked)];
        assert_eq!(again(&tasks), [(2, Rerun::Due, 0), (3, Rerun::AsItIs, 2)]);
    }
}
