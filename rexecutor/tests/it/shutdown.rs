//! How a node ends: nothing that runs is lost, and nothing that was claimed either.

use std::{sync::Arc, time::Duration};

use rexecutor::prelude::*;
use rexecutor_testing::{Fault, Operation};
use tokio::sync::Semaphore;

use crate::{
    executor,
    support::{Tell, World, tell},
};

/// What lets the jobs end.
#[derive(Clone)]
struct Gate(Arc<Semaphore>);

fn gate() -> Gate {
    Gate(Arc::new(Semaphore::new(0)))
}

executor!(Waits, "waits", {}, |job| {
    Tell::of(&job).say("began");
    let Gate(gate) = job.context().state().unwrap();
    gate.acquire().await.unwrap().forget();
    ExecutionResult::Done
});

/// Trap 6: shutdown only flags a token; nothing can be awaited.
#[tokio::test]
async fn trap_06_shutdown_waits_for_what_runs_and_starts_nothing_new() {
    let world = World::new();
    let ((tell, mut told), gate) = (tell(), gate());
    let node = world.node().with_state(tell).with_state(gate.clone()).with_executor::<Waits>().start().await.unwrap();
    let running = Waits::builder().with_data(1).enqueue_to_backend(&world.backend).await.unwrap();
    told.next().await;
    let mut shutdown = node.graceful_shutdown();
    world.clock.settle().await;
    let later = Waits::builder().with_data(2).enqueue_to_backend(&world.backend).await.unwrap();
    world.seconds(19).await;
    assert!(futures::poll!(&mut shutdown).is_pending(), "a job still runs");
    gate.0.add_permits(2);
    shutdown.await;
    assert_eq!(world.row(running).await.status, JobStatus::Complete);
    assert_eq!(world.row(later).await.status, JobStatus::Scheduled);
}

#[tokio::test]
async fn after_the_grace_jobs_are_given_back_and_the_attempt_does_not_count() {
    let world = World::new();
    let ((tell, mut told), gate) = (tell(), gate());
    let node = world.node().with_shutdown_grace(Duration::from_secs(10)).with_state(tell).with_state(gate);
    let node = node.with_executor::<Waits>().start().await.unwrap();
    let id = Waits::builder().with_data(1).enqueue_to_backend(&world.backend).await.unwrap();
    told.next().await;
    let shutdown = node.graceful_shutdown();
    world.seconds(15).await;
    shutdown.await;
    let row = world.row(id).await;
    assert_eq!((row.status, row.attempt, row.errors.len()), (JobStatus::Scheduled, 0, 0));
}

/// Trap 5: shutdown drops the future of a claim whose UPDATE has committed: the rows are claimed and nobody runs them.
#[tokio::test]
async fn trap_05_a_claim_that_is_under_way_at_shutdown_loses_nothing() {
    let world = World::new();
    let ((tell, mut told), gate) = (tell(), gate());
    let node = world.node().with_state(tell).with_state(gate).with_executor::<Waits>().start().await.unwrap();
    world.clock.settle().await;
    world.backend.inject(Fault::late_answer(Duration::from_secs(1)).on([Operation::Claim]));
    let id = Waits::builder().with_data(1).enqueue_to_backend(&world.backend).await.unwrap();
    world.clock.settle().await;
    assert_eq!(world.row(id).await.status, JobStatus::Executing, "the claim has committed, its answer is under way");
    let shutdown = node.graceful_shutdown();
    world.clock.settle().await;
    world.seconds(1).await;
    shutdown.await;
    let row = world.row(id).await;
    assert_eq!((row.status, row.attempt), (JobStatus::Scheduled, 0));
    assert_eq!(told.all(), [""; 0]);
}

/// Trap 13: results of a batch are lost when the process stops between batches.
#[tokio::test]
async fn trap_13_outcomes_are_stored_before_the_node_has_left_though_the_database_is_away() {
    let world = World::new();
    let ((tell, mut told), gate) = (tell(), gate());
    let node = world.node().with_state(tell).with_state(gate.clone()).with_executor::<Waits>().start().await.unwrap();
    for data in 0..50 {
        let _ = Waits::builder().with_data(data).enqueue_to_backend(&world.backend).await.unwrap();
    }
    for _ in 0..50 {
        told.next().await;
    }
    world.backend.inject(Fault::error().times(4));
    gate.0.add_permits(50);
    let shutdown = node.graceful_shutdown();
    world.seconds(9).await;
    shutdown.await;
    assert!(world.rows().await.iter().all(|row| row.status == JobStatus::Complete));
}

#[tokio::test]
async fn dropping_the_guard_shuts_the_node_down() {
    let world = World::new();
    let ((tell, mut told), gate) = (tell(), gate());
    let node = world.node().with_state(tell).with_state(gate.clone()).with_executor::<Waits>().start().await.unwrap();
    let running = Waits::builder().with_data(1).enqueue_to_backend(&world.backend).await.unwrap();
    told.next().await;
    drop(node.drop_guard());
    world.clock.settle().await;
    let later = Waits::builder().with_data(2).enqueue_to_backend(&world.backend).await.unwrap();
    gate.0.add_permits(2);
    world.seconds(60).await;
    assert_eq!(world.row(running).await.status, JobStatus::Complete);
    assert_eq!(world.row(later).await.status, JobStatus::Scheduled);
}

#[job(blocking, timeout = "5s")]
async fn blocks(State(tell): State<Tell>, State(leave): State<Leave>) {
    tell.say("began");
    let _ = leave.lock().unwrap().recv();
    tell.say("ended");
}

/// What a blocking job waits for.
type Leave = Arc<std::sync::Mutex<std::sync::mpsc::Receiver<()>>>;

/// Trap 44: `timeout` does not stop a loop without `.await`: the slot is freed, the thread is not.
#[tokio::test]
async fn trap_44_a_blocking_job_keeps_its_slot_until_its_thread_has_ended() {
    let world = World::new();
    let (tell, mut told) = tell();
    let (leave, waiting) = std::sync::mpsc::channel();
    let waiting: Leave = Arc::new(std::sync::Mutex::new(waiting));
    let node = world.node().with_max_running(1).with_state(tell).with_state(waiting).with_executor::<Blocks>();
    let node = node.start().await.unwrap();
    let first = Blocks::builder().enqueue_to_backend(&world.backend).await.unwrap();
    let second = Blocks::builder().enqueue_to_backend(&world.backend).await.unwrap();
    assert_eq!(told.next().await, "began");
    world.seconds(60).await;
    assert_eq!(world.row(first).await.status, JobStatus::Executing, "its thread goes on");
    assert_eq!(world.row(second).await.status, JobStatus::Scheduled, "its slot is taken");
    drop(leave);
    assert_eq!((told.next().await.as_str(), told.next().await.as_str()), ("ended", "began"));
    assert_eq!(told.next().await, "ended");
    node.graceful_shutdown().await;
    let row = world.row(first).await;
    assert_eq!((row.status, row.errors[0].error_type.clone()), (JobStatus::Retryable, ErrorType::Timeout));
    assert_eq!(world.row(second).await.status, JobStatus::Complete);
}
