//! Where new tasks stand in the graph of their workflow.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    graph_error::GraphError,
    taken::{Placed, TakenTask},
};
use crate::model::{FlowId, JobId, NewJob, RunWhen, Task, TaskResult, TaskTally};

/// A task that is stored already.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownTask {
    /// Its name.
    pub name: String,
    /// Its job.
    pub job: JobId,
    /// How it has ended, if its successors have been told.
    pub result: Option<TaskResult>,
}

impl KnownTask {
    /// This task.
    pub fn new(name: impl Into<String>, job: JobId, result: Option<TaskResult>) -> Self {
        Self { name: name.into(), job, result }
    }
}

/// What a task waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Predecessor {
    /// The job at this place among those that are stored with it.
    New(usize),
    /// This job, which was stored before.
    Known(JobId),
}

/// A task that is about to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlacedTask {
    /// The place of its job among those that are stored with it.
    pub place: usize,
    /// Its name.
    pub name: String,
    /// On which ends of its predecessors it runs.
    pub run_when: RunWhen,
    /// Its predecessors, in their order.
    pub after: Vec<Predecessor>,
    /// How many of these have ended already, of which no end will be told any more.
    pub tally: TaskTally,
}

/// The names that must be looked up to add these jobs to a flow: those of their tasks, and of what these come after.
pub fn names_of(jobs: &[NewJob]) -> Vec<String> {
    let tasks = jobs.iter().filter_map(|job| job.extras.task.as_deref());
    let names: BTreeSet<&String> = tasks.flat_map(|task| task.after.iter().chain([&task.name])).collect();
    names.into_iter().cloned().collect()
}

/// The jobs as they are stored as part of this flow, and the places of those that are tasks. `known` are those of the flow's tasks that have
/// one of the [names](names_of), and `taken` those of them of which a new one has the [name](super::taken_names): one that is the same is not
/// stored again. A task that has predecessors is blocked, also if all of them have ended: then its tally says so.
///
/// # Errors
///
/// When the tasks are no part of a graph without circles, or one has the name of another one that is stored.
pub fn place(flow: FlowId, jobs: Vec<NewJob>, known: &[KnownTask], taken: &[TakenTask]) -> Result<Placed, GraphError> {
    let known: BTreeMap<&str, &KnownTask> = known.iter().map(|task| (&*task.name, task)).collect();
    let existing = find_existing(&jobs, &known, taken)?;
    let all = jobs.into_iter().enumerate();
    let jobs: Vec<NewJob> = all.filter(|(place, _)| !existing.contains_key(place)).map(|(_, job)| job).collect();
    let named =
        jobs.iter().enumerate().filter_map(|(place, job)| Some((job.extras.task.as_ref()?.name.clone(), place)));
    let places: BTreeMap<String, usize> = named.collect();
    let mut placed = Vec::with_capacity(places.len());
    for (place, job) in jobs.iter().enumerate() {
        let Some(task) = &job.extras.task else { continue };
        let mut tally = TaskTally::of(u32::try_from(task.after.len()).unwrap_or(u32::MAX));
        let mut after = Vec::with_capacity(task.after.len());
        for name in &task.after {
            after.push(match (places.get(name), known.get(&**name)) {
                (Some(place), _) => Predecessor::New(*place),
                (None, Some(known)) => {
                    if let Some(result) = known.result {
                        tally.add(result);
                    }
                    Predecessor::Known(known.job)
                }
                (None, None) => {
                    return Err(GraphError::Unknown { task: task.name.clone(), after: name.clone() });
                }
            });
        }
        placed.push(PlacedTask { place, name: task.name.clone(), run_when: task.run_when, after, tally });
    }
    find_circle(&placed)?;
    let jobs = jobs.into_iter().map(|job| {
        let waits = job.extras.task.as_ref().is_some_and(|task| !task.after.is_empty());
        let is_blocked = job.blocked || waits;
        job.with_flow(flow).with_blocked(is_blocked)
    });
    Ok(Placed { jobs: jobs.collect(), tasks: placed, existing })
}

/// Those that are stored already, by the places of the new ones.
fn find_existing(
    jobs: &[NewJob],
    known: &BTreeMap<&str, &KnownTask>,
    taken: &[TakenTask],
) -> Result<BTreeMap<usize, JobId>, GraphError> {
    let taken: BTreeMap<&str, &TakenTask> = taken.iter().map(|task| (&*task.name, task)).collect();
    let (mut names, mut existing) = (BTreeSet::new(), BTreeMap::new());
    for (place, job) in jobs.iter().enumerate() {
        let Some(task) = &job.extras.task else { continue };
        check(job, task)?;
        if !names.insert(&*task.name) {
            return Err(GraphError::DoubledName(task.name.clone()));
        }
        if known.contains_key(&*task.name) {
            let same = taken.get(&*task.name).filter(|taken| taken.is_same(job, task, known));
            let same = same.ok_or_else(|| GraphError::TakenName(task.name.clone()))?;
            existing.insert(place, same.job);
        }
    }
    Ok(existing)
}

fn check(job: &NewJob, task: &Task) -> Result<(), GraphError> {
    let name = || task.name.clone();
    if task.name.is_empty() || task.name.len() > Task::MAX_NAME_BYTES || task.name.contains('\0') {
        return Err(GraphError::Name(name()));
    }
    if job.unique.is_some() {
        return Err(GraphError::Unique(name()));
    }
    if job.blocked {
        return Err(GraphError::Blocked(name()));
    }
    if task.run_when == RunWhen::AnyFailed && task.after.is_empty() {
        return Err(GraphError::AfterNone(name()));
    }
    Ok(())
}

/// Takes away what waits for nothing, again and again; what is left is a circle, or comes after one.
fn find_circle(tasks: &[PlacedTask]) -> Result<(), GraphError> {
    let by_place: BTreeMap<usize, usize> = tasks.iter().enumerate().map(|(index, task)| (task.place, index)).collect();
    let mut waits = vec![0_usize; tasks.len()];
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); tasks.len()];
    for (index, task) in tasks.iter().enumerate() {
        for before in new_ones(task, &by_place) {
            waits[index] += 1;
            followers[before].push(index);
        }
    }
    let mut free: Vec<usize> = (0..tasks.len()).filter(|index| waits[*index] == 0).collect();
    while let Some(index) = free.pop() {
        for follower in &followers[index] {
            waits[*follower] -= 1;
            if waits[*follower] == 0 {
                free.push(*follower);
            }
        }
    }
    let Some(mut index) = waits.iter().position(|waits| *waits > 0) else { return Ok(()) };
    // Whoever is left has a predecessor that is left: going back from any leads into the circle, and then around it.
    let (mut seen, mut path) = (BTreeSet::new(), Vec::new());
    while seen.insert(index) {
        path.push(index);
        match new_ones(&tasks[index], &by_place).find(|before| waits[*before] > 0) {
            Some(before) => index = before,
            None => break,
        }
    }
    let begin = path.iter().position(|seen| *seen == index).unwrap_or_default();
    let mut names: Vec<String> = path[begin..].iter().rev().map(|index| tasks[*index].name.clone()).collect();
    names.extend(names.first().cloned());
    Err(GraphError::Circle(names))
}

fn new_ones<'t>(task: &'t PlacedTask, by_place: &'t BTreeMap<usize, usize>) -> impl Iterator<Item = usize> + 't {
    task.after.iter().filter_map(|before| match before {
        Predecessor::New(place) => by_place.get(place).copied(),
        Predecessor::Known(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(name: &str, after: &[&str]) -> NewJob {
        NewJob::new("mail", "1").with_task(Task::new(name).with_after(after.iter().copied(), true))
    }

    fn placed(jobs: Vec<NewJob>, known: &[KnownTask]) -> Result<Vec<PlacedTask>, String> {
        place(FlowId(7), jobs, known, &[]).map(|placed| placed.tasks).map_err(|error| error.to_string())
    }

    #[test]
    fn a_diamond_is_placed_in_whatever_order_it_comes() {
        let jobs = vec![task("d", &["b", "c"]), task("b", &["a"]), task("c", &["a"]), task("a", &[])];
        let Placed { jobs, tasks, existing } = place(FlowId(7), jobs, &[], &[]).unwrap();
        assert!(existing.is_empty());
        assert_eq!(jobs.iter().map(|job| job.blocked).collect::<Vec<_>>(), [true, true, true, false]);
        assert!(jobs.iter().all(|job| job.extras.flow == Some(FlowId(7))));
        assert_eq!(tasks[0].after, [Predecessor::New(1), Predecessor::New(2)]);
        assert_eq!((tasks[0].tally, tasks[3].tally), (TaskTally::of(2), TaskTally::of(0)));
    }

    #[test]
    fn what_is_known_counts_if_its_end_was_told() {
        let known = [
            KnownTask::new("a", JobId::from(1), Some(TaskResult::Succeeded)),
            KnownTask::new("b", JobId::from(2), None),
        ];
        let tasks = placed(vec![task("c", &["a", "b", "a"])], &known).unwrap();
        let [a, b] = [1, 2].map(|id| Predecessor::Known(JobId::from(id)));
        assert_eq!(tasks[0].after, [a, b, a]);
        assert_eq!(tasks[0].tally, TaskTally { wanted: 3, succeeded: 2, failed: 0, skipped: 0 });
        assert_eq!(names_of(&[task("c", &["a", "b", "a"])]), ["a", "b", "c"]);
    }

    #[test]
    fn the_same_task_is_stored_once() {
        let [a, b] = [1, 2].map(JobId::from);
        let known = [KnownTask::new("a", a, Some(TaskResult::Succeeded)), KnownTask::new("b", b, None)];
        let mut taken = TakenTask::new("b", b, Some(("mail".into(), "1".to_owned())));
        taken.after = vec![a];
        let add = |jobs, taken: &TakenTask| place(FlowId(7), jobs, &known, std::slice::from_ref(taken));
        let again = add(vec![task("c", &["b", "d"]), task("b", &["a"]), task("d", &[])], &taken).unwrap();
        assert_eq!((again.jobs.len(), again.existing), (2, [(1, b)].into()));
        assert_eq!(again.tasks[0].after, [Predecessor::Known(b), Predecessor::New(1)]);
        assert_eq!((again.tasks[0].place, again.tasks[1].place), (0, 1));

        let refuse = |job: NewJob, taken: &TakenTask| {
            assert_eq!(add(vec![task("a2", &[]), job], taken), Err(GraphError::TakenName("b".to_owned())));
        };
        refuse(task("b", &[]), &taken);
        refuse(task("b", &["a", "a"]), &taken);
        refuse(task("b", &["a2"]), &taken);
        let placed = || Task::new("b").with_after(["a"], true);
        refuse(NewJob::new("mail", "2").with_task(placed()), &taken);
        refuse(NewJob::new("other", "1").with_task(placed()), &taken);
        refuse(NewJob::new("mail", "1").with_task(placed().with_run_when(RunWhen::AllEnded)), &taken);
        // What its job was is not known any more.
        taken.content = None;
        assert_eq!(add(vec![task("b", &["a"])], &taken).unwrap().existing, [(0, b)].into());
        refuse(task("b", &[]), &taken);
        let twice = add(vec![task("b", &["a"]), task("b", &["a"])], &taken);
        assert_eq!(twice, Err(GraphError::DoubledName("b".to_owned())));
    }

    #[test]
    fn what_is_no_graph_is_refused_with_the_names() {
        let refused = |jobs: Vec<NewJob>, expected: &str| {
            let error = placed(jobs, &[KnownTask::new("old", JobId::from(1), None)]).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        refused(vec![task("a", &[]), task("a", &[])], "two tasks are called `a`");
        refused(vec![task("old", &[])], "the workflow already has a task `old`");
        refused(vec![task("a", &["x"])], "the task `a` comes after `x`");
        refused(vec![task("a", &["a"])], "`a` after `a`");
        let circle = vec![task("x", &["c"]), task("a", &["c", "old"]), task("b", &["a"]), task("c", &["b"])];
        let error = placed(circle, &[KnownTask::new("old", JobId::from(1), None)]).unwrap_err();
        let turns = [
            "`a` after `c` after `b` after `a`",
            "`c` after `b` after `a` after `c`",
            "`b` after `a` after `c` after `b`",
        ];
        assert!(turns.iter().any(|turn| error.contains(turn)), "{error}");
        refused(vec![task("", &[])], "1 to 255 bytes");
        refused(vec![task("a", &[]).with_blocked(true)], "blocked");
    }

    #[test]
    fn a_long_chain_is_no_circle() {
        let jobs = (0..10_000).map(|place: usize| {
            let before = place.checked_sub(1).map(|before| before.to_string());
            NewJob::new("mail", "1").with_task(Task::new(place.to_string()).with_after(before, false))
        });
        assert_eq!(placed(jobs.collect(), &[]).unwrap().len(), 10_000);
    }
}
