//! Jobs that cost several tokens of a rate, and rates of which each key has its own, from `#[job]` to the run.

use std::time::Duration;

use rexecutor::{backend::Enqueue, job::builder::EnqueueError, prelude::*};

use crate::support::{Tell, World, tell};

/// Ten tokens a second, five of them at once.
#[job(rate_limit = "10/s", burst = 5, weight = |tokens| *tokens)]
async fn ask(tokens: u64, context: JobContext) {
    context.state::<Tell>().unwrap().say(tokens);
}

/// One call a second for each customer, two of them at once.
#[job(rate_limit = "1/s", burst = 2, per = |call| call.0)]
async fn call(call: (String, u32), context: JobContext) -> Result<(), JobFailure> {
    context.state::<Tell>().unwrap().say(format!("{} {}", call.0, call.1));
    match call.1 {
        0 if context.lease().0 == 1 => Err(JobFailure::throttled(TimeDelta::seconds(30))),
        _ => Ok(()),
    }
}

static BANK: Limit = Limit::new("bank of costs").rate("10/s").burst(3);

#[job(limit = BANK, weight = 3)]
async fn transfer() {}

fn job<E: Executor>(data: E::Data) -> rexecutor::backend::NewJob {
    E::builder().with_data(data).encode().unwrap()
}

#[tokio::test]
async fn case_14_4_a_heavy_job_waits_for_its_tokens_and_small_ones_behind_it() {
    let (world, (tell, mut told)) = (World::new(), tell());
    let node = world.node().with_poll_interval(Duration::from_secs(3_600)).with_state(tell);
    let node = node.with_executor::<Ask>().start().await.unwrap();
    let _ = world.backend.enqueue([3, 4, 1].map(job::<Ask>).into()).await.unwrap();
    world.clock.settle().await;
    assert_eq!(told.all(), ["3"]);
    world.clock.advance(TimeDelta::milliseconds(199)).await;
    assert_eq!(told.all(), [""; 0], "and the small one does not pass it");
    world.clock.advance(TimeDelta::milliseconds(1)).await;
    assert_eq!(told.all(), ["4"]);
    world.seconds(1).await;
    assert_eq!(told.all(), ["1"]);
    node.graceful_shutdown().await;
}

#[test]
fn case_14_4_a_job_that_costs_more_than_the_burst_is_refused() {
    let says = |error: EnqueueError| error.to_string();
    let error = says(Ask::builder().with_data(6).encode().unwrap_err());
    let words = "weight: the job costs 6 tokens, and the rate never has more than 5, its burst, so it could never start: raise the burst or split the job";
    assert!(error.contains(words), "{error}");
    assert_eq!(job::<Ask>(5).extras.weight, Some(5));
    assert_eq!([0, 1].map(|tokens| job::<Ask>(tokens).extras.weight), [None, None], "none costs nothing");
    let error = says(Ask::builder().with_data(u64::MAX).encode().unwrap_err());
    assert!(error.contains("costs 4294967295 tokens"), "{error}");
    assert_eq!(job::<Transfer>(()).extras.weight, Some(3));
}

#[tokio::test]
async fn case_14_4_each_key_has_its_own_rate_and_a_quota_of_one_holds_back_no_other() {
    let (world, (tell, mut told)) = (World::new(), tell());
    let node = world.node().with_poll_interval(Duration::from_secs(3_600)).with_state(tell);
    let node = node.with_executor::<Call>().start().await.unwrap();
    let calls = [("ann", 1), ("ann", 2), ("ann", 3), ("bob", 0), ("bob", 4)];
    let jobs = calls.map(|(customer, number)| job::<Call>((customer.to_owned(), number)));
    let _ = world.backend.enqueue(jobs.into()).await.unwrap();
    let sorted = |mut all: Vec<String>| {
        all.sort();
        all
    };
    world.clock.settle().await;
    assert_eq!(sorted(told.all()), ["ann 1", "ann 2", "bob 0", "bob 4"], "two of each");
    let calls = world.backend.calls(rexecutor_testing::Operation::Claim);
    world.seconds(1).await;
    assert_eq!(told.all(), ["ann 3"]);
    let _ = world
        .backend
        .enqueue(vec![job::<Call>(("bob".to_owned(), 5)), job::<Call>(("eve".to_owned(), 6))])
        .await
        .unwrap();
    world.seconds(28).await;
    assert_eq!(told.all(), ["eve 6"], "bob's quota is used up");
    let calls = world.backend.calls(rexecutor_testing::Operation::Claim) - calls;
    assert!(calls < 20, "{calls} claims");
    world.seconds(1).await;
    assert_eq!(sorted(told.all()), ["bob 0", "bob 5"]);
    node.graceful_shutdown().await;
}

#[test]
fn case_14_4_what_a_rate_counts_is_listed() {
    let all = Rexecutor::registered();
    let of = |name: &str| all.iter().find(|job| job.name() == name).unwrap().settings();
    assert_eq!(
        (of("ask").weighs, of("ask").rate_limit.map(|rate| rate.burst), of("ask").key_rate),
        (true, Some(5), None)
    );
    assert_eq!(
        (of("call").weighs, of("call").rate_limit, of("call").key_rate.map(|rate| rate.jobs)),
        (false, None, Some(1))
    );
}
