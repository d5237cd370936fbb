//! How many jobs run at once.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use rexecutor::{
    backend::{Claim, Demand, Maintain, Node},
    prelude::*,
};
use tokio::sync::Semaphore;

use crate::{executor, support::World};

/// How many jobs of each executor run, and ran at once.
#[derive(Clone, Default)]
struct Census(Arc<Mutex<BTreeMap<String, (usize, usize)>>>);

impl Census {
    fn change(&self, executor: &str, by: isize) {
        let mut counts = self.0.lock().unwrap();
        let (now, most) = counts.entry(executor.to_owned()).or_default();
        *now = now.checked_add_signed(by).unwrap();
        *most = (*most).max(*now);
    }

    fn now(&self, executor: &str) -> usize {
        self.0.lock().unwrap().get(executor).copied().unwrap_or_default().0
    }

    fn most(&self, executor: &str) -> usize {
        self.0.lock().unwrap().get(executor).copied().unwrap_or_default().1
    }
}

async fn counted(job: Job<u32, ()>) -> ExecutionResult {
    let (census, gate) = (job.context().state::<Census>().unwrap(), job.context().state::<Arc<Semaphore>>().unwrap());
    census.change(&job.executor, 1);
    gate.acquire().await.unwrap().forget();
    census.change(&job.executor, -1);
    ExecutionResult::Done
}

executor!(
    Limited,
    "limited",
    {
        const MAX_CONCURRENCY: Option<usize> = Some(3);
    },
    |job| counted(job).await
);
executor!(Busy, "busy", {}, |job| counted(job).await);
executor!(Quiet, "quiet", {}, |job| counted(job).await);

#[tokio::test]
async fn limits_hold_and_free_slots_are_used() {
    let world = World::new();
    let (census, gate) = (Census::default(), Arc::new(Semaphore::new(0)));
    let node = world.node().with_max_running(10).with_state(census.clone()).with_state(gate.clone());
    let node = node.with_executor::<Limited>().with_executor::<Busy>().start().await.unwrap();
    world.enqueue::<Limited>(50).await;
    world.enqueue::<Busy>(50).await;
    for _ in 0..100 {
        world.clock.settle().await;
        let (limited, busy) = (census.now("limited"), census.now("busy"));
        assert!(limited <= 3 && limited + busy <= 10);
        gate.add_permits(1);
    }
    world.clock.settle().await;
    assert_eq!((census.most("limited"), census.most("busy")), (3, 7));
    node.graceful_shutdown().await;
    assert!(world.rows().await.iter().all(|row| row.status == JobStatus::Complete));
}

/// A pool of ten connections, as drivers open it by default, with their limit of 30 s for the wait.
#[derive(Clone)]
struct Pool(Arc<Semaphore>);

executor!(
    Stores,
    "stores",
    {
        const MAX_ATTEMPTS: u16 = 1;
    },
    |job| {
        let (clock, Pool(pool)) = (job.context().clock().clone(), job.context().state().unwrap());
        let connection = tokio::select! {
            connection = pool.acquire() => connection.unwrap(),
            () = clock.sleep(Duration::from_secs(30)) => return ExecutionResult::Cancel { reason: Box::new("timed out") },
        };
        clock.sleep(Duration::from_millis(400)).await;
        drop(connection);
        ExecutionResult::Done
    }
);

/// Case 7: of 1,500 jobs that held a connection for 400 ms, 250 had a failed attempt.
#[tokio::test]
async fn case_07_a_pool_of_ten_connections_serves_as_many_jobs_as_run_by_default() {
    let world = World::new();
    let node = world.node().with_state(Pool(Arc::new(Semaphore::new(10)))).with_executor::<Stores>();
    let node = node.start().await.unwrap();
    world.enqueue::<Stores>(1_500).await;
    world.seconds(65).await;
    assert!(world.rows().await.iter().all(|row| row.status == JobStatus::Complete));
    node.graceful_shutdown().await;
}

/// Case 7: the default is no lower than what most jobs can use.
#[tokio::test]
async fn case_07_fifty_jobs_run_at_once_by_default() {
    let world = World::new();
    let (census, gate) = (Census::default(), Arc::new(Semaphore::new(0)));
    let node = world.node().with_state(census.clone()).with_state(gate.clone());
    let node = node.with_executor::<Busy>().start().await.unwrap();
    world.enqueue::<Busy>(200).await;
    world.clock.settle().await;
    gate.add_permits(200);
    world.clock.settle().await;
    assert_eq!(census.most("busy"), 50);
    node.graceful_shutdown().await;
}

#[tokio::test]
async fn a_busy_executor_leaves_a_slot_for_every_other() {
    let world = World::new();
    let (census, gate) = (Census::default(), Arc::new(Semaphore::new(0)));
    let node = world.node().with_max_running(10).with_state(census.clone()).with_state(gate.clone());
    let node = node.with_executor::<Busy>().with_executor::<Quiet>().start().await.unwrap();
    world.enqueue::<Busy>(1_000).await;
    world.clock.settle().await;
    assert_eq!(census.now("busy"), 9);
    world.enqueue::<Quiet>(1).await;
    world.clock.settle().await;
    assert_eq!(census.now("quiet"), 1);
    gate.close();
    drop(node.drop_guard());
}

executor!(
    Alone,
    "alone",
    {
        const MAX_CONCURRENCY: Option<usize> = Some(1);
    },
    |job| counted(job).await
);

/// Trap 14: counters of running jobs leak after a crash, so that a limit of 1 runs 11 or 0.
#[tokio::test]
async fn trap_14_after_a_crash_a_limit_of_one_runs_one() {
    let world = World::new();
    let (census, gate) = (Census::default(), Arc::new(Semaphore::new(0)));
    world.enqueue::<Alone>(11).await;
    let dead = world.backend.join(&Node::new("dead", Duration::from_secs(15))).await.unwrap();
    world.backend.claim(dead, [Demand::new("alone", 1)].into()).await.unwrap();
    let node = world.node().with_state(census.clone()).with_state(gate.clone()).with_executor::<Alone>();
    let node = node.start().await.unwrap();
    world.seconds(30).await;
    for left in (0..11).rev() {
        assert_eq!(census.now("alone"), 1, "and {left} after it");
        gate.add_permits(1);
        world.seconds(1).await;
    }
    assert_eq!((census.now("alone"), census.most("alone")), (0, 1));
    node.graceful_shutdown().await;
    assert!(world.rows().await.iter().all(|row| row.status == JobStatus::Complete));
}

/// Trap 15: a prefetched job is hidden from idle nodes.
#[tokio::test]
async fn trap_15_a_job_that_a_busy_node_cannot_start_is_there_for_an_idle_one() {
    let world = World::new();
    let (census, gate) = (Census::default(), Arc::new(Semaphore::new(0)));
    let node = async || {
        let node = world.node().with_state(census.clone()).with_state(gate.clone()).with_executor::<Alone>();
        node.start().await.unwrap()
    };
    let busy = node().await;
    world.enqueue::<Alone>(2).await;
    world.seconds(1).await;
    assert_eq!(census.now("alone"), 1);
    let idle = node().await;
    world.seconds(1).await;
    assert_eq!(census.now("alone"), 2, "one on each");
    gate.close();
    drop((busy.drop_guard(), idle.drop_guard()));
}

/// One of twenty executors.
struct OfMany<const NUMBER: usize>;

const NAMES: [&str; 20] = [
    "many_00", "many_01", "many_02", "many_03", "many_04", "many_05", "many_06", "many_07", "many_08", "many_09",
    "many_10", "many_11", "many_12", "many_13", "many_14", "many_15", "many_16", "many_17", "many_18", "many_19",
];

#[async_trait::async_trait]
impl<const NUMBER: usize> Executor for OfMany<NUMBER> {
    type Data = u32;
    type Metadata = ();
    const NAME: &'static str = NAMES[NUMBER];

    async fn execute(job: Job<u32, ()>) -> ExecutionResult {
        counted(job).await
    }
}

macro_rules! with_many {
    ($node:expr, $($number:literal)*) => { $node$(.with_executor::<OfMany<$number>>())* };
}

/// Case 18: of twenty slots, nineteen were kept for executors that had nothing to run.
#[tokio::test]
async fn case_18_the_slots_of_idle_executors_are_lent_but_for_a_tenth() {
    let world = World::new();
    let (census, gate) = (Census::default(), Arc::new(Semaphore::new(0)));
    let node = world.node().with_max_running(20).with_state(census.clone()).with_state(gate.clone());
    let node = with_many!(node, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19).start().await.unwrap();
    world.enqueue::<OfMany<0>>(50).await;
    world.clock.settle().await;
    assert_eq!(census.now(NAMES[0]), 18);
    world.enqueue::<OfMany<1>>(1).await;
    world.enqueue::<OfMany<2>>(1).await;
    world.clock.settle().await;
    assert_eq!((census.now(NAMES[1]), census.now(NAMES[2])), (1, 1), "there is room for them at once");
    world.enqueue::<OfMany<3>>(1).await;
    world.clock.settle().await;
    assert_eq!(census.now(NAMES[3]), 0, "all slots are taken");
    gate.add_permits(1);
    world.clock.settle().await;
    assert_eq!((census.now(NAMES[0]), census.now(NAMES[3])), (17, 1), "it gets the first one that comes free");
    gate.close();
    drop(node.drop_guard());
}

/// Of those that run as few jobs, the first by name got every slot for as long as it had jobs.
#[tokio::test]
async fn executors_take_turns_where_there_are_fewer_slots_than_executors() {
    let world = World::new();
    let (census, gate) = (Census::default(), Arc::new(Semaphore::new(0)));
    let node = world.node().with_max_running(2).with_state(census.clone()).with_state(gate.clone());
    let node = with_many!(node, 0 1 2 3 4).start().await.unwrap();
    world.enqueue::<OfMany<0>>(50).await;
    world.enqueue::<OfMany<1>>(50).await;
    world.enqueue::<OfMany<2>>(50).await;
    world.enqueue::<OfMany<3>>(50).await;
    world.enqueue::<OfMany<4>>(50).await;
    world.clock.settle().await;
    for _ in 0..8 {
        gate.add_permits(1);
        world.clock.settle().await;
    }
    assert!((0..5).all(|number| census.most(NAMES[number]) > 0), "each has run one of the first ten at the latest");
    gate.close();
    drop(node.drop_guard());
}
