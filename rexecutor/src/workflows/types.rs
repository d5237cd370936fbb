//! Whether tasks take what those before them give, where the compiler has not looked.

use std::collections::{BTreeMap, HashMap};

use super::error::WorkflowError;
use crate::{
    backend::flows::{FlowError, GraphError},
    executing::{JobTypes, Part, Parts, TypeName},
    model::{NewJob, RunWhen, Task},
    registry::registered,
};

/// Compares what each task takes with what those before it give, of jobs that are registered. Of others nothing is known.
///
/// # Errors
///
/// Names the first that takes something else.
pub(super) fn check(jobs: &[NewJob]) -> Result<(), WorkflowError> {
    let known: HashMap<&str, JobTypes> =
        registered().iter().filter_map(|known| Some((known.name(), known.types()?))).collect();
    check_with(jobs, &known).map_err(|error| FlowError::from(error).into())
}

fn check_with(jobs: &[NewJob], known: &HashMap<&str, JobTypes>) -> Result<(), GraphError> {
    let tasks = || jobs.iter().filter_map(|job| Some((job, job.extras.task.as_deref()?)));
    let outputs: BTreeMap<&str, Option<TypeName>> =
        tasks().map(|(job, task)| (&*task.name, known.get(job.executor.as_str()).map(|types| types.output))).collect();
    for (job, task) in tasks() {
        let Some(JobTypes { upstream: Some((whole, parts)), .. }) = known.get(job.executor.as_str()) else { continue };
        let given: Option<Vec<TypeName>> = task.after.iter().map(|name| *outputs.get(&**name)?).collect();
        let Some(given) = given else { continue };
        if !takes(task, *whole, parts, &given) {
            let gives = shown(task, &given);
            let takes = format!("Upstream<{}>", whole.whole.shown());
            return Err(GraphError::Types { task: task.name.clone(), takes, gives });
        }
    }
    Ok(())
}

fn takes(task: &Task, whole: Part, parts: &Parts, given: &[TypeName]) -> bool {
    let may_be_missing = task.run_when != RunWhen::AllSucceeded;
    let takes = |part: &Part, output: &TypeName| part.takes(*output, may_be_missing);
    match (task.joins, parts) {
        (false, _) => matches!(given, [output] if takes(&whole, output)),
        (true, Parts::Tuple(parts)) => {
            parts.len() == given.len() && parts.iter().zip(given).all(|(part, output)| takes(part, output))
        }
        (true, Parts::List(part)) => given.iter().all(|output| takes(part, output)),
        // A type of the user's own, which may decode from a list.
        (true, Parts::One) => true,
    }
}

fn shown(task: &Task, given: &[TypeName]) -> String {
    let may_be_missing = task.run_when != RunWhen::AllSucceeded;
    let mut each = given.iter().map(|output| match may_be_missing {
        true => format!("Option<{}>", output.shown()),
        false => output.shown(),
    });
    match (task.joins, given.len()) {
        (_, 0) => "nothing".to_owned(),
        (false, _) => format!("`{}`", each.next().unwrap_or_default()),
        (true, 1) => format!("`({},)`", each.next().unwrap_or_default()),
        (true, _) => {
            let first: Vec<String> = each.by_ref().take(8).collect();
            let rest = if each.next().is_some() { ", .." } else { "" };
            format!("`({}{rest})`", first.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part<T: 'static, S: 'static>(is_option: bool) -> Part {
        Part { whole: TypeName::of::<T>(), some: is_option.then(TypeName::of::<S>) }
    }

    fn checked(joins: bool, run_when: RunWhen, whole: Part, parts: Parts, after: &[&str]) -> Result<(), String> {
        let plain = |output| JobTypes { output, upstream: None };
        let taking = plain(TypeName::of::<()>()).with_upstream(whole, parts);
        let known = HashMap::from([
            ("number", plain(TypeName::of::<u32>())),
            ("text", plain(TypeName::of::<String>())),
            ("takes", taking),
        ]);
        let task = |name: &str| NewJob::new(name.to_owned(), "1").with_task(Task::new(name));
        let last = Task::new("last").with_after(after.iter().copied(), joins).with_run_when(run_when);
        let jobs = [task("number"), task("text"), task("stranger"), NewJob::new("takes", "1").with_task(last)];
        check_with(&jobs, &known).map_err(|error| error.to_string())
    }

    #[test]
    fn what_a_task_takes_is_compared_with_what_those_before_it_give() {
        let (all, ended) = (RunWhen::AllSucceeded, RunWhen::AllEnded);
        let number = || part::<u32, ()>(false);
        let pair = || (part::<(u32, String), ()>(false), Parts::Tuple(vec![number(), part::<String, ()>(false)]));
        let maybe = || (part::<Option<u32>, u32>(true), Parts::One);
        let list = || (part::<Vec<u32>, ()>(false), Parts::List(number()));
        let ok = |joins, when, (whole, parts): (Part, Parts), after: &[&str]| {
            assert_eq!(checked(joins, when, whole, parts, after), Ok(()), "{after:?}");
        };
        let no = |joins, when, (whole, parts): (Part, Parts), after: &[&str], says: &str| {
            let error = checked(joins, when, whole, parts, after).unwrap_err();
            assert!(error.contains(says), "{error}");
        };
        ok(false, all, (number(), Parts::One), &["number"]);
        no(
            false,
            all,
            (number(), Parts::One),
            &["text"],
            "takes `Upstream<u32>`, and what it comes after gives `String`",
        );
        ok(true, all, pair(), &["number", "text"]);
        no(true, all, pair(), &["text", "number"], "gives `(String, u32)`");
        no(true, all, pair(), &["number"], "gives `(u32,)`");
        no(true, all, pair(), &[], "gives nothing");
        ok(true, all, list(), &["number", "number", "number"]);
        ok(true, all, list(), &[]);
        no(true, all, list(), &["number", "text"], "gives `(u32, String)`");
        // What may be missing is taken as an option.
        ok(false, ended, maybe(), &["number"]);
        ok(false, all, maybe(), &["number"]);
        no(false, ended, (number(), Parts::One), &["number"], "gives `Option<u32>`");
        // Of what nobody knows nothing is said.
        ok(false, all, (number(), Parts::One), &["stranger"]);
    }
}
