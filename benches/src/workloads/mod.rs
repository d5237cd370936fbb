//! The workloads, one file for each idea. Every run of each is in a new database.

mod dashboard;
mod enqueue;
mod executors;
mod flows;
mod grown;
mod idle;
mod latency;
pub(crate) mod limits;
mod nodes;
mod pinned;
mod prune;
mod simple;
mod steady;
mod unique;

use std::fmt;

use clap::ValueEnum;

use crate::{error::Result, limit, sample::Sample, settings::Settings, target::Target};

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// One task enqueues one job at a time.
    Enqueue,
    /// 16 tasks each enqueue one job at a time.
    EnqueueConcurrent,
    /// `enqueue_all`, 1,000 jobs a call.
    EnqueueBulk,
    /// A node runs jobs that do nothing, until how each ended is stored.
    Drain,
    /// `drain`, of jobs that are not kept when they are complete.
    DrainUnkept,
    /// Jobs come and are run at a given rate, and at the highest at which they do not pile up.
    Steady,
    /// A node that has nothing to do gets a job every 10 ms: from the call of `enqueue` to the first line of the function.
    Latency,
    /// `drain`, in a table with many completed jobs, and as many future ones of higher priority.
    Grown,
    /// `drain`, while a transaction holds an old snapshot.
    Pinned,
    /// `drain` by several processes, which together run as many jobs at once as one.
    Nodes,
    /// `drain` of the jobs of 100 executors.
    Executors,
    /// A node that has nothing to do: what it asks of the server, its CPU time and its memory.
    Idle,
    /// `drain`, where half of the jobs fail once.
    RetryStorm,
    /// 16 tasks enqueue unique jobs, 10 % of which are there already.
    Unique,
    /// `drain`, while many old jobs are pruned.
    Prune,
    /// `drain` under limits in the cluster, per key, in order and of rates, beside a plain one.
    Limits,
    /// `drain` of jobs that have outputs, of a batch and of workflows, beside a plain one.
    Flows,
    /// The pages of the dashboard on a large table, and `drain` while 50 people look at it.
    Dashboard,
    /// What bare prepared statements can do, without rexecutor.
    Limit,
    /// All of these.
    All,
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
    }
}

impl Workload {
    /// The workloads that this one stands for.
    pub(crate) fn each(self) -> impl Iterator<Item = Self> {
        let all = Self::value_variants().iter().copied();
        all.filter(move |one| *one != Self::All && (self == Self::All || self == *one))
    }

    /// Why it cannot be measured there, if it cannot.
    pub(crate) fn refusal(self, target: &Target) -> Option<&'static str> {
        match (self, target) {
            (Self::Pinned, Target::Memory) => Some("there are no snapshots in memory"),
            (Self::Nodes, Target::Memory) => Some("processes do not share memory"),
            (Self::Limit, Target::Memory) => Some("it has no statements"),
            (Self::Idle, _) if !cfg!(target_os = "linux") => Some("only Linux tells a process's use in /proc"),
            _ => None,
        }
    }

    /// How many jobs a run has; 0, where it is not a matter of jobs.
    pub(crate) fn jobs(self, settings: &Settings) -> usize {
        let (full, quick) = match self {
            Self::Enqueue => (2_000, 200),
            Self::EnqueueBulk => (100_000, 5_000),
            Self::Latency => (500, 50),
            Self::Pinned => (300_000, 3_000),
            Self::Prune => (50_000, 2_000),
            // So many that starting the processes does not count.
            Self::Nodes => (200_000, 2_000),
            // So many that its viewers look several times.
            Self::Dashboard => (200_000, 2_000),
            // They go by time.
            Self::Idle | Self::Steady => return 0,
            _ => (20_000, 2_000),
        };
        settings.jobs(full, quick)
    }

    /// One run.
    pub(crate) async fn run(self, settings: &Settings) -> Result<Vec<Sample>> {
        let jobs = self.jobs(settings);
        match self {
            Self::Enqueue => enqueue::by_tasks(settings, jobs, 1).await,
            Self::EnqueueConcurrent => enqueue::by_tasks(settings, jobs, settings.tasks()).await,
            Self::EnqueueBulk => enqueue::in_bulk(settings, jobs).await,
            Self::Drain => simple::drain(settings, jobs).await,
            Self::DrainUnkept => simple::drain_unkept(settings, jobs).await,
            Self::RetryStorm => simple::retry_storm(settings, jobs).await,
            Self::Steady => steady::run(settings).await,
            Self::Latency => latency::run(settings, jobs).await,
            Self::Grown => grown::run(settings, jobs).await,
            Self::Pinned => pinned::run(settings, jobs).await,
            Self::Nodes => nodes::run(settings, jobs).await,
            Self::Executors => executors::run(settings, jobs).await,
            Self::Idle => idle::run(settings).await,
            Self::Unique => unique::run(settings, jobs).await,
            Self::Prune => prune::run(settings, jobs).await,
            Self::Limits => limits::run(settings, jobs).await,
            Self::Flows => flows::run(settings, jobs).await,
            Self::Dashboard => dashboard::run(settings, jobs).await,
            Self::Limit => limit::run(settings, jobs).await,
            Self::All => Ok(Vec::new()),
        }
    }
}
