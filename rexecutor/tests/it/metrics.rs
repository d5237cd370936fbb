//! What is told to the facade of the `metrics` crate, and whether that is what the documentation lists.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use rexecutor::{
    backend::{Maintain, Node, Pause, Scope, control},
    job::uniqueness_criteria::UniquenessCriteria,
    metrics::{METRICS, QueueMetrics, describe},
    prelude::*,
};
use rexecutor_testing::{Fault, Operation};

use crate::{executor, support::World};

executor!(Works, "works", {}, |job| {
    job.context().clock().sleep(Duration::from_secs(job.data.into())).await;
    ExecutionResult::Done
});

executor!(Fails, "fails", {}, |_job| panic!("not today"));

/// A value by its kind, name and labels; of a histogram how many there are, and their sum.
type Values = BTreeMap<String, Vec<f64>>;

/// Keeps all that is told on this thread.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    values: Values,
    described: BTreeSet<String>,
    /// Name, kind and labels.
    shapes: BTreeSet<(String, &'static str, Vec<String>)>,
}

/// One metric with its labels.
struct One(Told, String);

impl One {
    fn change(&self, change: impl FnOnce(&mut Vec<f64>)) {
        change(self.0.0.lock().unwrap().values.entry(self.1.clone()).or_default());
    }

    fn add(&self, value: f64) {
        self.change(|values| *values = vec![values.first().copied().unwrap_or(0.0) + value]);
    }
}

impl CounterFn for One {
    fn increment(&self, value: u64) {
        self.add(value as f64);
    }

    fn absolute(&self, value: u64) {
        self.change(|values| *values = vec![value as f64]);
    }
}

impl GaugeFn for One {
    fn increment(&self, value: f64) {
        self.add(value);
    }

    fn decrement(&self, value: f64) {
        self.add(-value);
    }

    fn set(&self, value: f64) {
        self.change(|values| *values = vec![value]);
    }
}

impl HistogramFn for One {
    fn record(&self, value: f64) {
        self.change(|values| values.push(value));
    }
}

impl Told {
    fn one(&self, key: &Key, kind: &'static str) -> Arc<One> {
        let labels: Vec<_> = key.labels().map(|label| (label.key().to_owned(), label.value().to_owned())).collect();
        let names = labels.iter().map(|(name, _)| name.clone()).collect();
        self.0.lock().unwrap().shapes.insert((key.name().to_owned(), kind, names));
        let shown: Vec<String> = labels.iter().map(|(_, value)| value.clone()).collect();
        Arc::new(One(self.clone(), format!("{} {}", key.name(), shown.join(" ")).trim_end().to_owned()))
    }

    #[track_caller]
    fn values(&self, name: &str) -> Vec<f64> {
        let name = format!("rexecutor_{name}");
        let inner = self.0.lock().unwrap();
        inner.values.get(&name).cloned().unwrap_or_else(|| panic!("{name} is not in {:#?}", inner.values))
    }
}

impl Recorder for Told {
    fn describe_counter(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        self.0.lock().unwrap().described.insert(format!("{} counter", key.as_str()));
    }

    fn describe_gauge(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        self.0.lock().unwrap().described.insert(format!("{} gauge", key.as_str()));
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        assert_eq!(unit, Some(Unit::Seconds));
        self.0.lock().unwrap().described.insert(format!("{} histogram", key.as_str()));
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.one(key, "counter"))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.one(key, "gauge"))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.one(key, "histogram"))
    }
}

/// Everything happens that is counted; then all that was told is compared with the list, and the list with the documentation.
#[tokio::test]
async fn what_is_told_is_what_the_documentation_lists() {
    let told = Told::default();
    let _recorder = metrics::set_default_local_recorder(&told);
    describe();
    let world = World::new();
    let node = world.node().with_executor::<Works>().with_executor::<Fails>().start().await.unwrap();
    let _ = Works::builder().with_data(90).enqueue_to_backend(&world.backend).await.unwrap();
    let unique = || Works::builder().with_data(1).unique(UniquenessCriteria::by_executor());
    let fails = |attempts| Fails::builder().with_data(0).with_max_attempts(attempts);
    let first = unique().schedule_in(TimeDelta::hours(1)).enqueue_to_backend(&world.backend).await.unwrap();
    let second = unique().enqueue_to_backend(&world.backend).await.unwrap();
    assert!(!first.is_duplicate() && second.is_duplicate());
    let jobs = [fails(1).encode().unwrap(), fails(2).encode().unwrap()];
    rexecutor::enqueue_all_to_backend(jobs, &world.backend).await.unwrap();
    world.clock.settle().await;
    assert_eq!(told.values("jobs_enqueued_total works inserted"), [2.0]);
    assert_eq!(told.values("jobs_enqueued_total works existing"), [1.0]);
    assert_eq!(told.values("jobs_enqueued_total fails inserted"), [2.0]);
    assert_eq!(told.values("runs_in_progress works"), [1.0]);
    assert_eq!(told.values("runs_started_total fails"), [2.0]);
    assert_eq!(told.values("runs_ended_total fails discarded"), [1.0]);
    assert_eq!(told.values("runs_ended_total fails retried"), [1.0]);

    // A node that dies with a job.
    let dead = world.backend.join(&Node::new("it dies", Duration::from_secs(1))).await.unwrap();
    let lost = Works::builder().with_data(1).enqueue_to_backend(&world.backend);
    world.backend.inject(Fault::error().on([Operation::Claim]).times(1));
    let _ = lost.await.unwrap();
    world.clock.settle().await;
    let demand = rexecutor::backend::Demand::new("works", 1);
    assert_eq!(rexecutor::backend::Claim::claim(&*world.backend, dead, [demand].into()).await.unwrap().jobs.len(), 1);
    world.seconds(100).await;
    world.clock.settle().await;
    assert_eq!(told.values("backend_failures_total claim"), [1.0]);
    assert_eq!(told.values("jobs_rescued_total"), [1.0]);
    assert_eq!(told.values("runs_in_progress works"), [0.0]);
    assert_eq!(told.values("runs_ended_total works completed"), [2.0]);
    let mut took = told.values("run_duration_seconds works completed");
    took.sort_by(f64::total_cmp);
    assert_eq!(took, [1.0, 90.0]);
    let waits = told.values("run_wait_seconds works");
    assert_eq!((waits.len(), waits[0]), (2, 0.0));

    let mut queues = QueueMetrics::new();
    let _ = Works::builder().with_data(1).schedule_in(TimeDelta::hours(1)).enqueue_to_backend(&world.backend).await;
    control(&world.backend).unwrap().pause(&Scope::Executor("works".into()), Pause::new("")).await.unwrap();
    let _ = Works::builder().with_data(1).enqueue_to_backend(&world.backend).await.unwrap();
    let _ =
        rexecutor::backend::Enqueue::enqueue(&*world.backend, vec![rexecutor::backend::NewJob::new("nobodys", "1")])
            .await
            .unwrap();
    world.seconds(30).await;
    queues.measure(&world.backend).await.unwrap();
    assert_eq!(told.values("queue_due_jobs works"), [1.0]);
    assert_eq!(told.values("queue_waiting_jobs works"), [3.0]);
    assert_eq!(told.values("queue_oldest_wait_seconds works"), [30.0]);
    assert_eq!(told.values("queue_executing_jobs works"), [0.0]);
    assert_eq!((told.values("queue_paused works"), told.values("queue_paused fails")), (vec![1.0], vec![0.0]));
    assert_eq!((told.values("nodes alive"), told.values("nodes silent")), (vec![1.0], vec![0.0]));
    // Who is gone is at 0.
    assert_eq!(told.values("queue_due_jobs nobodys"), [1.0]);
    let row = world.rows().await.into_iter().find(|row| row.executor.as_str() == "nobodys").unwrap();
    rexecutor::backend::Inspect::cancel(&*world.backend, &row.executor, row.id, String::new()).await.unwrap();
    queues.measure(&world.backend).await.unwrap();
    assert_eq!(told.values("queue_due_jobs nobodys"), [0.0]);
    node.graceful_shutdown().await;

    let inner = told.0.lock().unwrap();
    let listed: BTreeSet<_> = METRICS
        .iter()
        .map(|metric| {
            let labels = metric.labels.iter().map(|label| (*label).to_owned()).collect();
            (metric.name.to_owned(), metric.kind.as_str(), labels)
        })
        .collect();
    assert_eq!(inner.shapes, listed);
    let described: BTreeSet<String> =
        METRICS.iter().map(|metric| format!("{} {}", metric.name, metric.kind.as_str())).collect();
    assert_eq!(inner.described, described);
}

#[test]
fn the_documentation_lists_every_metric() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
    let text = fs::read_to_string(path).unwrap();
    let rows = text.lines().skip_while(|line| !line.starts_with("| metric |")).skip(2);
    let rows: Vec<&str> = rows.take_while(|line| line.starts_with('|')).collect();
    let row = |metric: &rexecutor::metrics::Metric| {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let labels = if labels.is_empty() { "none".to_owned() } else { labels.join(", ") };
        format!("| `{}` | {} | {labels} | {} |", metric.name, metric.kind.as_str(), metric.help)
    };
    assert_eq!(rows, METRICS.iter().map(row).collect::<Vec<_>>());
}
