//! Queues in which only so many jobs may wait.

use std::time::Duration;

use rexecutor::{job::builder::EnqueueError, prelude::*};

use super::support::World;

#[job(name = "bounded", max_pending = 2)]
async fn bounded(_data: u32) {}

/// Case 14.9: a full queue refuses, or lets the caller wait for room.
#[tokio::test]
async fn case_14_9_a_full_queue_refuses_or_lets_the_caller_wait() {
    let world = World::new();
    let build = |data: u32| Bounded::builder().with_data(data);
    for data in 0..2 {
        build(data).enqueue_to_backend(&world.backend).await.unwrap();
    }
    let error = build(2).enqueue_to_backend(&world.backend).await.unwrap_err();
    assert!(error.is_transient());
    assert_eq!(
        error.to_string(),
        "the queue of `bounded` is full: 2 of its jobs wait, and no more may (`max_pending`)"
    );
    let EnqueueError::QueueFull { executor, max_pending } = error else { panic!("{error:?}") };
    assert_eq!((executor.as_str(), max_pending), ("bounded", 2));
    build(2).with_max_pending(3).enqueue_to_backend(&world.backend).await.unwrap();
    let never = build(3).enqueue_when_possible_to_backend(&world.backend, Duration::ZERO).await;
    assert!(matches!(never, Err(EnqueueError::QueueFull { .. })), "{never:?}");
    let invalid = build(3).with_max_pending(0).encode().unwrap_err();
    assert!(invalid.to_string().starts_with("max_pending: a queue in which no job may wait"), "{invalid}");

    let waits = build(3).enqueue_when_possible_to_backend(&world.backend, Duration::from_secs(60));
    let node = world.node().with_executor::<Bounded>();
    let run = async { node.start().await.unwrap() };
    let (enqueued, node) = tokio::join!(waits, run);
    let id = enqueued.unwrap().id();
    world.clock.settle().await;
    node.graceful_shutdown().await;
    assert_eq!(world.row(id).await.status, JobStatus::Complete);
    let registered = Rexecutor::registered();
    let found = registered.iter().find(|job| job.name() == "bounded").unwrap();
    assert_eq!(found.settings().max_pending, Some(2));
}
