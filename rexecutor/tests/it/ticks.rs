//! What the jobs of ticks know, and when they start.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rexecutor::{prelude::*, schedule::Schedule};
use rexecutor_testing::TestClock;

use crate::{
    executor,
    support::{Tell, World, patient, tell},
};

#[job(max_attempts = 3, backoff = constant("7m"))]
async fn shows(_number: u32, context: JobContext, State(tell): State<Tell>) -> Result<(), String> {
    let tick = context.tick().map(|tick| (tick - TestClock::START).num_minutes());
    tell.say(format!("attempt {}: {tick:?}", context.attempt()));
    if context.attempt() == 1 { Err("not yet".to_owned()) } else { Ok(()) }
}

#[tokio::test]
async fn case_20_a_job_knows_which_tick_it_is_for_also_when_it_is_retried() {
    let world = World::new();
    let (tell, mut told) = tell();
    let hourly = Schedule::parse("0 0 * * * *", "UTC").unwrap();
    let node = patient(world.node()).with_state(tell).with_schedule::<Shows>(hourly, 1).start().await.unwrap();
    world.seconds(3_600 + 1_800).await;
    assert_eq!(told.all(), ["attempt 1: Some(60)", "attempt 2: Some(60)"]);
    let row = world.rows().await.remove(0);
    assert_ne!(row.scheduled_at, TestClock::START + TimeDelta::hours(1), "the retry has a due time of its own");
    let _ = Shows::builder().with_data(1).enqueue_to_backend(&world.backend).await.unwrap();
    world.clock.settle().await;
    assert_eq!(told.all(), ["attempt 1: None"]);
    node.graceful_shutdown().await;
}

executor!(Tells, "tells", {}, |job| {
    let now = (job.context().clock().now() - TestClock::START).num_milliseconds();
    Tell::of(&job).say(format!("{} {now}", job.data));
    ExecutionResult::Done
});

/// The jobs of fifty schedules that are due at nine do not start together, and on each node start at the same times.
#[tokio::test]
async fn jitter_spreads_the_jobs_of_many_schedules_and_is_the_same_on_all_nodes() {
    let world = World::new();
    let (tell, mut told) = tell();
    let mut nodes = Vec::new();
    for _ in 0..2 {
        let mut node = patient(world.node()).with_state(tell.clone());
        for data in 0..50 {
            let nine = Schedule::parse("0 0 9 * * *", "UTC").unwrap().with_jitter(Duration::from_secs(30)).unwrap();
            node = node.with_schedule::<Tells>(nine, data);
        }
        nodes.push(node.start().await.unwrap());
    }
    let mut days = Vec::new();
    for day in 0..2 {
        world.clock.set(TestClock::START + TimeDelta::days(day) + TimeDelta::hours(12)).await;
        world.clock.settle().await;
        let at = |text: &String| -> (u32, i64) {
            let (data, at) = text.split_once(' ').unwrap();
            (data.parse().unwrap(), at.parse::<i64>().unwrap() - (day * 24 + 9) * 3_600_000)
        };
        let mut started: Vec<_> = told.all().iter().map(at).collect();
        started.sort_unstable();
        days.push(started);
    }
    assert_eq!(days[0].len(), 50);
    // The job starts at most some milliseconds after it is due.
    let is_close = |(one, other): (&(u32, i64), &(u32, i64))| one.0 == other.0 && (one.1 - other.1).abs() < 100;
    assert!(days[0].iter().zip(&days[1]).all(is_close), "{days:?}");
    assert!(days[0].iter().all(|(_, late)| (0..=30_100).contains(late)), "{days:?}");
    let seconds: std::collections::BTreeSet<i64> = days[0].iter().map(|(_, late)| late / 1_000).collect();
    assert!(seconds.len() > 15, "{seconds:?}");
    for row in world.rows().await {
        assert_eq!((row.extras.tick_at.unwrap() - TestClock::START).num_hours() % 24, 9, "the tick stays where it is");
    }
    for node in nodes {
        node.graceful_shutdown().await;
    }
}

#[job(every = "90s", jitter = "1s", starts = "2030-01-01T01:00", ends = "2030-01-01T02:00", data = "x".to_owned())]
async fn polls(_data: String) {}

#[job(cron("0 0 9 LW * *", timezone = "America/New_York", starts = "2030-02-01"), cron = "0 30 8 * * FRI#2")]
async fn pays() {}

#[test]
fn a_job_declares_intervals_starts_ends_and_special_days() {
    let crons = |name: &str| Rexecutor::registered().into_iter().find(|job| job.name() == name).unwrap().crons();
    let polls = crons("polls")[0].schedule().unwrap();
    let ticks: Vec<DateTime<Utc>> = polls.ticks_after(TestClock::START).collect();
    assert_eq!((ticks.len(), polls.jitter()), (41, Duration::from_secs(1)));
    assert_eq!(ticks[1] - ticks[0], TimeDelta::seconds(90));
    let next = |cron: usize| crons("pays")[cron].next_after(TestClock::START).unwrap().unwrap().to_rfc3339();
    assert_eq!([next(0), next(1)], ["2030-02-28T14:00:00+00:00", "2030-01-11T08:30:00+00:00"]);
}
