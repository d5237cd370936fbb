//! Building a graph of tasks.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    error::WorkflowError,
    into_task::{After, IntoTask},
    predecessors::{Predecessors, TaskRef},
    types,
};
use crate::{
    backend::flows::place,
    batches::IntoJob,
    model::{FlowId, NewJob, Task},
};

/// Tasks that come after each other: what a [`Workflow`](super::Workflow) is built of, what is [included](Self::include) in another one, and
/// what is [added](super::WorkflowHandle::add) to one that runs.
///
/// Errors are kept until it is enqueued: the first one is what that gives.
///
/// # Examples
///
/// ```
/// use rexecutor::{prelude::*, workflows::Tasks};
///
/// #[job]
/// async fn scale(width: u32) -> Result<u32, String> {
///     Ok(width / 2)
/// }
///
/// #[job]
/// async fn add_up(Upstream(widths): Upstream<Vec<u32>>) -> Result<u32, String> {
///     Ok(widths.iter().sum())
/// }
///
/// let mut tasks = Tasks::new();
/// let scaled: Vec<_> =
///     (1..=3).map(|n| tasks.task(format!("scale {n}"), Scale::builder().with_data(n * 100))).collect();
/// tasks.task("add up", AddUp::builder().after(&scaled));
/// assert_eq!(tasks.len(), 4);
/// ```
#[derive(Debug, Default)]
#[must_use = "nothing is enqueued until it is part of a workflow that is"]
pub struct Tasks {
    jobs: Vec<NewJob>,
    /// What the first ones come after, once they are part of another graph.
    before: Vec<String>,
    error: Option<Box<WorkflowError>>,
}

impl Tasks {
    /// No tasks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a task. The name, of 1 to 255 bytes, stands for it alone in its workflow.
    pub fn task<J: IntoTask>(&mut self, name: impl Into<String>, job: J) -> TaskRef<J::Output> {
        let name = name.into();
        match job.into_task(name.clone()) {
            Ok(job) => self.jobs.push(job),
            Err(error) => self.fail(error),
        }
        TaskRef::named(name)
    }

    /// Adds a task whose job was built elsewhere, and that comes after others by their names: for graphs whose shape is known only when the
    /// program runs. What it takes from these is checked when the workflow is enqueued, of jobs that this program has registered.
    ///
    /// Its output is given out as the JSON that it is, or as the type that [`TaskRef::named`] is told.
    pub fn add(&mut self, name: impl Into<String>, job: impl IntoJob, after: After) -> TaskRef<Value> {
        let name = name.into();
        match job.into_job() {
            Ok(job) => self.jobs.push(job.with_task(after.task(name.clone()))),
            Err(error) => self.fail(error),
        }
        TaskRef::named(name)
    }

    /// Makes those that come after none come after these, once the tasks are [included](Self::include) in the others' graph, or
    /// [added](super::WorkflowHandle::add) to it.
    pub fn after(mut self, tasks: impl Predecessors) -> Self {
        self.before.extend(tasks.names().0);
        self
    }

    /// Adds a graph as a part of this one: a sub-workflow. Its tasks are called `prefix.name`.
    pub fn include(&mut self, prefix: impl Into<String>, tasks: Tasks) -> Included {
        let prefix = prefix.into();
        let within = |name: &str| format!("{prefix}.{name}");
        let Tasks { jobs, before, error } = tasks;
        let placed = || jobs.iter().filter_map(|job| job.extras.task.as_deref());
        let followed: BTreeSet<&str> = placed().flat_map(|task| &task.after).map(String::as_str).collect();
        let ends = match jobs.len() {
            0 => before.clone(),
            _ => placed().filter(|task| !followed.contains(&*task.name)).map(|task| within(&task.name)).collect(),
        };
        for job in jobs {
            let Some(task) = job.extras.task.as_deref() else { continue };
            let after: Vec<String> = match task.after.is_empty() {
                true => before.clone(),
                false => task.after.iter().map(|name| within(name)).collect(),
            };
            let placed = Task::new(within(&task.name)).with_after(after, task.joins).with_run_when(task.run_when);
            self.jobs.push(job.with_task(placed));
        }
        if let Some(error) = error {
            self.error.get_or_insert(error);
        }
        Included { prefix, ends }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.jobs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    pub(super) fn fail(&mut self, error: impl Into<WorkflowError>) {
        self.error.get_or_insert(Box::new(error.into()));
    }

    pub(super) fn jobs(&self) -> &[NewJob] {
        &self.jobs
    }

    pub(super) fn change_jobs(&mut self, change: impl Fn(NewJob) -> NewJob) {
        self.jobs = std::mem::take(&mut self.jobs).into_iter().map(change).collect();
    }

    /// The jobs, where they are tasks that come first in their graph after what they are told to.
    pub(super) fn into_jobs(self) -> Result<Vec<NewJob>, WorkflowError> {
        let Self { mut jobs, before, error } = self;
        if let Some(error) = error {
            return Err(*error);
        }
        types::check(&jobs)?;
        for job in &mut jobs {
            if let Some(task) = job.extras.task.as_deref().filter(|task| task.after.is_empty() && !before.is_empty()) {
                let placed = task.clone().with_after(before.clone(), false);
                *job = std::mem::replace(job, NewJob::new("", "")).with_task(placed);
            }
        }
        Ok(jobs)
    }

    /// The jobs of a whole workflow, which must be a graph by themselves.
    pub(super) fn into_graph(self) -> Result<Vec<NewJob>, WorkflowError> {
        let jobs = self.into_jobs()?;
        // Before anything is asked of a backend.
        place(FlowId(0), jobs.clone(), &[], &[]).map_err(crate::backend::flows::FlowError::from)?;
        Ok(jobs)
    }
}

/// A graph that is part of another one; see [`Tasks::include`].
#[derive(Debug, Clone)]
pub struct Included {
    prefix: String,
    ends: Vec<String>,
}

impl Included {
    /// A task of it, as the whole graph calls it.
    pub fn task<T>(&self, task: &TaskRef<T>) -> TaskRef<T> {
        TaskRef::named(format!("{}.{}", self.prefix, task.name()))
    }

    /// Those of its tasks that none of it comes after: whatever comes after all of them comes after the whole part.
    pub fn ends(&self) -> Vec<TaskRef<Value>> {
        self.ends.iter().map(|name| TaskRef::named(name.as_str())).collect()
    }
}
