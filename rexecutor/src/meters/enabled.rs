//! Things are counted with the facade of the `metrics` crate: without a recorder, each of these costs a look.

use std::{collections::BTreeSet, time::Duration};

use metrics::{counter, gauge, histogram};

use super::names::{
    DUE, ENDED, ENQUEUED, EXECUTING, FAILURES, NODES, OLDEST, PAUSED, RESCUED, RUN, RUNNING, STARTED, WAIT, WAITING,
};
use crate::model::{Enqueued, ExecutorName, JobRow, NewJob, RunEnd};

/// Whose jobs are about to be enqueued.
pub(crate) struct Enqueuing(Vec<ExecutorName>);

impl Enqueuing {
    pub(crate) fn of(jobs: &[NewJob]) -> Self {
        Self(jobs.iter().map(|job| job.executor.clone()).collect())
    }

    pub(crate) fn of_one(executor: &'static str) -> Self {
        Self(vec![executor.into()])
    }

    /// Counts them: this is what they have come to.
    pub(crate) fn came_to(self, answers: &[Enqueued]) {
        for (executor, answer) in self.0.iter().zip(answers) {
            let result = match answer {
                Enqueued::Inserted(_) => "inserted",
                Enqueued::Existing(_) => "existing",
                Enqueued::Replaced(_) => "replaced",
            };
            counter!(ENQUEUED, "executor" => executor.to_string(), "result" => result).increment(1);
        }
    }
}

/// A run begins.
pub(crate) fn started(job: &JobRow) {
    let executor = job.executor.to_string();
    counter!(STARTED, "executor" => executor.clone()).increment(1);
    gauge!(RUNNING, "executor" => executor.clone()).increment(1);
    // Both by the backend's clock.
    if let Some(wait) = job.attempted_at.and_then(|began| (began - job.scheduled_at).to_std().ok()) {
        histogram!(WAIT, "executor" => executor).record(wait);
    }
}

/// … and ends.
pub(crate) fn ended(job: &JobRow, end: RunEnd, took: Duration) {
    let executor = job.executor.to_string();
    counter!(ENDED, "executor" => executor.clone(), "outcome" => end.as_str()).increment(1);
    gauge!(RUNNING, "executor" => executor.clone()).decrement(1);
    histogram!(RUN, "executor" => executor, "outcome" => end.as_str()).record(took);
}

/// Jobs of dead nodes were taken back.
pub(crate) fn rescued(jobs: usize) {
    counter!(RESCUED).increment(u64::try_from(jobs).unwrap_or(u64::MAX));
}

/// A call to the backend has failed.
pub(crate) fn failed(what: &'static str) {
    counter!(FAILURES, "what" => what).increment(1);
}

/// Gauges by executor. One that is told of no more is at 0.
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    known: BTreeSet<ExecutorName>,
}

/// What is told of an executor.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Depth {
    pub(crate) due: u64,
    pub(crate) waiting: u64,
    pub(crate) oldest_wait: Duration,
    pub(crate) executing: usize,
    pub(crate) is_paused: bool,
}

impl Gauges {
    /// Tells how queues stand, and how many nodes live and are silent.
    pub(crate) fn tell(&mut self, queues: &[(ExecutorName, Depth)], (alive, silent): (usize, usize)) {
        let told: BTreeSet<ExecutorName> = queues.iter().map(|(executor, _)| executor.clone()).collect();
        for gone in self.known.difference(&told) {
            set(gone, Depth::default());
        }
        for (executor, depth) in queues {
            set(executor, *depth);
        }
        self.known = told;
        gauge!(NODES, "state" => "alive").set(float(alive));
        gauge!(NODES, "state" => "silent").set(float(silent));
    }
}

fn set(executor: &ExecutorName, depth: Depth) {
    let of = |name: &'static str| gauge!(name, "executor" => executor.to_string());
    of(DUE).set(float(usize::try_from(depth.due).unwrap_or(usize::MAX)));
    of(WAITING).set(float(usize::try_from(depth.waiting).unwrap_or(usize::MAX)));
    of(OLDEST).set(depth.oldest_wait.as_secs_f64());
    of(EXECUTING).set(float(depth.executing));
    of(PAUSED).set(if depth.is_paused { 1.0 } else { 0.0 });
}

#[expect(clippy::cast_precision_loss, reason = "nobody counts as far")]
fn float(count: usize) -> f64 {
    count as f64
}
