//! Jobs that are claimed before there is a slot for them, because claims take longer than jobs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rexecutor::prelude::*;
use rexecutor_testing::{Fault, Operation};

use crate::{
    executor,
    support::{Tell, Told, World, tell},
};

/// Whether jobs wait for an hour.
#[derive(Clone, Default)]
struct Slow(Arc<AtomicBool>);

impl Slow {
    fn set(&self, is_slow: bool) {
        self.0.store(is_slow, Ordering::SeqCst);
    }
}

async fn work(job: &Job<u32, ()>) -> ExecutionResult {
    Tell::of(job).say(job.data);
    if job.context().state::<Slow>().unwrap().0.load(Ordering::SeqCst) {
        job.context().clock().sleep(Duration::from_secs(3_600)).await;
    }
    ExecutionResult::Done
}

executor!(Short, "short", {}, |job| work(&job).await);
executor!(
    Limited,
    "limited",
    {
        const MAX_CONCURRENCY: Option<usize> = Some(5);
    },
    |job| work(&job).await
);

executor!(
    Counted,
    "counted",
    {
        const CLUSTER_CONCURRENCY: Option<usize> = Some(40);
    },
    |job| work(&job).await
);

executor!(
    Once,
    "once",
    {
        const MAX_ATTEMPTS: u16 = 1;
    },
    |job| work(&job).await
);

impl World {
    /// Claims take 10 ms from now on, and jobs none.
    fn slow_claims(&self) {
        self.backend.inject(Fault::delay(Duration::from_millis(10)).on([Operation::Claim]));
    }

    async fn milliseconds(&self, milliseconds: i64) {
        self.clock.advance(TimeDelta::milliseconds(milliseconds)).await;
        self.clock.settle().await;
    }

    async fn executing(&self) -> usize {
        self.rows().await.iter().filter(|row| row.status == JobStatus::Executing).count()
    }
}

#[tokio::test]
async fn short_jobs_are_claimed_ahead_and_start_in_order() {
    let world = World::new();
    world.slow_claims();
    let (tell, mut told) = tell();
    world.enqueue::<Short>(2_000).await;
    let node = world.node().with_max_running(5).with_state(tell).with_state(Slow::default());
    let node = node.with_executor::<Short>().start().await.unwrap();
    // Five at a time, as there are slots, it would take 4 s.
    world.milliseconds(100).await;
    let wanted: Vec<String> = (0..2_000).map(|number| number.to_string()).collect();
    assert_eq!(told.all(), wanted);
    node.graceful_shutdown().await;
    assert!(world.rows().await.iter().all(|row| (row.status, row.attempt) == (JobStatus::Complete, 1)));
}

/// What was claimed ahead counts as running, so that a limit of the cluster holds, and lets more be claimed than there are slots.
#[tokio::test]
async fn case_14_1_short_jobs_with_a_limit_in_the_cluster_are_claimed_ahead_up_to_it() {
    let world = World::new();
    world.slow_claims();
    let (tell, mut told) = tell();
    world.enqueue::<Counted>(400).await;
    let node = world.node().with_max_running(5).with_state(tell).with_state(Slow::default());
    let node = node.with_executor::<Counted>().start().await.unwrap();
    // Five at a time it would take 0.8 s.
    for _ in 0..20 {
        world.milliseconds(10).await;
        assert!(world.executing().await <= 40);
    }
    assert_eq!(told.all().len(), 400);
    node.graceful_shutdown().await;
}

#[tokio::test]
async fn no_more_than_the_slots_run_at_once_and_long_jobs_are_not_claimed_ahead() {
    let world = World::new();
    world.slow_claims();
    let ((tell, mut told), slow) = (tell(), Slow::default());
    slow.set(true);
    world.enqueue::<Short>(100).await;
    let node = world.node().with_max_running(5).with_state(tell).with_state(slow);
    let node = node.with_executor::<Short>().start().await.unwrap();
    for _ in 0..3 {
        world.milliseconds(100).await;
        assert_eq!((world.executing().await, told.all().len()), (5, 5));
        world.seconds(3_600).await;
        world.milliseconds(20).await;
    }
    drop(node.drop_guard());
}

/// Trap 15: a prefetched job is hidden from idle nodes, or breaks serial order.
#[tokio::test]
async fn trap_15_what_was_claimed_ahead_and_cannot_start_after_all_is_given_back() {
    let world = World::new();
    world.slow_claims();
    let ((tell, mut told), slow) = (tell(), Slow::default());
    world.enqueue::<Short>(50).await;
    let node = async || {
        let node = world.node().with_max_running(5).with_state(tell.clone()).with_state(slow.clone());
        node.with_executor::<Short>().start().await.unwrap()
    };
    let busy = node().await;
    world.milliseconds(100).await;
    assert_eq!(told.all().len(), 50);
    slow.set(true);
    world.enqueue::<Short>(50).await;
    world.milliseconds(20).await;
    assert_eq!(told.all(), ["0", "1", "2", "3", "4"]);
    let ahead = world.executing().await;
    assert!(ahead > 5, "{ahead} were claimed, none of them ahead");
    world.milliseconds(500).await;
    assert_eq!(world.executing().await, 5);
    // An idle one runs what comes next; no attempt was counted.
    let idle = node().await;
    world.milliseconds(20).await;
    assert_eq!(told.all(), ["5", "6", "7", "8", "9"]);
    let rows = world.rows().await;
    assert!(rows.iter().all(|row| row.attempt == u16::from(!row.status.is_pending())));
    drop((busy.drop_guard(), idle.drop_guard()));
}

/// Runs 5 at a time for a while, and then 5 that take long: are there ever more claimed?
async fn is_not_claimed_ahead_for<E: Executor<Data = u32>>() {
    let world = World::new();
    world.slow_claims();
    let ((tell, mut told), slow) = (tell(), Slow::default());
    world.enqueue::<E>(50).await;
    let node = world.node().with_max_running(5).with_state(tell).with_state(slow.clone());
    let node = node.with_executor::<E>().start().await.unwrap();
    for done in 1..=10 {
        world.milliseconds(10).await;
        assert_eq!(told.all().len(), 5, "5 at a time, the {done}th time");
    }
    slow.set(true);
    world.enqueue::<E>(50).await;
    world.milliseconds(50).await;
    assert_eq!((world.executing().await, told.all().len()), (5, 5));
    drop(node.drop_guard());
}

/// Trap 15: a prefetched job is hidden from idle nodes, or breaks serial order.
#[tokio::test]
async fn trap_15_an_executor_with_a_limit_is_never_claimed_ahead_for() {
    is_not_claimed_ahead_for::<Limited>().await;
}

#[tokio::test]
async fn an_only_attempt_is_not_used_up_by_a_job_that_has_not_begun() {
    is_not_claimed_ahead_for::<Once>().await;
}

/// A node that claims ahead, and whose slots are taken.
async fn with_some_ahead(world: &World) -> (Rexecutor<rexecutor::node::GlobalSet>, Told) {
    world.slow_claims();
    let ((tell, told), slow) = (tell(), Slow::default());
    world.enqueue::<Short>(50).await;
    let node = world.node().with_max_running(5).with_shutdown_grace(Duration::ZERO).with_state(tell);
    // A heartbeat every 20 ms.
    let node = node.with_node_timeout(Duration::from_millis(100));
    let node = node.with_state(slow.clone()).with_executor::<Short>().start().await.unwrap();
    world.milliseconds(100).await;
    slow.set(true);
    world.enqueue::<Short>(50).await;
    world.milliseconds(20).await;
    assert!(world.executing().await > 5);
    (node, told)
}

#[tokio::test]
async fn a_node_that_shuts_down_gives_back_at_once_what_it_claimed_ahead() {
    let world = World::new();
    let (node, _told) = with_some_ahead(&world).await;
    let left = tokio::spawn(node.graceful_shutdown());
    world.clock.settle().await;
    let rows = world.rows().await;
    let waiting: Vec<_> = rows.iter().filter(|row| row.status.is_pending()).collect();
    assert!(waiting.len() >= 45 && waiting.iter().all(|row| row.attempt == 0), "{} of 50 wait", waiting.len());
    world.seconds(10).await;
    left.await.unwrap();
}

#[tokio::test]
async fn a_job_that_was_claimed_ahead_can_be_cancelled() {
    let world = World::new();
    let (node, mut told) = with_some_ahead(&world).await;
    let rows = world.rows().await;
    let last = rows.iter().rfind(|row| row.status == JobStatus::Executing).unwrap();
    rexecutor::backend::Inspect::cancel(&world.backend, &last.executor, last.id, "no need".to_owned()).await.unwrap();
    world.clock.settle().await;
    assert_eq!(world.row(last.id).await.status, JobStatus::Cancelled);
    world.milliseconds(500).await;
    assert_eq!(told.all().len(), 55, "50, and the five that run");
    drop(node.drop_guard());
}

/// A heartbeat lists it among the node's runs, and the node must not take it for one that it never heard of.
#[tokio::test]
async fn what_was_claimed_ahead_is_not_given_back_as_unheard_of() {
    let world = World::new();
    let (node, _told) = with_some_ahead(&world).await;
    let executing = world.executing().await;
    world.milliseconds(100).await;
    assert_eq!(world.executing().await, executing);
    drop(node.drop_guard());
}
