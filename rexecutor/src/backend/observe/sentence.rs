//! A reason as one sentence.

use std::fmt;

use chrono::{DateTime, Utc};

use super::{
    reason::{Explanation, Reason},
    words::{at_time, breaker, instant, span, tag, when},
};
use crate::model::{ErrorType, JobStatus, Paused};

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = self.now;
        match &self.reason {
            Reason::Finished { status, at, why, error } => finished(f, *status, *at, why.as_deref(), error.as_ref()),
            Reason::Running { is_stopping: true, node, .. } => {
                write!(f, "It runs on node {node}, and was asked to stop.")
            }
            Reason::Running { node, since: Some(since), .. } => {
                write!(f, "It runs on node {node}, for {}.", span(now - *since))
            }
            Reason::Running { node, since: None, .. } => write!(f, "It runs on node {node}."),
            Reason::NodeIsSilent { node, seen_at: Some(at) } => write!(
                f,
                "Node {node} has claimed it and was last heard {} ago; other nodes take it over once they are sure that node is dead.",
                span(now - *at)
            ),
            Reason::NodeIsSilent { node, seen_at: None } => write!(
                f,
                "Node {node} has claimed it and has left the cluster; the next heartbeat of another node gives it back."
            ),
            Reason::Blocked => f.write_str("It was enqueued blocked, and waits to be released."),
            Reason::AfterTasks { workflow, tasks, count } => {
                let named: Vec<String> = tasks.iter().map(|(name, job)| format!("`{name}` (job {job})")).collect();
                let more = match count.saturating_sub(named.len()) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                write!(f, "It is a task of workflow {workflow}, and comes after {}{more}.", named.join(", "))
            }
            Reason::WaitsForSignal { until: None } => f.write_str("A step of it waits for a signal."),
            Reason::WaitsForSignal { until: Some(at) } => {
                write!(f, "A step of it waits for a signal, and goes on without one {}.", when(*at, now))
            }
            Reason::DeadlinePassed(at) => {
                write!(f, "Its deadline passed {} ago, so it is about to be discarded.", span(now - *at))
            }
            Reason::Unreadable { again_at, .. } => write!(
                f,
                "No node could read its data; it waits for a version of the program that can, and is tried again {}.",
                when(*again_at, now)
            ),
            Reason::NotDue { at, failed_attempt: None } => write!(f, "It is due {}.", when(*at, now)),
            Reason::NotDue { at, failed_attempt: Some(attempt) } => {
                write!(f, "Attempt {attempt} failed; the next one is due {}.", when(*at, now))
            }
            Reason::ClusterIsPaused(paused) => pause(f, "The whole cluster", paused, now),
            Reason::ExecutorIsPaused(paused) => pause(f, "Its executor", paused, now),
            Reason::TagIsPaused(paused) => pause(f, &tag(paused), paused, now),
            Reason::CircuitBreaker(held) => breaker(f, held, now),
            Reason::NoNode { alive: 0 } => f.write_str("No node is alive."),
            Reason::NoNode { alive: 1 } => f.write_str("One node is alive, and it does not run this executor."),
            Reason::NoNode { alive } => write!(f, "{alive} nodes are alive, and none of them runs this executor."),
            Reason::NodesArePaused { nodes, paused } => {
                let nodes: Vec<String> = nodes.iter().map(ToString::to_string).collect();
                let what = match &nodes[..] {
                    [node] => format!("Node {node}, the only one that runs this executor,"),
                    nodes => format!("Every node that runs this executor is paused ({}): one", nodes.join(", ")),
                };
                pause(f, &what, paused, now)
            }
            Reason::BehindAnother { key, job, status: JobStatus::Executing } => {
                write!(f, "Jobs with the key `{key}` run one after another, and job {job} runs.")
            }
            Reason::BehindAnother { key, job, status: JobStatus::Discarded } => write!(
                f,
                "Jobs with the key `{key}` run one after another, and job {job}, which was discarded, halts them until it is rerun, cancelled or released."
            ),
            Reason::BehindAnother { key, job, status } => {
                write!(
                    f,
                    "Jobs with the key `{key}` run one after another, and job {job}, which is {status}, comes before it."
                )
            }
            Reason::Throttled(until) => {
                write!(f, "A job of this executor holds all of them back, until {}.", at_time(*until, now))
            }
            Reason::ClusterLimit { limit, running } => {
                write!(f, "{running} jobs of this executor run on all nodes together, and no more than {limit} may.")
            }
            Reason::Rate { next_at } => {
                write!(f, "This executor's rate is used up; the next token comes {}.", when(*next_at, now))
            }
            Reason::KeyLimit { key, limit, running } => {
                write!(f, "{running} jobs with the key `{key}` run, and no more than {limit} may.")
            }
            Reason::KeyRate { key, next_at } => {
                write!(f, "The rate of the key `{key}` is used up; there are enough tokens {}.", when(*next_at, now))
            }
            Reason::KeyThrottled { key, until } => {
                write!(f, "A job with the key `{key}` holds all of them back, until {}.", at_time(*until, now))
            }
            Reason::SharedLimit { name, limit, running } => {
                write!(
                    f,
                    "{running} jobs of the executors that share the limit `{name}` run, and no more than {limit} may."
                )
            }
            Reason::SharedRate { name, next_at } => write!(
                f,
                "The rate of the limit `{name}`, which this executor shares, is used up; the next token comes {}.",
                when(*next_at, now)
            ),
            Reason::SlotsAreTaken { slots, of_executor: false } => {
                write!(f, "All {slots} slots of the nodes that run this executor are taken.")
            }
            Reason::SlotsAreTaken { slots, of_executor: true } => {
                write!(f, "Every node that runs this executor runs as many of its jobs as it may, {slots} in all.")
            }
            Reason::Ready => f.write_str("Nothing keeps it: a node claims it as soon as its turn comes."),
        }
    }
}

fn finished(
    f: &mut fmt::Formatter<'_>,
    status: JobStatus,
    at: Option<DateTime<Utc>>,
    why: Option<&str>,
    error: Option<&(ErrorType, bool)>,
) -> fmt::Result {
    let at = at.map_or(String::new(), |at| format!(" at {}", instant(at)));
    match (status, error, why) {
        (JobStatus::Complete, ..) => write!(f, "It was completed{at}."),
        (JobStatus::Discarded, Some((error, is_last)), why) => {
            let how = if *is_last { ": its attempts are used up, and the last one ended" } else { "," };
            write!(f, "It was discarded{at}{how} with `{error}`")?;
            match why {
                Some(why) => write!(f, ": {why}"),
                None => f.write_str("."),
            }
        }
        (JobStatus::Cancelled, _, Some(why)) => write!(f, "It was cancelled{at}: {why}"),
        _ => write!(f, "It is {status}{at}."),
    }
}

fn pause(f: &mut fmt::Formatter<'_>, what: &str, paused: &Paused, now: DateTime<Utc>) -> fmt::Result {
    write!(f, "{what} is paused")?;
    if let Some(by) = &paused.pause.by {
        write!(f, " by {by}")?;
    }
    write!(f, ", for {}", span(now - paused.since))?;
    if let Some(until) = paused.pause.until {
        write!(f, ", until {}", at_time(until, now))?;
    }
    match paused.pause.reason.trim() {
        "" => f.write_str("."),
        reason => write!(f, ": {reason}"),
    }
}
