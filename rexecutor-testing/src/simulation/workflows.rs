//! Workflows of a simulation, and what must hold of their tasks.

use std::collections::BTreeMap;

use rand::RngExt;
use rexecutor::{
    backend::{
        Due, JobRow, Marks, NewJob, Task, flows,
        flows::{Decision, StoredFlow, TaskTally, decide, result_of},
    },
    job::{FlowId, JobId, JobStatus},
    workflows::{RunWhen, TaskResult},
};

use super::{Planted, world::World};

/// A task, and what it comes after.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    flow: FlowId,
    job: JobId,
    run_when: RunWhen,
    after: Vec<JobId>,
}

impl World {
    /// Enqueues a workflow, each task of which comes after some of those before it; or adds to one.
    pub(super) async fn workflow(&mut self) {
        let known = self.record.known().workflows.keys().next_back().copied();
        let known = known.filter(|_| self.random.random_range(0..3) == 0);
        let mut names: Vec<String> = match known {
            Some(flow) => self.record.known().workflows[&flow].iter().map(|task| task.job.to_string()).collect(),
            None => Vec::new(),
        };
        let prefix = self.record.known().stored.len();
        let old = names.len();
        let (mut jobs, mut placed) = (Vec::new(), Vec::new());
        for place in 0..self.random.random_range(1..7) {
            let run_when = RunWhen::ALL[self.random.random_range(0..RunWhen::ALL.len())];
            let count = self.random.random_range(0..3).min(names.len());
            let mut after: Vec<usize> = (0..count).map(|_| self.random.random_range(0..names.len())).collect();
            after.dedup();
            let run_when = if after.is_empty() { RunWhen::AllSucceeded } else { run_when };
            let name = format!("{prefix}-{place}");
            jobs.push(self.task(&name, run_when, after.iter().map(|place| names[*place].clone()).collect()));
            placed.push((run_when, after));
            names.push(name);
        }
        let store = self.must(flows(&*self.audit));
        let (flow, answers) = match known {
            Some(flow) => match store.add(flow, rename(jobs, &self.named(flow))).await {
                Ok(answers) => (flow, answers),
                // It has ended.
                Err(_) => return,
            },
            None => {
                let fast = self.random.random_range(0..4) == 0;
                let created = store.create(StoredFlow::workflow("simulated").with_fail_fast(fast), jobs).await;
                let created = self.must(created);
                (created.id, created.jobs)
            }
        };
        self.record.note(format_args!("workflow {} gets {answers:?}", flow.0));
        let mut known = self.record.known();
        known.stored.extend(answers.iter().map(|answer| answer.id()));
        let tasks = known.workflows.entry(flow).or_default();
        let before: Vec<JobId> = tasks.iter().map(|task| task.job).collect();
        let ids: Vec<JobId> = before.into_iter().chain(answers.iter().map(|answer| answer.id())).collect();
        for (place, (run_when, after)) in placed.into_iter().enumerate() {
            let after = after.into_iter().map(|place| ids[place]).collect();
            tasks.push(Placed { flow, job: ids[old + place], run_when, after });
        }
    }

    /// What the tasks of a workflow are called, by their jobs.
    fn named(&self, flow: FlowId) -> BTreeMap<String, String> {
        let tasks = self.record.known().workflows[&flow].clone();
        let rows = self.audit.rows();
        let name = |task: &Placed| {
            let row = rows.iter().find(|row| row.id == task.job)?;
            Some((task.job.to_string(), row.extras.task.as_ref()?.name.clone()))
        };
        tasks.iter().filter_map(name).collect()
    }

    fn task(&mut self, name: &str, run_when: RunWhen, mut after: Vec<String>) -> NewJob {
        let job = self.job().with_blocked(false);
        let run_when = match self.planted {
            Some(Planted::ForgetsFailures) if !after.is_empty() => RunWhen::AllEnded,
            Some(Planted::ReleasesEarly) => {
                after.truncate(1);
                run_when
            }
            _ => run_when,
        };
        let job = match self.planted {
            // It is as if nobody had told that it may begin.
            Some(Planted::LosesReleases) if !after.is_empty() => {
                job.with_due(Due::At(super::super::TestClock::START + chrono::TimeDelta::days(9_999)))
            }
            _ => job,
        };
        job.with_task(Task::new(name).with_after(after, true).with_run_when(run_when))
    }

    /// No task has begun before those before it have ended as it wants; once all is over none is left.
    pub(super) fn check_workflows(&self, rows: &[JobRow], is_over: bool) {
        let workflows: Vec<Placed> = self.record.known().workflows.values().flatten().cloned().collect();
        if workflows.is_empty() {
            return;
        }
        let rows: BTreeMap<JobId, &JobRow> = rows.iter().map(|row| (row.id, row)).collect();
        let result = |job: &JobId| -> Option<TaskResult> {
            rows.get(job).and_then(|row| result_of(row.status, row.marks.contains(Marks::SKIPPED)))
        };
        for Placed { flow, job, run_when, after } in &workflows {
            let Some(row) = rows.get(job) else { continue };
            let mut tally = TaskTally::of(u32::try_from(after.len()).unwrap_or(u32::MAX));
            after.iter().filter_map(result).for_each(|result| tally.add(result));
            let decision = decide(*run_when, tally);
            let has_begun = row.lease.0 > 0 || row.status.is_pending();
            if has_begun && decision != Decision::Run {
                self.record
                    .broken(format_args!("task {job} of workflow {flow} has begun, and {tally:?} of {run_when:?}"));
            }
            let is_left = row.status == JobStatus::Blocked && (is_over || decision != Decision::Wait);
            if is_left {
                self.record
                    .broken(format_args!("task {job} of workflow {flow} is blocked, and {tally:?} of {run_when:?}"));
            }
        }
    }
}

/// The same jobs, where those that were known by the numbers of their jobs are known by their names.
fn rename(jobs: Vec<NewJob>, names: &BTreeMap<String, String>) -> Vec<NewJob> {
    let rename = |job: NewJob| {
        let Some(task) = job.extras.task.as_deref().cloned() else { return job };
        let after = task.after.iter().map(|name| names.get(name).unwrap_or(name).clone()).collect::<Vec<_>>();
        job.with_task(task.with_after(after, true))
    };
    jobs.into_iter().map(rename).collect()
}
