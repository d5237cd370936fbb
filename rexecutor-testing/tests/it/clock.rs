//! One clock drives schedules, retries, timeouts, leases, rescue, pruning, uniqueness windows and what jobs see, on every
//! backend.

use std::{sync::mpsc, time::Duration};

use rexecutor::{
    backend::{Claim, Demand, Maintain, Node},
    clock::Clock,
    prelude::*,
};
use rexecutor_testing::{Test, TestClock, assert_enqueued};

/// Minutes since the test began.
type Times = mpsc::Sender<(String, i64)>;

fn say(times: &Times, who: &str, context: &JobContext) {
    times.send((who.to_owned(), (context.clock().now() - TestClock::START).num_minutes())).unwrap();
}

#[job(cron = "0 0 * * * *")]
async fn hourly(State(times): State<Times>, context: JobContext) {
    say(&times, "hourly", &context);
}

#[job(backoff = exponential("30m"), max_attempts = 4)]
async fn fails(State(times): State<Times>, context: JobContext) -> Result<(), String> {
    say(&times, "fails", &context);
    Err("no".to_owned())
}

#[job(timeout = "10m", max_attempts = 1)]
async fn hangs(context: JobContext) {
    context.clock().sleep(Duration::from_secs(86_400)).await;
}

#[job(unique_within = "1h")]
async fn unique() {}

#[job(retain = "2h")]
async fn kept() {}

async fn everything(test: Test) {
    let (sender, times) = mpsc::channel();
    test.with_state::<Times>(sender);
    let dead = test.backend().join(&Node::new("dead", Duration::from_secs(60))).await.unwrap();
    let _ = Fails::enqueue(()).await.unwrap();
    let lost = [Demand::new("fails", 1)];
    assert_eq!(test.backend().claim(dead, lost.clone().into()).await.unwrap().jobs.len(), 1);
    let node = test.node().with_node_timeout(Duration::from_secs(60)).start().await.unwrap();
    let hanging = Hangs::enqueue(()).await.unwrap().id();
    let _ = Kept::enqueue(()).await.unwrap();
    for _ in 0..3 {
        let _ = Unique::enqueue(()).await.unwrap();
    }
    assert_enqueued!(1 job, for_executor: Unique);
    test.advance(TimeDelta::minutes(61)).await;
    let _ = Unique::enqueue(()).await.unwrap();
    assert_enqueued!(2 jobs, for_executor: Unique);
    assert_enqueued!(1 job, for_executor: Kept);
    test.advance(TimeDelta::minutes(124)).await;
    assert_enqueued!(0 jobs, for_executor: Kept);
    assert_enqueued!(1 job, for_executor: Hangs, with_status: JobStatus::Discarded);
    let hung = Hangs::query_jobs(Where::id_equals(hanging)).await.unwrap().remove(0);
    let after = hung.discarded_at.unwrap() - hung.attempted_at.unwrap();
    assert_eq!(after, TimeDelta::seconds(605), "its timeout, and the grace to tidy up");
    test.clock().settle().await;
    node.graceful_shutdown().await;
    let mut times: Vec<_> = times.try_iter().collect();
    times.sort_unstable();
    // The attempt of the dead node was the first; the others wait for an hour, and for two.
    let rescued_at = times[0].1;
    assert!((1..=2).contains(&rescued_at), "{times:?}");
    let fails: Vec<_> = times.iter().filter(|(who, _)| who == "fails").map(|(_, at)| at - rescued_at).collect();
    assert_eq!(fails, [0, 60, 180]);
    let hourly: Vec<_> = times.iter().filter(|(who, _)| who == "hourly").map(|(_, at)| *at).collect();
    assert_eq!(hourly, [60, 120, 180]);
}

#[rexecutor_testing::test(jobs = [Hourly, Fails, Hangs, Unique, Kept])]
async fn in_memory(test: Test) {
    everything(test).await;
}

#[cfg(feature = "sqlite")]
#[rexecutor_testing::test(backend = sqlite, jobs = [Hourly, Fails, Hangs, Unique, Kept])]
async fn on_sqlite(test: Test) {
    everything(test).await;
}

#[cfg(feature = "postgres")]
#[rexecutor_testing::test(backend = postgres, jobs = [Hourly, Fails, Hangs, Unique, Kept])]
async fn on_postgres(test: Test) {
    everything(test).await;
}

/// 8,760 runs, in the order of their ticks, the same every time.
#[rexecutor_testing::test(jobs = [Hourly])]
async fn a_year_of_hourly_jobs(test: Test) {
    let (sender, times) = mpsc::channel();
    test.with_state::<Times>(sender);
    let node = test.node().start().await.unwrap();
    test.advance(TimeDelta::days(365)).await;
    test.advance(TimeDelta::seconds(1)).await;
    let times: Vec<i64> = times.try_iter().map(|(_, at)| at).collect();
    assert_eq!(times, (1..=8_760).map(|hour| hour * 60).collect::<Vec<_>>());
    node.graceful_shutdown().await;
}
