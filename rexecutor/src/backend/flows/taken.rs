//! Tasks that are added once more: by a task that is tried again after it has added them.

use std::collections::{BTreeMap, BTreeSet};

use super::placing::{KnownTask, PlacedTask};
use crate::model::{Enqueued, ExecutorName, JobId, NewJob, RunWhen, Task};

/// A task that is stored already, and of which a new one has the name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TakenTask {
    /// Its name.
    pub name: String,
    /// Its job.
    pub job: JobId,
    /// Whose job that is, and its data; `None`: it has been deleted.
    pub content: Option<(ExecutorName, String)>,
    /// On which ends of its predecessors it runs.
    pub run_when: RunWhen,
    /// The jobs of its predecessors, in their order.
    pub after: Vec<JobId>,
}

impl TakenTask {
    /// This task, which has no predecessors.
    pub fn new(name: impl Into<String>, job: JobId, content: Option<(ExecutorName, String)>) -> Self {
        Self { name: name.into(), job, content, run_when: RunWhen::default(), after: Vec::new() }
    }

    /// Whether the new one is the same. Of one that was deleted it is not known what its job was.
    pub(super) fn is_same(&self, job: &NewJob, task: &Task, known: &BTreeMap<&str, &KnownTask>) -> bool {
        let has_content = |(executor, data): &(ExecutorName, String)| *executor == job.executor && *data == job.data;
        let after = task.after.iter().map(|name| known.get(&**name).map(|task| task.job));
        self.content.as_ref().is_none_or(has_content)
            && self.run_when == task.run_when
            && after.eq(self.after.iter().copied().map(Some))
    }
}

/// The names of those of these jobs' tasks that are stored already, of which [more](TakenTask) must be looked up.
pub fn taken_names(jobs: &[NewJob], known: &[KnownTask]) -> Vec<String> {
    let known: BTreeSet<&str> = known.iter().map(|task| &*task.name).collect();
    let names = jobs.iter().filter_map(|job| Some(&*job.extras.task.as_deref()?.name));
    names.filter(|name| known.contains(name)).map(str::to_owned).collect()
}

/// Jobs as they are stored as part of a flow.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Placed {
    /// Those that are to be stored.
    pub jobs: Vec<NewJob>,
    /// The places of those that are tasks.
    pub tasks: Vec<PlacedTask>,
    /// The jobs that stand already for those that are not to be stored, by the places of these among all.
    pub existing: BTreeMap<usize, JobId>,
}

impl Placed {
    /// What became of all of them, of what became of those that were stored.
    pub fn answers(existing: &BTreeMap<usize, JobId>, stored: Vec<Enqueued>) -> Vec<Enqueued> {
        let all = stored.len() + existing.len();
        let mut stored = stored.into_iter();
        let answer = |place| existing.get(&place).copied().map(Enqueued::Existing).or_else(|| stored.next());
        (0..all).filter_map(answer).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_the_order_in_which_jobs_were_given() {
        let [a, b, c] = [1, 2, 3].map(JobId::from);
        let existing = [(0, b), (2, c)].into();
        let answers = Placed::answers(&existing, vec![Enqueued::Inserted(a)]);
        assert_eq!(answers, [Enqueued::Existing(b), Enqueued::Inserted(a), Enqueued::Existing(c)]);
    }
}
