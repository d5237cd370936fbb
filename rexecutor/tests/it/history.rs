//! How jobs went: what nodes count, when they store it, and how it is read.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use rexecutor::{
    backend::{
        AmendError, Backend, BackendError, Claim, Claimed, Demand, Enqueue, Enqueued, Filter, Heartbeat, History,
        HistoryStep, Inspect, JobChange, JobRow, Maintain, Member, NewJob, Node, Recorded, Result, ScheduleKey, Settle,
        Settlement, Tally, Tick, Ticks, Wakeup, history, memory::InMemoryBackend,
    },
    clock::Clock,
    each_role,
    history::{RunEnd, Timeline},
    job::{ExecutorName, JobId, Lease, NodeId},
    node::NodeBuilder,
    prelude::*,
    pruner::PruneSpec,
};
use rexecutor_testing::TestClock;

use crate::executor;

const HOUR: Duration = Duration::from_secs(3_600);

// It takes as many milliseconds as its data say, and then ends as they say.
executor!(
    Ends,
    "ends",
    {
        const MAX_ATTEMPTS: u16 = 2;
    },
    |job| {
        job.context().clock().sleep(Duration::from_millis(100)).await;
        match job.data {
            0 => ExecutionResult::Done,
            1 => {
                let failure: std::result::Result<(), JobFailure> =
                    Err(JobFailure::retry_after(TimeDelta::seconds(30), "no"));
                rexecutor::executor::IntoExecutionResult::into_execution_result(failure)
            }
            2 => ExecutionResult::Cancel { reason: Box::new("no need") },
            _ if job.context().lease().0 == 1 => ExecutionResult::Snooze { delay: TimeDelta::seconds(20) },
            _ => ExecutionResult::Done,
        }
    }
);

/// What a backend is asked of its history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Add(u64),
    RollUp(HistoryStep),
}

/// A backend that tells when it is asked for what, and whose history may be away.
#[derive(Debug)]
struct Told {
    memory: InMemoryBackend,
    clock: TestClock,
    asked: Mutex<Vec<(Duration, Asked)>>,
    is_away: AtomicBool,
}

macro_rules! handed_on {
    ($(trait $role:ident {
        $($operation:ident => fn $method:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*
    })*) => {
        $(impl $role for Told {
            $(fn $method<'a>(&'a self, $($argument: $type),*) -> BoxFuture<'a, $answer> {
                self.memory.$method($($argument),*)
            })*
        })*
    };
}

each_role!(handed_on);

impl Backend for Told {
    fn history(&self) -> Option<&dyn History> {
        Some(self)
    }
}

impl Told {
    fn new(clock: &TestClock) -> Arc<Self> {
        let memory = InMemoryBackend::new().with_clock(clock.clone());
        Arc::new(Self { memory, clock: clock.clone(), asked: Mutex::default(), is_away: AtomicBool::new(false) })
    }

    fn node(self: &Arc<Self>) -> NodeBuilder {
        Rexecutor::builder().with_backend(self.clone()).with_clock(self.clock.clone()).with_executor::<Ends>()
    }

    async fn put(&self, data: impl IntoIterator<Item = u32>) {
        let jobs = data.into_iter().map(|data| Ends::builder().with_data(data).encode().unwrap()).collect();
        let _ = Enqueue::enqueue(self, jobs).await.unwrap();
    }

    async fn seconds(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds)).await;
        self.clock.settle().await;
    }

    fn asked(&self, what: Asked) -> Result<()> {
        self.asked.lock().unwrap().push((self.clock.elapsed(), what));
        match self.is_away.load(Ordering::Relaxed) {
            true => Err(BackendError::transient("away", "it is away")),
            false => Ok(()),
        }
    }

    fn all_asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().iter().map(|(_, asked)| *asked).collect()
    }

    async fn last(&self, span: Duration) -> Timeline {
        rexecutor::history().last_on_backend(span, self).await.unwrap()
    }
}

impl History for Told {
    fn add(&self, tallies: Vec<Tally>) -> BoxFuture<'_, Result<()>> {
        let runs = tallies.iter().map(|tally| tally.run.count()).sum();
        Box::pin(async move {
            self.asked(Asked::Add(runs))?;
            history(&self.memory)?.add(tallies).await
        })
    }

    fn roll_up(&self, step: HistoryStep) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async move {
            self.asked(Asked::RollUp(step))?;
            history(&self.memory)?.roll_up(step).await
        })
    }

    fn read<'a>(&'a self, executors: Option<&'a [ExecutorName]>, span: Duration) -> BoxFuture<'a, Result<Recorded>> {
        Box::pin(async move { history(&self.memory)?.read(executors, span).await })
    }
}

#[tokio::test]
async fn each_run_is_counted_by_how_it_ended_with_its_times() {
    let clock = TestClock::new();
    let backend = Told::new(&clock);
    backend.put([0, 0, 1, 2, 3]).await;
    // They wait for their node.
    backend.seconds(10).await;
    let node = backend.node().start().await.unwrap();
    backend.seconds(120).await;
    node.graceful_shutdown().await;
    let timeline = backend.last(HOUR).await;
    let total = timeline.total_of("ends");
    let counts = RunEnd::ALL.iter().map(|end| total.count(*end)).collect::<Vec<_>>();
    assert_eq!(counts, [3, 1, 1, 1, 1, 0, 0, 0, 0], "a job that is retried has two runs");
    assert_eq!((total.runs(), total.failures(), timeline.total()), (7, 2, total.clone()));
    let about = |time: Option<Duration>, ms: f64| {
        let found = time.unwrap().as_secs_f64() * 1_000.0;
        assert!((found - ms).abs() <= ms / 4.0, "{found} and not {ms}");
    };
    about(total.run().p50(), 100.0);
    about(total.run_of(RunEnd::Snoozed).p99(), 100.0);
    // Five had waited for ten seconds, and the two that came back started when they were due.
    about(total.wait().p50(), 10_000.0);
    assert!(total.wait().quantile(0.2).unwrap() < Duration::from_secs(2), "{:?}", total.wait());
    assert_eq!(timeline.points().iter().map(rexecutor::history::Point::runs).sum::<u64>(), 7);
    assert_eq!(timeline.points().len(), 61);
    let none = rexecutor::history().executors(["none"]).last_on_backend(HOUR, &backend).await.unwrap();
    assert_eq!((none.total().runs(), none.executors().count()), (0, 0));
}

/// However much ends, it is one statement in five seconds; where nothing ends, it is none.
#[tokio::test]
async fn a_node_stores_how_jobs_went_once_in_five_seconds_and_only_if_any_did() {
    let clock = TestClock::new();
    let backend = Told::new(&clock);
    let node = backend.node().start().await.unwrap();
    backend.seconds(3_600).await;
    assert_eq!(backend.all_asked(), [], "nobody has asked for anything");
    for _ in 0..100 {
        backend.put([0; 20]).await;
        backend.seconds(1).await;
    }
    let asked = backend.asked.lock().unwrap().clone();
    assert!((18..=23).contains(&asked.len()), "{asked:?}");
    assert!(asked.windows(2).all(|pair| pair[1].0 - pair[0].0 >= Duration::from_secs(5)), "{asked:?}");
    let rolled = asked.iter().filter_map(|(_, asked)| match asked {
        Asked::RollUp(step) => Some(*step),
        Asked::Add(_) => None,
    });
    assert_eq!(rolled.collect::<Vec<_>>(), HistoryStep::ALL, "once an hour");
    backend.seconds(10).await;
    backend.asked.lock().unwrap().clear();
    backend.seconds(3_600).await;
    assert_eq!(backend.all_asked(), [], "nothing has ended");
    assert_eq!(backend.last(2 * HOUR).await.total().runs(), 2_000);

    // The rest is stored by the node that ends.
    backend.put([0; 20]).await;
    backend.seconds(1).await;
    node.graceful_shutdown().await;
    assert_eq!(backend.all_asked(), [Asked::Add(20)]);
    assert_eq!(backend.last(2 * HOUR).await.total().runs(), 2_020);
}

/// What ends while the history cannot be stored counts when it happened, and keeps no job from ending.
#[tokio::test]
async fn what_ends_in_an_outage_counts_when_it_happened() {
    let clock = TestClock::new();
    let backend = Told::new(&clock);
    let node = backend.node().start().await.unwrap();
    backend.is_away.store(true, Ordering::Relaxed);
    for _ in 0..10 {
        backend.put([0; 3]).await;
        backend.seconds(60).await;
    }
    assert_eq!(backend.last(HOUR).await.total().runs(), 0);
    let rows = backend.query(&Filter::All(Vec::new()), 100).await.unwrap();
    assert!(rows.iter().all(|row| row.status == JobStatus::Complete));
    backend.is_away.store(false, Ordering::Relaxed);
    backend.seconds(20).await;
    let runs: Vec<u64> = backend.last(HOUR).await.points().iter().map(rexecutor::history::Point::runs).collect();
    assert_eq!(runs.iter().sum::<u64>(), 30);
    assert!(runs.iter().filter(|runs| **runs > 0).count() >= 9, "{runs:?}");
    node.graceful_shutdown().await;
}

#[tokio::test]
async fn a_backend_that_keeps_no_history_is_named() {
    let backend = crate::capabilities::Foreign::new();
    let error = rexecutor::history().last_on_backend(HOUR, &backend).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("Foreign`") && text.contains("`Backend::history`") && !error.is_transient(), "{text}");
}
