//! A workflow that cases look at.

use std::collections::BTreeMap;

use rexecutor::{
    backend::{
        JobRow, NewJob, Outcome, Task,
        flows::{FlowError, StoredFlow, TaskRow, UpstreamTask},
    },
    job::{FlowId, JobId, JobStatus},
    workflows::RunWhen,
};

use super::harness::{Harness, job};

/// A workflow that a case looks at.
pub(super) struct Flow<'h> {
    pub(super) t: &'h Harness,
    pub(super) id: FlowId,
    pub(super) jobs: BTreeMap<String, JobId>,
}

pub(super) fn task(name: &str, after: &[&str]) -> NewJob {
    let joins = after.len() > 1;
    job("mail").with_max_attempts(1).with_task(Task::new(name).with_after(after.iter().copied(), joins))
}

pub(super) fn task_when(name: &str, after: &[&str], run_when: RunWhen) -> NewJob {
    let placed = Task::new(name).with_after(after.iter().copied(), true).with_run_when(run_when);
    job("mail").with_max_attempts(1).with_task(placed)
}

fn name_of(job: &NewJob) -> String {
    job.extras.task.as_ref().map(|task| task.name.clone()).unwrap_or_default()
}

impl Harness {
    pub(super) async fn workflow(&self, jobs: Vec<NewJob>) -> Flow<'_> {
        self.workflow_of(StoredFlow::workflow("order 7"), jobs).await
    }

    pub(super) async fn workflow_of(&self, flow: StoredFlow, jobs: Vec<NewJob>) -> Flow<'_> {
        let names: Vec<String> = jobs.iter().map(name_of).collect();
        let created = self.batches().create(flow, jobs).await.expect("a workflow can be stored");
        let jobs = names.into_iter().zip(created.jobs.iter().map(|job| job.id())).collect();
        Flow { t: self, id: created.id, jobs }
    }
}

impl Flow<'_> {
    pub(super) async fn add(&mut self, jobs: Vec<NewJob>) {
        let names: Vec<String> = jobs.iter().map(name_of).collect();
        let added = self.t.batches().add(self.id, jobs).await.expect("tasks can be added");
        self.jobs.extend(names.into_iter().zip(added.into_iter().map(|job| job.id())));
    }

    pub(super) async fn refused(&self, jobs: Vec<NewJob>) -> FlowError {
        self.t.batches().add(self.id, jobs).await.expect_err("it is refused")
    }

    pub(super) async fn rows(&self) -> Vec<TaskRow> {
        self.t.batches().tasks(self.id, None, usize::MAX).await.expect("tasks can be read")
    }

    /// The letters of what the tasks are: blocked, due, running, complete, discarded, cancelled, skipped.
    pub(super) async fn states(&self) -> String {
        let mut states: Vec<(String, char)> = Vec::new();
        for row in self.rows().await {
            let letter = match row.status.expect("its job is there") {
                JobStatus::Blocked => 'b',
                JobStatus::Scheduled | JobStatus::Retryable => 'w',
                JobStatus::Executing => 'r',
                JobStatus::Complete => 'c',
                JobStatus::Discarded => 'd',
                JobStatus::Cancelled if row.is_skipped => 's',
                JobStatus::Cancelled => 'x',
                other => panic!("{other:?}"),
            };
            states.push((row.name, letter));
        }
        states.sort();
        states.into_iter().map(|(name, letter)| format!("{name}{letter}")).collect::<Vec<_>>().join(" ")
    }

    /// Claims what is due, which is these tasks, in any order.
    pub(super) async fn take(&self, names: &[&str]) -> BTreeMap<String, JobRow> {
        let runs = self.t.take(1_000).await;
        let named = runs.into_iter().map(|run| {
            let task = run.extras.task.clone().expect("it is a task");
            assert!(task.after.is_empty(), "what it comes after is not stored with the job");
            (task.name, run)
        });
        let named: BTreeMap<String, JobRow> = named.collect();
        assert_eq!(named.keys().map(String::as_str).collect::<Vec<_>>(), names);
        named
    }

    /// Runs the only task that is due, which is this one, to this end.
    pub(super) async fn run(&self, name: &str, outcome: Outcome) {
        let run = self.take(&[name]).await.remove(name).expect("it was taken");
        self.t.end(&[run], &outcome).await;
    }

    pub(super) async fn reason(&self, name: &str) -> Option<String> {
        self.t.row(self.jobs[name]).await.extras.cancel_reason.clone()
    }

    pub(super) async fn upstream(&self, name: &str) -> Vec<UpstreamTask> {
        self.t.batches().upstream(self.jobs[name]).await.expect("they can be read")
    }

    pub(super) async fn has_ended(&self) -> bool {
        self.t.state(self.id).await.flow.finished_at().is_some()
    }
}
