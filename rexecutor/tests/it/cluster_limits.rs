//! Limits of how much runs at once on all nodes, as nodes keep to them.

use std::{sync::Arc, time::Duration};

use rexecutor::{backend::Enqueue, executor::IntoExecutionResult, prelude::*};
use rexecutor_testing::Operation;
use tokio::sync::Semaphore;

use crate::{
    executor,
    support::{Tell, World, tell},
};

executor!(
    Scarce,
    "scarce",
    {
        const CLUSTER_CONCURRENCY: Option<usize> = Some(2);
    },
    |job| {
        Tell::of(&job).say(job.data);
        job.context().state::<Arc<Semaphore>>().unwrap().acquire().await.unwrap().forget();
        ExecutionResult::Done
    }
);
executor!(Plain, "plain", {}, |job| {
    Tell::of(&job).say("plain");
    let _ = job;
    ExecutionResult::Done
});

/// Two nodes run no more at once than one of them might alone; a slot that is free again is used at once by the node whose run has
/// ended, and by the other soon.
#[tokio::test]
async fn two_nodes_share_a_limit_and_use_all_of_it() {
    let (world, (tell, mut told), gate) = (World::new(), tell(), Arc::new(Semaphore::new(0)));
    let node = || world.node().with_state(tell.clone()).with_state(gate.clone()).with_executor::<Scarce>();
    let [one, other] = [node().start().await.unwrap(), node().start().await.unwrap()];
    world.enqueue::<Scarce>(5).await;
    world.clock.settle().await;
    assert_eq!(told.all().len(), 2);
    // No timer fires: whoever runs the next one has heard of the end of its own.
    gate.add_permits(1);
    world.clock.settle().await;
    assert_eq!(told.all().len(), 1);
    gate.add_permits(2);
    world.clock.settle().await;
    assert_eq!(told.all().len(), 2);
    gate.add_permits(2);
    world.clock.settle().await;
    assert!(world.rows().await.iter().all(|row| row.status == JobStatus::Complete));
    one.graceful_shutdown().await;
    other.graceful_shutdown().await;
}

/// A node at the limit waits for runs of other nodes, and looks ten times a second at first, later once; not at all where nothing is
/// due.
#[tokio::test]
async fn a_node_that_is_kept_waiting_looks_again_and_rests_once_nothing_is_due() {
    let (world, (tell, mut told), gate) = (World::new(), tell(), Arc::new(Semaphore::new(0)));
    let node = || world.node().with_poll_interval(Duration::from_secs(3_600)).with_state(tell.clone());
    let node = || node().with_state(gate.clone()).with_executor::<Scarce>();
    let busy = node().start().await.unwrap();
    world.enqueue::<Scarce>(2).await;
    world.clock.settle().await;
    assert_eq!(told.all().len(), 2);
    let waiting = node().start().await.unwrap();
    world.clock.settle().await;
    let calls = world.backend.calls(Operation::Claim);
    world.seconds(2).await;
    assert_eq!(world.backend.calls(Operation::Claim), calls, "the limit is reached and nothing is due");
    world.enqueue::<Scarce>(1).await;
    world.clock.settle().await;
    let calls = world.backend.calls(Operation::Claim);
    world.seconds(2).await;
    let looks = world.backend.calls(Operation::Claim) - calls;
    assert!((16..=30).contains(&looks), "two nodes looked {looks} times in two seconds");
    world.seconds(8).await;
    let calls = world.backend.calls(Operation::Claim);
    world.seconds(10).await;
    let looks = world.backend.calls(Operation::Claim) - calls;
    assert!((18..=22).contains(&looks), "two nodes looked {looks} times in ten seconds");
    gate.add_permits(1);
    world.seconds(1).await;
    assert_eq!(told.all().len(), 1);
    gate.add_permits(2);
    world.clock.settle().await;
    busy.graceful_shutdown().await;
    waiting.graceful_shutdown().await;
}

/// What a limit keeps back is left to be run, and the node stays for it.
#[tokio::test]
async fn run_until_idle_waits_for_what_a_limit_keeps_back() {
    let (world, (tell, mut told), gate) = (World::new(), tell(), Arc::new(Semaphore::new(0)));
    let node = || world.node().with_state(tell.clone()).with_state(gate.clone()).with_executor::<Scarce>();
    let busy = node().start().await.unwrap();
    world.enqueue::<Scarce>(3).await;
    world.clock.settle().await;
    assert_eq!(told.all().len(), 2);
    let script = node().start().await.unwrap();
    let idle = tokio::spawn(async move { script.run_until_idle().await });
    world.seconds(5).await;
    assert!(!idle.is_finished());
    gate.add_permits(3);
    world.seconds(5).await;
    idle.await.unwrap();
    assert!(world.rows().await.iter().all(|row| row.status == JobStatus::Complete));
    busy.graceful_shutdown().await;
}

/// A node that is kept from running one executor's jobs runs the others'.
#[tokio::test]
async fn a_limit_that_is_reached_keeps_no_other_executor_waiting() {
    let (world, (tell, mut told), gate) = (World::new(), tell(), Arc::new(Semaphore::new(0)));
    let node = world.node().with_max_running(3).with_state(tell).with_state(gate.clone());
    let node = node.with_executor::<Scarce>().with_executor::<Plain>().start().await.unwrap();
    world.enqueue::<Scarce>(10).await;
    world.clock.settle().await;
    assert_eq!(told.all().len(), 2);
    let _ = world.backend.enqueue(vec![Plain::builder().with_data(1).encode().unwrap()]).await.unwrap();
    world.clock.settle().await;
    assert_eq!(told.all(), ["plain"]);
    gate.add_permits(10);
    world.clock.settle().await;
    node.graceful_shutdown().await;
}

executor!(
    Rated,
    "rated",
    {
        const RATE_LIMIT: Option<Rate> = Some(Rate::new(10, Duration::from_secs(1)).with_burst(2));
    },
    |job| {
        Tell::of(&job).say(job.data);
        ExecutionResult::Done
    }
);

/// Two nodes start as many as the rate allows, by the backend's clock, and ask no more often than tokens come.
#[tokio::test]
async fn two_nodes_share_a_rate_and_sleep_until_there_are_tokens() {
    let (world, (tell, mut told)) = (World::new(), tell());
    let node = || world.node().with_poll_interval(Duration::from_secs(3_600)).with_state(tell.clone());
    let [one, other] = [node().with_executor::<Rated>(), node().with_executor::<Rated>()];
    let [one, other] = [one.start().await.unwrap(), other.start().await.unwrap()];
    world.enqueue::<Rated>(100).await;
    world.clock.settle().await;
    assert_eq!(told.all().len(), 2, "the burst");
    let calls = world.backend.calls(Operation::Claim);
    for _ in 0..4 {
        world.seconds(1).await;
        let started = told.all().len();
        assert!((9..=11).contains(&started), "{started} started in a second");
    }
    let calls = world.backend.calls(Operation::Claim) - calls;
    assert!(calls <= 2 * 4 * 2 * 10, "{calls} claims");
    one.graceful_shutdown().await;
    other.graceful_shutdown().await;
}

/// A script stays for the jobs that wait for tokens.
#[tokio::test]
async fn run_until_idle_waits_for_tokens() {
    let (world, (tell, mut told)) = (World::new(), tell());
    world.enqueue::<Rated>(12).await;
    let script = world.node().with_state(tell).with_executor::<Rated>().start().await.unwrap();
    let idle = tokio::spawn(script.run_until_idle());
    world.clock.settle().await;
    assert!(!idle.is_finished());
    world.seconds(2).await;
    idle.await.unwrap();
    assert_eq!(told.all().len(), 12);
}

executor!(Quota, "quota", {}, |job| {
    Tell::of(&job).say(job.data);
    match job.data {
        0 if job.context().lease().0 == 1 => {
            Err::<(), _>(JobFailure::throttled(TimeDelta::seconds(30))).into_execution_result()
        }
        _ => ExecutionResult::Done,
    }
});

/// A job that learns of a quota holds back its executor on every node, and costs no attempt.
#[tokio::test]
async fn a_throttled_executor_starts_nothing_until_the_time_is_over() {
    let (world, (tell, mut told)) = (World::new(), tell());
    let node = || world.node().with_poll_interval(Duration::from_secs(3_600)).with_state(tell.clone());
    let [one, other] = [node().with_executor::<Quota>(), node().with_executor::<Quota>()];
    let [one, other] = [one.start().await.unwrap(), other.start().await.unwrap()];
    world.enqueue::<Quota>(1).await;
    world.clock.settle().await;
    assert_eq!(told.all(), ["0"]);
    world.enqueue::<Quota>(3).await;
    world.seconds(29).await;
    assert_eq!(told.all(), [""; 0]);
    world.seconds(1).await;
    let mut ran = told.all();
    ran.sort();
    assert_eq!(ran, ["0", "0", "1", "2"]);
    let row = world.row(1).await;
    assert_eq!((row.status, row.attempt), (JobStatus::Complete, 1));
    one.graceful_shutdown().await;
    other.graceful_shutdown().await;
}

executor!(
    Unkept,
    "unkept",
    {
        const RATE_LIMIT: Option<Rate> = Some(Rate::new(0, Duration::from_secs(1)));
    },
    |_job| ExecutionResult::Done
);

executor!(
    Never,
    "never",
    {
        const CLUSTER_CONCURRENCY: Option<usize> = Some(0);
    },
    |_job| ExecutionResult::Done
);

#[tokio::test]
async fn a_limit_of_zero_keeps_the_node_from_starting() {
    let error = World::new().node().with_executor::<Never>().start().await.map(drop).unwrap_err().to_string();
    assert!(error.contains("executor `never`: cluster_concurrency is 0"), "{error}");
    let error = World::new().node().with_executor::<Unkept>().start().await.map(drop).unwrap_err().to_string();
    assert!(error.contains("executor `unkept`: its rate limit cannot be kept to: it lets no job start"), "{error}");
}
