//! A backend that somebody else has written, for an older version: it has the roles, and no capability beside them.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use rexecutor::{
    ExecutorExt,
    backend::{
        AmendError, Backend, Claim, Claimed, Demand, Enqueue, Enqueued, Filter, Heartbeat, Inspect, JobChange, JobRow,
        Maintain, Member, NewJob, Node, Pause, Result, ScheduleKey, Settle, Settlement, Tick, Ticks, Wakeup, control,
        memory::InMemoryBackend,
    },
    each_role,
    job::{ExecutorName, JobId, Lease, NodeId},
    prelude::*,
    pruner::PruneSpec,
    schedule::{EntryChange, Overlap, Schedule},
    schedules,
};
use rexecutor_testing::TestClock;
use tokio::sync::mpsc;

#[derive(Debug)]
pub(crate) struct Foreign(InMemoryBackend);

impl Foreign {
    pub(crate) fn new() -> Self {
        Self(InMemoryBackend::new())
    }
}

macro_rules! foreign {
    ($(trait $role:ident {
        $($operation:ident => fn $method:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*
    })*) => {
        $(impl $role for Foreign {
            $(fn $method<'a>(&'a self, $($argument: $type),*) -> BoxFuture<'a, $answer> {
                self.0.$method($($argument),*)
            })*
        })*
    };
}

each_role!(foreign);

impl Backend for Foreign {}

#[job]
async fn greet(name: String, State(greeted): State<mpsc::UnboundedSender<String>>) {
    let _ = greeted.send(name);
}

#[job(cluster_concurrency = 2)]
async fn scarce() {}

#[job(circuit_breaker(after = 5, within = "1m", pause = "1m"))]
async fn fragile() {}

#[job(max_attempts = 1)]
async fn streams(context: JobContext) -> std::result::Result<(), EmitError> {
    context.emit("nobody keeps it").await
}

#[tokio::test]
async fn a_limit_of_the_cluster_on_a_backend_that_keeps_to_none_is_refused() {
    let backend = Foreign(InMemoryBackend::new());
    let node = Rexecutor::builder().with_backend(backend).with_executor::<Scarce>();
    let error = node.start().await.map(drop).unwrap_err().to_string();
    assert!(error.contains("executor `scarce` has a limit in the whole cluster"), "{error}");
    let node = Rexecutor::builder().with_backend(Foreign(InMemoryBackend::new())).with_executor::<Fragile>();
    let error = node.start().await.map(drop).unwrap_err().to_string();
    assert!(error.contains("executor `fragile` has a circuit breaker"), "{error}");
}

#[tokio::test]
async fn a_backend_that_lacks_a_capability_works_and_says_what_it_lacks() {
    let backend = Arc::new(Foreign(InMemoryBackend::new()));
    let error = control(&backend).err().unwrap().to_string();
    for part in ["Foreign`", "cannot do this", "`Backend::control`"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    let error = Greet::pause_on_backend(Pause::new("no mail"), &backend).await.unwrap_err();
    assert!(!error.is_transient(), "{error:?}");

    let (greeted, mut names) = mpsc::unbounded_channel::<String>();
    let builder = Rexecutor::builder().with_backend(backend.clone()).with_state(greeted);
    let node = builder.with_executor::<Greet>().start().await.unwrap();
    let _ = Greet::builder().with_data("Ada".to_owned()).enqueue_to_backend(&backend).await.unwrap();
    assert_eq!(names.recv().await.unwrap(), "Ada");
    node.graceful_shutdown().await;
}

/// A schedule ticks, as schedules did before there were entries; what only entries can do is refused, and the backend and what it
/// lacks are named.
#[tokio::test]
async fn a_backend_that_lacks_entries_ticks_and_says_what_it_cannot_do() {
    let clock = TestClock::new();
    let backend = Arc::new(Foreign(InMemoryBackend::new().with_clock(clock.clone())));
    let hourly = || Schedule::parse("0 0 * * * *", "UTC").unwrap();
    let new = || schedules::entry::<Greet>("hourly", hourly(), "Ada".to_owned());
    let (name, change) = ("hourly", EntryChange::default());
    let errors = [
        new().put_on_backend(&backend).await.unwrap_err(),
        schedules::list_on_backend(&backend).await.unwrap_err(),
        schedules::get_on_backend(name, &backend).await.unwrap_err(),
        schedules::pause_on_backend(name, "no mail", &backend).await.unwrap_err(),
        schedules::resume_on_backend(name, &backend).await.unwrap_err(),
        schedules::trigger_on_backend(name, "ann", &backend).await.unwrap_err(),
        schedules::change_on_backend(name, change, &backend).await.unwrap_err(),
        schedules::remove_on_backend(name, &backend).await.unwrap_err(),
    ];
    for error in errors {
        let text = error.to_string();
        assert!(text.contains("Foreign`") && text.contains("`Backend::entries`") && !error.is_transient(), "{text}");
    }
    let node = || Rexecutor::builder().with_backend(backend.clone()).with_clock(clock.clone());
    let error = node().with_schedule_entry(new().with_overlap(Overlap::Skip)).start().await.map(drop).unwrap_err();
    let text = error.to_string();
    assert!(["`hourly`", "overlap", "Foreign`", "`Backend::entries`"].iter().all(|part| text.contains(part)), "{text}");

    let (greeted, mut names) = mpsc::unbounded_channel::<String>();
    let node = node().with_state(greeted).with_schedule_entry(new()).start().await.unwrap();
    clock.advance(TimeDelta::minutes(61)).await;
    clock.settle().await;
    assert_eq!(names.try_recv().unwrap(), "Ada");
    node.graceful_shutdown().await;
}

/// What nobody keeps is not gathered, either.
#[tokio::test]
async fn case_15_3_a_job_that_streams_on_a_backend_that_keeps_no_streams_is_told() {
    let clock = TestClock::new();
    let backend = Arc::new(Foreign(InMemoryBackend::new().with_clock(clock.clone())));
    let builder = Rexecutor::builder().with_backend(backend.clone()).with_clock(clock.clone());
    let node = builder.with_executor::<Streams>().start().await.unwrap();
    let job = Streams::builder().enqueue_to_backend(&backend).await.unwrap();
    clock.settle().await;
    let row = backend.query(&Filter::IdIn(vec![job.id()]), 1).await.unwrap().remove(0);
    assert_eq!(row.status, JobStatus::Discarded);
    assert!(row.errors[0].details.contains("`Backend::streams`"), "{:?}", row.errors);
    node.graceful_shutdown().await;
}
