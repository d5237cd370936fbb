//! Executors that are paused by themselves, because their attempts keep failing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rexecutor::{
    backend::{Backend, breaker::HeldByBreaker},
    node::GlobalSet,
    prelude::*,
};
use tracing::Level;

use crate::{
    executor, log,
    support::{Tell, Told, World, tell},
};

/// Whether the provider answers.
#[derive(Clone, Default)]
struct IsUp(Arc<AtomicBool>);

const BREAKER: CircuitBreaker = CircuitBreaker::new(3, Duration::from_secs(60), Duration::from_secs(300));

#[derive(Debug)]
struct Unavailable;

impl std::fmt::Display for Unavailable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("503 Service Unavailable")
    }
}

impl ExecutionError for Unavailable {
    fn error_type(&self) -> &'static str {
        "unavailable"
    }
}

executor!(
    Mail,
    "mail",
    {
        const CIRCUIT_BREAKER: Option<CircuitBreaker> = Some(BREAKER);
        const MAX_ATTEMPTS: u16 = 1;
        const MAX_CONCURRENCY: Option<usize> = Some(1);

        fn timeout(_: &Job<u32, ()>) -> Option<Duration> {
            Some(Duration::from_secs(5))
        }
    },
    |job| {
        Tell::of(&job).say(job.data);
        if job.context().state::<IsUp>().unwrap().0.load(Ordering::SeqCst) {
            return ExecutionResult::Done;
        }
        match job.data % 3 {
            0 => ExecutionResult::from(Unavailable),
            1 => panic!("no connection"),
            _ => std::future::pending().await,
        }
    }
);

executor!(Print, "print", {}, |job| {
    Tell::of(&job).say(format!("print {}", job.data));
    ExecutionResult::Done
});

async fn start(world: &World, is_up: &IsUp) -> (Rexecutor<GlobalSet>, Told) {
    let (tell, told) = tell();
    let node = world.node().with_state(tell).with_state(is_up.clone()).with_cancel_grace(Duration::from_secs(1));
    let node = node.with_executor::<Mail>().with_executor::<Print>().start().await.unwrap();
    (node, told)
}

async fn held(world: &World) -> Option<HeldByBreaker> {
    let cluster = world.backend.observe().unwrap().cluster().await.unwrap();
    cluster.executor(&"mail".into()).and_then(|standing| standing.controls.breaker.clone())
}

/// An error, a panic and a timeout open it; two nodes then try one job between them after each pause, and go on once one succeeds.
#[tokio::test]
async fn case_14_6_attempts_that_keep_failing_pause_their_executor_until_one_succeeds() {
    let (log, _guard) = log::listen();
    let (world, is_up) = (World::new(), IsUp::default());
    world.enqueue::<Mail>(12).await;
    let (one, mut first) = start(&world, &is_up).await;
    world.clock.settle().await;
    assert_eq!(first.all(), ["0", "1", "2"]);
    assert_eq!(held(&world).await, None, "two have failed, and one hangs");
    world.seconds(6).await;
    world.clock.settle().await;
    let open = held(&world).await.unwrap();
    assert!(!open.is_tried && open.open.reason.contains("timeout"), "{open:?}");
    let warning = log.take(Level::WARN);
    let opened = warning.iter().find(|line| line.message.starts_with("attempts keep failing")).unwrap();
    assert_eq!((opened.field("job.executor"), opened.field("failures")), ("mail", "3"));
    let (other, mut second) = start(&world, &is_up).await;
    world.enqueue::<Print>(1).await;
    world.seconds(290).await;
    world.clock.settle().await;
    let mut all = move || [first.all(), second.all()].concat();
    assert_eq!(all(), ["print 0"], "other executors go on");
    // The pause is over: one job is tried on one of the nodes, and fails.
    world.seconds(15).await;
    world.clock.settle().await;
    assert_eq!(all(), ["3"]);
    let stays = "the job that the circuit breaker let through has failed: the executor stays paused";
    assert!(log.take(Level::WARN).iter().any(|line| line.message == stays));
    is_up.0.store(true, Ordering::SeqCst);
    world.seconds(310).await;
    world.clock.settle().await;
    assert_eq!(all().len(), 8);
    assert_eq!(held(&world).await, None);
    let closed = "the job that the circuit breaker let through has succeeded: the executor is resumed";
    assert!(log.take(Level::INFO).iter().any(|line| line.message == closed));
    one.graceful_shutdown().await;
    other.graceful_shutdown().await;
}

/// Once somebody has mended it, `resume` lets all of them start.
#[tokio::test]
async fn case_14_6_an_open_circuit_breaker_is_closed_by_resuming_the_executor() {
    let (world, is_up) = (World::new(), IsUp::default());
    world.enqueue::<Mail>(9).await;
    let (node, mut told) = start(&world, &is_up).await;
    world.seconds(6).await;
    world.clock.settle().await;
    assert_eq!(told.all().len(), 3);
    is_up.0.store(true, Ordering::SeqCst);
    assert!(Mail::resume_on_backend(&world.backend).await.unwrap());
    assert!(!Mail::resume_on_backend(&world.backend).await.unwrap());
    world.clock.settle().await;
    assert_eq!(told.all().len(), 6);
    node.graceful_shutdown().await;
}

executor!(
    Unkept,
    "unkept",
    {
        const CIRCUIT_BREAKER: Option<CircuitBreaker> =
            Some(CircuitBreaker::new(0, Duration::from_secs(60), Duration::from_secs(60)));
    },
    |_job| ExecutionResult::Done
);

#[tokio::test]
async fn a_circuit_breaker_that_cannot_be_kept_to_keeps_the_node_from_starting() {
    let error = World::new().node().with_executor::<Unkept>().start().await.map(drop).unwrap_err().to_string();
    assert!(error.contains("executor `unkept`: its circuit breaker cannot be kept to: it opens after 0"), "{error}");
}

#[job(circuit_breaker(after = 20, within = "1m", pause = "5m"))]
async fn broken() {}

#[test]
fn a_circuit_breaker_is_declared_in_one_line_and_listed() {
    let breaker = CircuitBreaker::new(20, Duration::from_secs(60), Duration::from_secs(300));
    assert_eq!(Broken::CIRCUIT_BREAKER, Some(breaker));
    let listed = Rexecutor::registered().into_iter().find(|job| job.name() == "broken").unwrap();
    assert_eq!(listed.settings().circuit_breaker, Some(breaker));
}
