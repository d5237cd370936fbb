//! Limits that several executors share, as nodes keep to them.

use std::sync::Arc;

use rexecutor::{backend::Enqueue, prelude::*};
use tokio::sync::Semaphore;

use crate::{
    executor,
    support::{Tell, World, tell},
};

static DOOR: Limit = Limit::new("door").cluster_concurrency(2);
static DESK: Limit = Limit::new("desk").cluster_concurrency(1);
static OTHER_DOOR: Limit = Limit::new("door").cluster_concurrency(3);

macro_rules! sharing {
    ($name:ident, $text:literal, $limit:ident) => {
        executor!(
            $name,
            $text,
            {
                const LIMITS: &'static [&'static Limit] = &[&$limit];
            },
            |job| {
                Tell::of(&job).say(format!("{} {}", Self::NAME, job.data));
                job.context().state::<Arc<Semaphore>>().unwrap().acquire().await.unwrap().forget();
                ExecutionResult::Done
            }
        );
    };
}

sharing!(In, "in", DOOR);
sharing!(Out, "out", DOOR);
sharing!(Wide, "wide", OTHER_DOOR);
sharing!(Charge, "charge", DESK);
sharing!(Refund, "refund", DESK);

/// On two nodes two jobs run of both kinds together, and neither kind waits for all of the other's.
#[tokio::test]
async fn case_14_5_two_kinds_share_a_limit_on_two_nodes() {
    let (world, (tell, mut told), gate) = (World::new(), tell(), Arc::new(Semaphore::new(0)));
    let jobs = (0..9).map(|data| In::builder().with_data(data).encode().unwrap()).collect();
    let _ = world.backend.enqueue(jobs).await.unwrap();
    let jobs = (0..2).map(|data| Out::builder().with_data(data).encode().unwrap()).collect();
    let _ = world.backend.enqueue(jobs).await.unwrap();
    let node = || {
        let node = world.node().with_state(tell.clone()).with_state(gate.clone());
        node.with_executor::<In>().with_executor::<Out>()
    };
    let [one, other] = [node().start().await.unwrap(), node().start().await.unwrap()];
    world.clock.settle().await;
    let mut first = told.all();
    first.sort_unstable();
    assert_eq!(first, ["in 0", "out 0"]);
    gate.add_permits(2);
    world.seconds(1).await;
    let mut second = told.all();
    second.sort_unstable();
    assert_eq!(second, ["in 1", "out 1"]);
    gate.add_permits(99);
    world.seconds(20).await;
    assert!(world.rows().await.iter().all(|row| row.status == JobStatus::Complete));
    one.graceful_shutdown().await;
    other.graceful_shutdown().await;
}

/// The place that a run leaves is not for its own kind alone, and none waits until the node asks again by itself: no time passes.
#[tokio::test]
async fn case_14_5_a_run_that_ends_lets_the_other_kind_have_its_turn() {
    let (world, (tell, mut told), gate) = (World::new(), tell(), Arc::new(Semaphore::new(0)));
    let jobs = (0..3).map(|data| Charge::builder().with_data(data).encode().unwrap());
    let jobs = jobs.chain((0..3).map(|data| Refund::builder().with_data(data).encode().unwrap()));
    let _ = world.backend.enqueue(jobs.collect()).await.unwrap();
    let node = world.node().with_state(tell).with_state(gate.clone());
    let node = node.with_executor::<Charge>().with_executor::<Refund>().start().await.unwrap();
    let mut kinds = Vec::new();
    for _ in 0..6 {
        world.clock.settle().await;
        let began = told.all();
        assert_eq!(began.len(), 1, "{began:?} after {kinds:?}");
        kinds.extend(began.iter().map(|said| said.split(' ').next().unwrap().to_owned()));
        gate.add_permits(1);
    }
    assert!(kinds.windows(2).all(|two| two[0] != two[1]), "{kinds:?}");
    node.graceful_shutdown().await;
}

#[tokio::test]
async fn case_14_5_one_name_in_two_ways_is_refused() {
    let node = World::new().node().with_executor::<In>().with_executor::<Wide>();
    let error = node.start().await.unwrap_err();
    let said = "the executors `in` and `wide` declare the limit `door` in two ways: let both name one `static`";
    assert!(error.to_string().contains(said), "{error}");
}

executor!(Taken, "limit:door", {}, |job| {
    let _ = job;
    ExecutionResult::Done
});

#[tokio::test]
async fn case_14_5_no_executor_has_the_name_of_a_limit() {
    let error = World::new().node().with_executor::<Taken>().start().await.unwrap_err();
    assert!(error.to_string().contains("names that begin with `limit:`"), "{error}");
}

static STRIPE: Limit = Limit::new("stripe").rate("10/s");

#[job(limit = STRIPE)]
async fn charge_card(order: u32) {
    let _ = order;
}

#[test]
fn case_14_5_a_registered_job_lists_what_it_shares() {
    let registered = Rexecutor::registered();
    let settings = registered.iter().find(|job| job.name() == "charge_card").unwrap().settings();
    assert_eq!(settings.limits, [&STRIPE]);
}
