//! Every metric, by its name.

use metrics::Unit;

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// It only grows, from the start of the process.
    Counter,
    /// It goes up and down.
    Gauge,
    /// It has a distribution.
    Histogram,
}

impl MetricKind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A metric that is told to the `metrics` facade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: MetricKind,
    /// The labels that each of its values has.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
}

impl Metric {
    const fn new(name: &'static str, kind: MetricKind, labels: &'static [&'static str], help: &'static str) -> Self {
        Self { name, kind, labels, help }
    }

    /// What it is measured in.
    fn unit(&self) -> Unit {
        if self.name.ends_with("_seconds") { Unit::Seconds } else { Unit::Count }
    }
}

pub(super) const ENQUEUED: &str = "rexecutor_jobs_enqueued_total";
pub(super) const STARTED: &str = "rexecutor_runs_started_total";
pub(super) const ENDED: &str = "rexecutor_runs_ended_total";
pub(super) const RUNNING: &str = "rexecutor_runs_in_progress";
pub(super) const WAIT: &str = "rexecutor_run_wait_seconds";
pub(super) const RUN: &str = "rexecutor_run_duration_seconds";
pub(super) const RESCUED: &str = "rexecutor_jobs_rescued_total";
pub(super) const FAILURES: &str = "rexecutor_backend_failures_total";
pub(super) const DUE: &str = "rexecutor_queue_due_jobs";
pub(super) const WAITING: &str = "rexecutor_queue_waiting_jobs";
pub(super) const OLDEST: &str = "rexecutor_queue_oldest_wait_seconds";
pub(super) const EXECUTING: &str = "rexecutor_queue_executing_jobs";
pub(super) const PAUSED: &str = "rexecutor_queue_paused";
pub(super) const NODES: &str = "rexecutor_nodes";

/// Every metric there is, in the order of the documentation.
pub const METRICS: &[Metric] = &[
    Metric::new(ENQUEUED, MetricKind::Counter, &["executor", "result"], "jobs that this process has enqueued"),
    Metric::new(STARTED, MetricKind::Counter, &["executor"], "runs that have begun on the nodes of this process"),
    Metric::new(ENDED, MetricKind::Counter, &["executor", "outcome"], "runs that have ended here, by how they ended"),
    Metric::new(RUNNING, MetricKind::Gauge, &["executor"], "runs that are in progress here"),
    Metric::new(
        WAIT,
        MetricKind::Histogram,
        &["executor"],
        "how long jobs had waited from when they were due to when they were claimed",
    ),
    Metric::new(RUN, MetricKind::Histogram, &["executor", "outcome"], "how long runs took"),
    Metric::new(RESCUED, MetricKind::Counter, &[], "jobs of dead nodes that the nodes of this process have taken back"),
    Metric::new(FAILURES, MetricKind::Counter, &["what"], "calls to the backend that failed, by what they were for"),
    Metric::new(DUE, MetricKind::Gauge, &["executor"], "jobs in the database that are due and wait for a slot"),
    Metric::new(
        WAITING,
        MetricKind::Gauge,
        &["executor"],
        "jobs in the database that wait for their time or for a slot",
    ),
    Metric::new(OLDEST, MetricKind::Gauge, &["executor"], "how long the oldest due job has been waiting"),
    Metric::new(EXECUTING, MetricKind::Gauge, &["executor"], "jobs that are executing on all nodes"),
    Metric::new(PAUSED, MetricKind::Gauge, &["executor"], "1 while the executor, or the whole cluster, is paused"),
    Metric::new(NODES, MetricKind::Gauge, &["state"], "members of the cluster"),
];

/// Tells the installed recorder what each metric means, for exporters that show it. Call it once, after the recorder is installed.
pub fn describe() {
    for metric in METRICS {
        let (name, unit, help) = (metric.name, metric.unit(), metric.help);
        match metric.kind {
            MetricKind::Counter => metrics::describe_counter!(name, unit, help),
            MetricKind::Gauge => metrics::describe_gauge!(name, unit, help),
            MetricKind::Histogram => metrics::describe_histogram!(name, unit, help),
        }
    }
}
