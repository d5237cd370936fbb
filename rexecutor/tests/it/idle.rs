//! A node that runs what there is, and leaves.

use rexecutor::prelude::*;
use rexecutor_testing::{Fault, Operation};

use crate::{
    executor,
    support::{Tell, World, tell},
};

executor!(Tells, "tells", {}, |job| {
    Tell::of(&job).say(job.data);
    ExecutionResult::Done
});

// It counts down by jobs of its own, the last of which is another executor's.
executor!(Counts, "counts", {}, |job| {
    let backend = job.context().backend().unwrap().clone();
    Tell::of(&job).say(format!("count {}", job.data));
    let enqueued = match job.data {
        0 => Tells::builder().with_data(7).enqueue_to_backend(&*backend).await.map(JobId::from),
        more => Counts::builder().with_data(more - 1).enqueue_to_backend(&*backend).await.map(JobId::from),
    };
    enqueued.map_or_else(|error| ExecutionResult::Cancel { reason: Box::new(error) }, |_| ExecutionResult::Done)
});

executor!(Fails, "fails", {}, |_job| panic!("not today"));

/// Case 1: the README's first program shut its node down before any job had begun.
#[tokio::test]
async fn case_01_a_node_runs_what_is_due_and_what_that_enqueues_and_leaves() {
    let world = World::new();
    let (tell, mut told) = tell();
    let node = world.node().with_state(tell).with_executor::<Counts>().with_executor::<Tells>().start().await.unwrap();
    Counts::builder().with_data(2).enqueue_to_backend(&world.backend).await.unwrap();
    node.run_until_idle().await;
    assert_eq!(told.all(), ["count 2", "count 1", "count 0", "7"]);
    assert!(world.rows().await.iter().all(|row| row.status == JobStatus::Complete));
}

#[tokio::test]
async fn case_01_what_is_due_later_stays() {
    let world = World::new();
    let (tell, mut told) = tell();
    let node = world.node().with_state(tell).with_executor::<Fails>().with_executor::<Tells>().start().await.unwrap();
    let later = Tells::builder().with_data(1).schedule_in(TimeDelta::hours(1));
    let later = later.enqueue_to_backend(&world.backend).await.unwrap();
    let failing = Fails::builder().with_data(1).with_max_attempts(2).enqueue_to_backend(&world.backend).await.unwrap();
    node.run_until_idle().await;
    assert_eq!(told.all(), [""; 0]);
    assert_eq!(world.row(later).await.status, JobStatus::Scheduled);
    assert_eq!(world.row(failing).await.status, JobStatus::Retryable);
}

#[tokio::test]
async fn case_01_a_claim_that_fails_says_nothing_of_what_is_left() {
    let world = World::new();
    let (tell, mut told) = tell();
    Tells::builder().with_data(1).enqueue_to_backend(&world.backend).await.unwrap();
    world.backend.inject(Fault::error().on([Operation::Claim]).times(3));
    let node = world.node().with_state(tell).with_executor::<Tells>().start().await.unwrap();
    let idle = tokio::spawn(node.run_until_idle());
    world.seconds(60).await;
    idle.await.unwrap();
    assert_eq!(told.all(), ["1"]);
}

#[tokio::test]
async fn case_01_a_node_without_executors_leaves_at_once() {
    let world = World::new();
    Tells::builder().with_data(1).enqueue_to_backend(&world.backend).await.unwrap();
    Rexecutor::new(world.backend.clone()).run_until_idle().await;
    world.node().start().await.unwrap().run_until_idle().await;
    assert_eq!(world.rows().await[0].status, JobStatus::Scheduled);
}
