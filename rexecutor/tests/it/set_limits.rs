//! Limits that somebody sets while nodes run.

use std::{sync::Arc, time::Duration};

use rexecutor::{cluster, prelude::*};
use tokio::sync::Semaphore;

use crate::{
    executor,
    support::{Tell, World, tell},
};

executor!(
    Scarce,
    "scarce",
    {
        const CLUSTER_CONCURRENCY: Option<usize> = Some(3);
    },
    |job| {
        Tell::of(&job).say(job.data);
        job.context().state::<Arc<Semaphore>>().unwrap().acquire().await.unwrap().forget();
        ExecutionResult::Done
    }
);
executor!(Free, "free", {}, |job| {
    Tell::of(&job).say(job.data);
    job.context().state::<Arc<Semaphore>>().unwrap().acquire().await.unwrap().forget();
    ExecutionResult::Done
});

/// Nodes that would not look for an hour start what a higher limit lets start, at once, and keep to a lower one from then on, also those
/// that start later; without a limit set, what they declare holds.
#[tokio::test]
async fn a_limit_is_changed_while_everything_runs() {
    let (world, (tell, mut told), gate) = (World::new(), tell(), Arc::new(Semaphore::new(0)));
    let start = async || {
        let node = world.node().with_poll_interval(Duration::from_secs(3_600)).with_state(tell.clone());
        node.with_state(gate.clone()).with_executor::<Scarce>().with_executor::<Free>().start().await.unwrap()
    };
    let mut nodes = vec![start().await, start().await];
    world.enqueue::<Scarce>(20).await;
    world.clock.settle().await;
    assert_eq!(told.all().len(), 3);
    let change = LimitChange::new("there are more machines").by("ann").cluster_concurrency(5);
    Scarce::set_limits_on_backend(change.clone(), &world.backend).await.unwrap();
    world.clock.settle().await;
    assert_eq!(told.all().len(), 2);
    nodes.push(start().await);
    let lower = LimitChange::new("there are fewer").cluster_concurrency(1);
    cluster::set_limits_on_backend("scarce", lower, &world.backend).await.unwrap();
    gate.add_permits(4);
    world.seconds(5).await;
    assert_eq!(told.all().len(), 0);
    gate.add_permits(1);
    world.seconds(5).await;
    assert_eq!(told.all().len(), 1);
    let limits = cluster::limits_on_backend(&world.backend).await.unwrap();
    assert_eq!((limits.len(), limits[0].change.reason.as_str()), (1, "there are fewer"));
    assert!(Scarce::reset_limits_on_backend(&world.backend).await.unwrap());
    assert!(!cluster::reset_limits_on_backend("scarce", &world.backend).await.unwrap());
    world.clock.settle().await;
    assert_eq!(told.all().len(), 2, "three may run");
    gate.add_permits(100);
    for node in nodes {
        node.graceful_shutdown().await;
    }
}

/// One whose program declares nothing is limited as soon as somebody says so, and rises and falls by it.
#[tokio::test]
async fn an_executor_without_a_limit_is_given_one() {
    let (world, (tell, mut told), gate) = (World::new(), tell(), Arc::new(Semaphore::new(0)));
    let node = world.node().with_state(tell).with_state(gate.clone()).with_executor::<Free>().start().await.unwrap();
    let change = |most| LimitChange::new("SMTP is slow").cluster_concurrency(most);
    Free::set_limits_on_backend(change(2), &world.backend).await.unwrap();
    world.enqueue::<Free>(10).await;
    world.seconds(2).await;
    assert_eq!(told.all().len(), 2);
    for started in 1..=4 {
        gate.add_permits(1);
        world.seconds(1).await;
        assert_eq!(told.all().len(), 1, "the {started}th");
    }
    assert!(Free::reset_limits_on_backend(&world.backend).await.unwrap());
    world.clock.settle().await;
    assert_eq!(told.all().len(), 4);
    let error = Free::set_limits_on_backend(change(0), &world.backend).await.unwrap_err();
    assert!(!error.is_transient() && error.to_string().contains("pause"), "{error}");
    gate.add_permits(100);
    node.graceful_shutdown().await;
}
