//! Limits of how much of one key runs at once on all nodes, as nodes keep to them.

use std::{sync::Arc, time::Duration};

use rexecutor::{backend::Enqueue, executor::GroupKey, prelude::*};
use rexecutor_testing::Operation;
use tokio::sync::Semaphore;

use crate::{
    executor,
    support::{Tell, World, tell},
};

executor!(
    Keyed,
    "keyed",
    {
        const KEY_CONCURRENCY: Option<usize> = Some(2);

        // 0 to 99 are one key, 100 to 199 the next one.
        fn group_key(data: &u32) -> Option<GroupKey> {
            Some(GroupKey::of(&(data / 100)))
        }
    },
    |job| {
        Tell::of(&job).say(job.data);
        job.context().state::<Arc<Semaphore>>().unwrap().acquire().await.unwrap().forget();
        ExecutionResult::Done
    }
);

#[job(concurrency(key = |order| order.0, limit = 3))]
async fn ship(order: (String, u32)) {
    drop(order);
}

async fn enqueue(world: &World, data: impl IntoIterator<Item = u32>) {
    let jobs = data.into_iter().map(|data| Keyed::builder().with_data(data).encode().unwrap()).collect();
    let _ = world.backend.enqueue(jobs).await.unwrap();
}

/// Two nodes run two of a key; another key's jobs begin at once, whatever waits; and a slot that is free again is used by the node
/// whose run has ended without a timer.
#[tokio::test]
async fn a_key_with_many_jobs_keeps_no_other_key_waiting() {
    let (world, (tell, mut told), gate) = (World::new(), tell(), Arc::new(Semaphore::new(0)));
    let node = || world.node().with_state(tell.clone()).with_state(gate.clone()).with_executor::<Keyed>();
    let [one, other] = [node().start().await.unwrap(), node().start().await.unwrap()];
    enqueue(&world, 0..50).await;
    world.clock.settle().await;
    assert_eq!(told.all().len(), 2);
    enqueue(&world, [100, 101, 102, 200]).await;
    world.clock.settle().await;
    let mut all = told.all();
    all.sort_unstable();
    assert_eq!(all, ["100", "101", "200"]);
    gate.add_permits(1);
    world.clock.settle().await;
    assert_eq!(told.all().len(), 1);
    gate.add_permits(100);
    world.seconds(2).await;
    assert!(world.rows().await.iter().all(|row| row.status == JobStatus::Complete));
    one.graceful_shutdown().await;
    other.graceful_shutdown().await;
}

/// Where all keys are full a node looks ten times a second at first, later once, and rests once nothing is due.
#[tokio::test]
async fn a_node_all_of_whose_keys_are_full_looks_seldom() {
    let (world, (tell, mut told), gate) = (World::new(), tell(), Arc::new(Semaphore::new(0)));
    let node = world.node().with_poll_interval(Duration::from_secs(3_600)).with_state(tell).with_state(gate.clone());
    let node = node.with_executor::<Keyed>().start().await.unwrap();
    enqueue(&world, 0..3).await;
    world.seconds(20).await;
    assert_eq!(told.all().len(), 2);
    let calls = world.backend.calls(Operation::Claim);
    world.seconds(10).await;
    let looks = world.backend.calls(Operation::Claim) - calls;
    assert!((9..=11).contains(&looks), "it looked {looks} times in ten seconds");
    gate.add_permits(3);
    world.clock.settle().await;
    assert_eq!(told.all().len(), 1);
    world.seconds(2).await;
    let calls = world.backend.calls(Operation::Claim);
    world.seconds(10).await;
    assert_eq!(world.backend.calls(Operation::Claim), calls, "nothing is due");
    node.graceful_shutdown().await;
}

/// The key follows the data, unless the builder was given another one; and what cannot be stored is refused.
#[tokio::test]
async fn a_key_follows_the_data_unless_it_was_given() {
    let world = World::new();
    let key = async |id: JobId| world.row(id).await.extras.group_key.clone();
    let plain =
        Ship::builder().with_data(("ann".to_owned(), 1)).enqueue_to_backend(&*world.backend).await.unwrap().id();
    let given = Ship::builder().with_data(("ann".to_owned(), 2)).group_key(&("eve", 7));
    let given = given.enqueue_to_backend(&*world.backend).await.unwrap().id();
    assert_eq!(key(plain).await.as_deref(), Some("ann"));
    assert_eq!(key(given).await.as_deref(), Some(r#"["eve",7]"#));
    for job in Ship::query_jobs_on_backend(Where::any(), &*world.backend).await.unwrap() {
        let mut job = job;
        job.data.0 = "bob".to_owned();
        Ship::update_job_on_backend(job, &*world.backend).await.unwrap();
    }
    assert_eq!(key(plain).await.as_deref(), Some("bob"));
    assert_eq!(key(given).await.as_deref(), Some(r#"["eve",7]"#));
    let error = Ship::builder().with_data(("x".repeat(256), 1)).encode().unwrap_err();
    assert!(error.to_string().contains("the key has 256 bytes; the limit is 255"), "{error}");
    let registered = Rexecutor::registered();
    assert_eq!(registered.iter().find(|job| job.name() == "ship").unwrap().settings().key_concurrency, Some(3));
}

executor!(
    Never,
    "never_keyed",
    {
        const KEY_CONCURRENCY: Option<usize> = Some(0);
    },
    |job| {
        let _ = job;
        ExecutionResult::Done
    }
);

#[tokio::test]
async fn a_limit_of_zero_per_key_is_refused() {
    let error = World::new().node().with_executor::<Never>().start().await.unwrap_err();
    assert!(error.to_string().contains("executor `never_keyed`: the limit of its key_concurrency is 0"), "{error}");
}
