//! Jobs of one key that run one after another, as nodes run them.

use std::{sync::Arc, time::Duration};

use rexecutor::{backend::Enqueue, executor::GroupKey, prelude::*};
use rexecutor_testing::Operation;
use tokio::sync::Semaphore;

use crate::{
    executor,
    support::{Tell, World, tell},
};

/// Five seconds before the next attempt.
#[derive(Debug)]
struct Told;

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("as it was told")
    }
}

impl std::error::Error for Told {}

impl ExecutionError for Told {
    fn error_type(&self) -> &'static str {
        "told"
    }

    fn disposition(&self) -> Disposition {
        Disposition::RetryAfter(TimeDelta::seconds(5))
    }
}

executor!(
    InLine,
    "in_line",
    {
        const ORDERED: Option<OnDiscard> = Some(OnDiscard::Halt);
        const MAX_ATTEMPTS: u16 = 2;

        // 0 to 99 are one key, 100 to 199 the next one.
        fn group_key(data: &u32) -> Option<GroupKey> {
            (*data < 900).then(|| GroupKey::of(&(data / 100)))
        }
    },
    |job| {
        Tell::of(&job).say(job.data);
        job.context().state::<Arc<Semaphore>>().unwrap().acquire().await.unwrap().forget();
        match job.data % 10 {
            7 => ExecutionResult::Error { error: Box::new(Told) },
            8 if job.attempt < 2 => ExecutionResult::Error { error: Box::new(Told) },
            _ => ExecutionResult::Done,
        }
    }
);

async fn enqueue(world: &World, data: impl IntoIterator<Item = u32>) -> Vec<JobId> {
    let jobs = data.into_iter().map(|data| InLine::builder().with_data(data).encode().unwrap()).collect();
    world.backend.enqueue(jobs).await.unwrap().into_iter().map(Into::into).collect()
}

/// On two nodes each line has one job at a time, in their order; a retry holds up those behind it, and no other line.
#[tokio::test]
async fn case_14_3_two_nodes_run_the_jobs_of_a_key_one_after_another() {
    let (world, (tell, mut told), gate) = (World::new(), tell(), Arc::new(Semaphore::new(0)));
    let node = || world.node().with_state(tell.clone()).with_state(gate.clone()).with_executor::<InLine>();
    let [one, other] = [node().start().await.unwrap(), node().start().await.unwrap()];
    enqueue(&world, [1, 8, 3, 101, 102]).await;
    world.clock.settle().await;
    let mut first = told.all();
    first.sort_unstable();
    assert_eq!(first, ["1", "101"]);
    gate.add_permits(2);
    world.seconds(1).await;
    let mut second = told.all();
    second.sort_unstable();
    assert_eq!(second, ["102", "8"]);
    gate.add_permits(2);
    world.seconds(4).await;
    assert_eq!(told.all(), [""; 0], "the retry is not due");
    world.seconds(2).await;
    assert_eq!(told.all(), ["8"]);
    gate.add_permits(2);
    world.seconds(2).await;
    assert_eq!(told.all(), ["3"]);
    gate.add_permits(9);
    world.seconds(2).await;
    assert!(world.rows().await.iter().all(|row| row.status == JobStatus::Complete));
    one.graceful_shutdown().await;
    other.graceful_shutdown().await;
}

/// A line that halts costs a look a minute, and goes on at once when it is let go.
#[tokio::test]
async fn case_14_3_a_line_that_halts_is_seldom_looked_at_and_goes_on_when_it_is_let() {
    let (world, (tell, mut told), gate) = (World::new(), tell(), Arc::new(Semaphore::new(99)));
    let node = world.node().with_poll_interval(Duration::from_secs(3_600)).with_state(tell).with_state(gate);
    let node = node.with_executor::<InLine>().start().await.unwrap();
    let jobs = enqueue(&world, [7, 1]).await;
    world.seconds(9).await;
    assert_eq!(told.all(), ["7", "7"]);
    let halted = InLine::query_jobs_on_backend(Where::halts_line(), &*world.backend).await.unwrap();
    assert_eq!(halted.iter().map(|job| job.id).collect::<Vec<_>>(), jobs[..1]);
    let calls = world.backend.calls(Operation::Claim);
    world.seconds(120).await;
    let looks = world.backend.calls(Operation::Claim) - calls;
    assert!(looks <= 3, "it looked {looks} times in two minutes");
    InLine::release_job_on_backend(jobs[0], &*world.backend).await.unwrap();
    world.clock.settle().await;
    assert_eq!(told.all(), ["1"]);
    // A head that waits is cancelled: the next one does not wait for another look.
    let jobs = enqueue(&world, [8, 2]).await;
    world.clock.settle().await;
    assert_eq!(told.all(), ["8"]);
    InLine::cancel_job_on_backend(jobs[0], Box::new("enough"), &*world.backend).await.unwrap();
    world.clock.settle().await;
    assert_eq!(told.all(), ["2"]);
    node.graceful_shutdown().await;
}

#[job(ordered_by = |order| order.0, on_discard = halt)]
async fn follow_up(order: (String, u32)) {
    drop(order);
}

#[tokio::test]
async fn case_14_3_an_order_is_stored_with_the_job_and_listed() {
    let world = World::new();
    let job = FollowUp::builder().with_data(("ann".to_owned(), 1)).enqueue_to_backend(&*world.backend).await.unwrap();
    let row = world.row(job.id()).await;
    assert_eq!((row.extras.group_key.as_deref(), row.extras.order), (Some("ann"), Some(OnDiscard::Halt)));
    let error = InLine::builder().with_data(900).encode().unwrap_err();
    assert!(error.to_string().contains("group_key: an ordered job needs a key"), "{error}");
    let given = InLine::builder().with_data(900).group_key("given").encode().unwrap();
    assert_eq!(given.extras.group_key.as_deref(), Some("given"));
    let registered = Rexecutor::registered();
    let follow_up = registered.iter().find(|job| job.name() == "follow_up").unwrap();
    assert_eq!(follow_up.settings().ordered, Some(OnDiscard::Halt));
}

executor!(
    Both,
    "ordered_and_limited",
    {
        const ORDERED: Option<OnDiscard> = Some(OnDiscard::Skip);
        const KEY_CONCURRENCY: Option<usize> = Some(2);
    },
    |job| {
        let _ = job;
        ExecutionResult::Done
    }
);

#[tokio::test]
async fn case_14_3_an_order_and_a_limit_per_key_are_refused() {
    let error = World::new().node().with_executor::<Both>().start().await.unwrap_err();
    assert!(
        error.to_string().contains("executor `ordered_and_limited`: its jobs of a key run one at a time"),
        "{error}"
    );
}
