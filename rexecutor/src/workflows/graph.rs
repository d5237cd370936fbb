//! A workflow's graph, to draw it.

use std::collections::{BTreeMap, HashMap};

use crate::{
    backend::flows::TaskRow,
    model::{JobId, JobStatus, NewJob, RunWhen, TaskResult},
};

/// A workflow's graph at one moment, drawn as text, as a Mermaid diagram or as SVG.
///
/// A picture shows at most [`MOST_DRAWN`](Self::MOST_DRAWN) tasks, and says how many there are beside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    pub(super) name: String,
    /// Each after those that it comes after.
    pub(super) tasks: Vec<Node>,
}

/// A task in a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) state: TaskState,
    pub(super) run_when: RunWhen,
    pub(super) job: Option<JobId>,
    /// The places of those that it comes after.
    pub(super) after: Vec<usize>,
}

/// How a task stands, as people see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TaskState {
    /// It waits, for those before it or for its turn.
    Waiting,
    /// It runs.
    Running,
    /// It has failed, and waits for its next attempt.
    Retrying,
    /// It has succeeded.
    Succeeded,
    /// It has failed for good, or was cancelled.
    Failed,
    /// It was skipped.
    Skipped,
}

impl TaskState {
    /// Each of them.
    pub const ALL: &[Self] =
        &[Self::Waiting, Self::Running, Self::Retrying, Self::Succeeded, Self::Failed, Self::Skipped];

    /// How a task stands.
    pub fn of(task: &TaskRow) -> Self {
        match (task.result(), task.status) {
            (Some(TaskResult::Succeeded), _) => Self::Succeeded,
            (Some(TaskResult::Failed), _) => Self::Failed,
            (Some(TaskResult::Skipped), _) => Self::Skipped,
            (None, Some(JobStatus::Executing)) => Self::Running,
            (None, Some(JobStatus::Retryable)) => Self::Retrying,
            (None, _) => Self::Waiting,
        }
    }

    /// A word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Retrying => "retrying",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    /// A sign for it, which does not depend on colours.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Waiting => "·",
            Self::Running => "▶",
            Self::Retrying => "↻",
            Self::Succeeded => "✓",
            Self::Failed => "✗",
            Self::Skipped => "–",
        }
    }
}

impl Graph {
    /// How many tasks a picture shows.
    pub const MOST_DRAWN: usize = 500;

    /// The graph of these tasks, as they stand.
    pub fn of_tasks(name: impl Into<String>, tasks: &[TaskRow]) -> Self {
        let places: HashMap<JobId, usize> = tasks.iter().enumerate().map(|(place, task)| (task.job, place)).collect();
        let nodes = tasks.iter().map(|task| Node {
            name: task.name.clone(),
            state: TaskState::of(task),
            run_when: task.run_when,
            job: Some(task.job),
            after: task.after.iter().filter_map(|before| places.get(before).copied()).collect(),
        });
        Self { name: name.into(), tasks: in_order(nodes.collect()) }
    }

    /// The graph of jobs that are not stored yet.
    pub(super) fn of_jobs(name: &str, jobs: &[NewJob]) -> Self {
        let tasks = || jobs.iter().filter_map(|job| job.extras.task.as_deref());
        let places: BTreeMap<&str, usize> = tasks().enumerate().map(|(place, task)| (&*task.name, place)).collect();
        let nodes = tasks().map(|task| Node {
            name: task.name.clone(),
            state: TaskState::Waiting,
            run_when: task.run_when,
            job: None,
            after: task.after.iter().filter_map(|before| places.get(&**before).copied()).collect(),
        });
        Self { name: name.to_owned(), tasks: in_order(nodes.collect()) }
    }

    /// How many tasks it has.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// How many of its tasks stand so.
    pub fn count(&self, state: TaskState) -> usize {
        self.tasks.iter().filter(|task| task.state == state).count()
    }

    /// Without those that a picture does not show, and how many these are.
    pub(super) fn drawn(&self) -> (&[Node], usize) {
        let shown = self.tasks.len().min(Self::MOST_DRAWN);
        (&self.tasks[..shown], self.tasks.len() - shown)
    }
}

/// Sorts tasks so that each comes after those that it comes after, and else as they were. What is in a circle comes last.
fn in_order(tasks: Vec<Node>) -> Vec<Node> {
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); tasks.len()];
    let mut waits: Vec<usize> = tasks.iter().map(|task| task.after.len()).collect();
    for (place, task) in tasks.iter().enumerate() {
        task.after.iter().for_each(|before| followers[*before].push(place));
    }
    let mut free: std::collections::BTreeSet<usize> = (0..tasks.len()).filter(|place| waits[*place] == 0).collect();
    let mut order = Vec::with_capacity(tasks.len());
    while let Some(place) = free.pop_first() {
        order.push(place);
        for follower in &followers[place] {
            waits[*follower] -= 1;
            if waits[*follower] == 0 {
                free.insert(*follower);
            }
        }
    }
    order.extend((0..tasks.len()).filter(|place| waits[*place] > 0));
    let mut new_places = vec![0; tasks.len()];
    order.iter().enumerate().for_each(|(new, old)| new_places[*old] = new);
    let mut tasks: Vec<Option<Node>> = tasks.into_iter().map(Some).collect();
    let sorted = order.iter().filter_map(|place| {
        let mut task = tasks[*place].take()?;
        task.after.iter_mut().for_each(|before| *before = new_places[*before]);
        Some(task)
    });
    sorted.collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::workflows) fn task(id: i64, name: &str, after: &[i64], status: JobStatus) -> TaskRow {
        let mut row = TaskRow::new(JobId::from(id), "mail".into(), name.to_owned());
        row.after = after.iter().copied().map(JobId::from).collect();
        row.status = Some(status);
        row
    }

    #[test]
    fn tasks_are_sorted_so_that_each_comes_after_those_before_it() {
        use JobStatus::{Blocked, Complete, Executing};
        let tasks = [task(1, "end", &[3, 2], Blocked), task(2, "b", &[3], Executing), task(3, "a", &[], Complete)];
        let graph = Graph::of_tasks("w", &tasks);
        let order: Vec<&str> = graph.tasks.iter().map(|task| &*task.name).collect();
        assert_eq!(order, ["a", "b", "end"]);
        assert_eq!(graph.tasks[2].after, [0, 1]);
        assert_eq!((graph.count(TaskState::Waiting), graph.count(TaskState::Running), graph.len()), (1, 1, 3));
    }

    #[test]
    fn every_state_has_its_own_sign() {
        let signs: std::collections::BTreeSet<&str> = TaskState::ALL.iter().map(|state| state.sign()).collect();
        let words: std::collections::BTreeSet<&str> = TaskState::ALL.iter().map(|state| state.as_str()).collect();
        assert_eq!((signs.len(), words.len()), (6, 6));
        let mut skipped = task(1, "a", &[], JobStatus::Cancelled);
        assert_eq!(TaskState::of(&skipped), TaskState::Failed);
        skipped.is_skipped = true;
        assert_eq!(TaskState::of(&skipped), TaskState::Skipped);
    }
}
