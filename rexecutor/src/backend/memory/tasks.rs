//! Tasks: which of the jobs of workflows wait for which.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::store::Store;
use crate::{
    backend::{
        flows::{
            Decision, KnownTask, PlacedTask, Predecessor, Rerun, Retried, TakenTask, TaskRow, UpstreamTask, decide,
            names_of, reason, result_of, retry,
        },
        lifecycle,
    },
    model::{ExecutorName, FlowId, JobId, JobRow, JobStatus, Marks, NewJob, RunWhen, TaskResult, TaskTally},
};

/// The tasks of all flows.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    by_job: BTreeMap<JobId, StoredTask>,
    by_name: BTreeMap<(FlowId, String), JobId>,
    /// Which tasks come after a job.
    followers: BTreeMap<JobId, Vec<JobId>>,
}

#[derive(Debug)]
struct StoredTask {
    flow: FlowId,
    name: String,
    run_when: RunWhen,
    after: Vec<JobId>,
    tally: TaskTally,
    /// How it had ended when those behind it were told.
    told: Option<TaskResult>,
}

impl Tasks {
    /// Those of a flow's tasks that these jobs name.
    pub(super) fn known(&self, flow: FlowId, jobs: &[NewJob]) -> Vec<KnownTask> {
        let known = names_of(jobs).into_iter().filter_map(|name| {
            let job = *self.by_name.get(&(flow, name.clone()))?;
            Some(KnownTask::new(name, job, self.by_job.get(&job)?.told))
        });
        known.collect()
    }

    pub(super) fn find(&self, flow: FlowId, name: &str) -> Option<JobId> {
        self.by_name.get(&(flow, name.to_owned())).copied()
    }

    /// Forgets those of a flow that is forgotten.
    pub(super) fn forget(&mut self, flow: FlowId) {
        let forgotten: Vec<JobId> = self.of(flow).map(|(job, _)| job).collect();
        for job in forgotten {
            self.followers.remove(&job);
            if let Some(task) = self.by_job.remove(&job) {
                self.by_name.remove(&(flow, task.name));
            }
        }
    }

    fn of(&self, flow: FlowId) -> impl Iterator<Item = (JobId, &StoredTask)> {
        let names = self.by_name.range((flow, String::new())..).take_while(move |((of, _), _)| *of == flow);
        names.filter_map(|(_, job)| Some((*job, self.by_job.get(job)?)))
    }
}

impl Store {
    /// Those of a flow's tasks that have these names.
    pub(super) fn taken_tasks(&self, flow: FlowId, names: &[String]) -> Vec<TakenTask> {
        let taken = names.iter().filter_map(|name| {
            let job = self.tasks.find(flow, name)?;
            let task = self.tasks.by_job.get(&job)?;
            let row = self.rows.get(&job).map(|stored| &stored.row);
            let content = row.map(|row| (row.executor.clone(), row.data.clone()));
            let mut taken = TakenTask::new(name, job, content);
            (taken.run_when, taken.after) = (task.run_when, task.after.clone());
            Some(taken)
        });
        taken.collect()
    }

    /// Stores the places of jobs that were inserted as `ids`, and decides about those whose predecessors have ended.
    pub(super) fn insert_tasks(&mut self, flow: FlowId, tasks: Vec<PlacedTask>, ids: &[JobId]) {
        for task in tasks {
            let PlacedTask { place, name, run_when, after, tally } = task;
            let Some(job) = ids.get(place).copied() else { continue };
            let after = after.into_iter().filter_map(|before| match before {
                Predecessor::New(place) => ids.get(place).copied(),
                Predecessor::Known(job) => Some(job),
            });
            let after: Vec<JobId> = after.collect();
            for before in &after {
                self.tasks.followers.entry(*before).or_default().push(job);
            }
            self.tasks.by_name.insert((flow, name.clone()), job);
            self.tasks.by_job.insert(job, StoredTask { flow, name, run_when, after, tally, told: None });
            if tally.wanted > 0 {
                self.undecided.insert(job);
            }
        }
    }

    /// Tells those behind tasks that have ended, and decides about them; gives whom that wakes, and whom it cancels that runs.
    pub(super) fn tell_tasks(&mut self, now: DateTime<Utc>) -> (BTreeSet<ExecutorName>, Vec<JobId>) {
        let (mut woken, mut cancelled) = (BTreeSet::new(), Vec::new());
        self.decide(None, now, &mut woken);
        while let Some(job) = self.ended_tasks.pop_first() {
            let (because, stopped) = self.tell_task(job, now);
            cancelled.extend(stopped);
            self.decide(because.as_deref(), now, &mut woken);
        }
        (woken, cancelled)
    }

    /// Gives the task's name, if it has not succeeded, and which running jobs that cancels.
    fn tell_task(&mut self, job: JobId, now: DateTime<Utc>) -> (Option<String>, Vec<JobId>) {
        let row = self.rows.get(&job).map(|stored| &stored.row);
        let result =
            row.map_or(Some(TaskResult::Failed), |row| result_of(row.status, row.marks.contains(Marks::SKIPPED)));
        let Some(task) = self.tasks.by_job.get_mut(&job) else { return Default::default() };
        let flow = self.flows.get_mut(&task.flow).filter(|flow| flow.stored.finished_at().is_none());
        let (None, Some(result), Some(flow)) = (task.told, result, flow) else { return Default::default() };
        task.told = Some(result);
        let because = (result != TaskResult::Succeeded).then(|| task.name.clone());
        let (id, fails) = (task.flow, result == TaskResult::Failed && flow.stored.fail(&task.name));
        for follower in self.tasks.followers.get(&job).into_iter().flatten() {
            if let Some(follower) = self.tasks.by_job.get_mut(follower) {
                follower.tally.add(result);
            }
        }
        self.undecided.extend(self.tasks.followers.get(&job).into_iter().flatten());
        let why: Option<String> = flow.stored.cancelled().map(str::to_owned).filter(|_| fails);
        let stopped = why.map(|why| self.cancel_members(id, &why, now)).unwrap_or_default();
        (because, stopped)
    }

    fn decide(&mut self, last: Option<&str>, now: DateTime<Utc>, woken: &mut BTreeSet<ExecutorName>) {
        while let Some(job) = self.undecided.pop_first() {
            let Some(task) = self.tasks.by_job.get(&job) else { continue };
            let is_blocked = self.rows.get(&job).is_some_and(|stored| stored.row.status == JobStatus::Blocked);
            let decision = decide(task.run_when, task.tally);
            let why = reason(decision, last);
            // Refused is none of it: the job is blocked.
            match decision {
                _ if !is_blocked => {}
                Decision::Wait => {}
                Decision::Run => {
                    let run = |row: &mut JobRow| lifecycle::release_task(row, now).map(|()| row.executor.clone());
                    woken.extend(self.change(job, run).and_then(Result::ok));
                }
                Decision::Skip => drop(self.change(job, |row| lifecycle::skip(row, why, now))),
                Decision::Cancel => drop(self.change(job, |row| lifecycle::cancel(row, why, now))),
            }
        }
    }

    pub(super) fn task_rows(&self, flow: FlowId) -> Vec<TaskRow> {
        let mut rows: Vec<TaskRow> = self.tasks.of(flow).map(|(job, task)| self.task_row(job, task)).collect();
        rows.sort_unstable_by_key(|row| row.job);
        rows
    }

    fn task_row(&self, job: JobId, task: &StoredTask) -> TaskRow {
        let row = self.rows.get(&job).map(|stored| &stored.row);
        let executor = row.map_or_else(|| ExecutorName::from(""), |row| row.executor.clone());
        let mut known = TaskRow::new(job, executor, task.name.clone());
        known.run_when = task.run_when;
        known.after.clone_from(&task.after);
        known.told = task.told;
        known.status = row.map(|row| row.status);
        known.is_skipped = row.is_some_and(|row| row.marks.contains(Marks::SKIPPED));
        known
    }

    pub(super) fn upstream(&self, job: JobId) -> Vec<UpstreamTask> {
        let before = self.tasks.by_job.get(&job).into_iter().flat_map(|task| &task.after);
        before.filter_map(|before| self.upstream_task(*before)).collect()
    }

    pub(super) fn upstream_task(&self, job: JobId) -> Option<UpstreamTask> {
        let task = self.tasks.by_job.get(&job)?;
        let output = self.rows.get(&job).and_then(|stored| stored.row.extras.output.clone());
        Some(UpstreamTask::new(task.name.clone(), job, self.task_row(job, task).result(), output))
    }

    /// Runs tasks again that have failed; gives how many, and whom that wakes.
    pub(super) fn retry_tasks(&mut self, flow: FlowId, now: DateTime<Utc>) -> (usize, BTreeSet<ExecutorName>) {
        let (mut count, mut woken) = (0, BTreeSet::new());
        for Retried { job, tally, job_is } in retry(&self.task_rows(flow)) {
            if let Some(task) = self.tasks.by_job.get_mut(&job) {
                task.tally = tally;
                if job_is.is_untold() {
                    task.told = None;
                }
            }
            if job_is == Rerun::ToldAnew {
                self.ended_tasks.insert(job);
            }
            let rerun = |row: &mut JobRow| match job_is {
                Rerun::Due => lifecycle::rerun(row, now).map(|()| Some(row.executor.clone())),
                Rerun::Blocked => lifecycle::rerun_blocked(row, now).map(|()| None),
                Rerun::AsItIs | Rerun::ToldAnew => Ok(None),
            };
            let rerun = self.change(job, rerun);
            count += usize::from(job_is.runs_again());
            woken.extend(rerun.and_then(Result::ok).flatten());
        }
        (count, woken)
    }

    /// Deletes those tasks of a flow that has ended that were kept for it alone; gives how many.
    pub(super) fn delete_fleeting(&mut self, flow: FlowId) -> u64 {
        let is_fleeting = |job: &JobId| {
            self.rows.get(job).is_some_and(|stored| {
                stored.row.status == JobStatus::Complete && stored.row.marks.contains(Marks::FLEETING)
            })
        };
        let fleeting: Vec<JobId> = self.tasks.of(flow).map(|(job, _)| job).filter(is_fleeting).collect();
        fleeting.iter().for_each(|job| self.delete(*job));
        fleeting.len() as u64
    }
}
