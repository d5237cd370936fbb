//! What happens by the clock: cron jobs, pruning, retention.

use rexecutor::{prelude::*, schedule::MissedTicks};
use rexecutor_testing::{Fault, Operation};

use crate::{
    executor,
    support::{Tell, World, patient, tell},
};

executor!(Tells, "tells", {}, |job| {
    Tell::of(&job).say(job.data);
    ExecutionResult::Done
});

executor!(Quiet, "quiet", {}, |_job| ExecutionResult::Done);

/// Trap 17: a tick fires on every node.
#[tokio::test]
async fn trap_17_three_nodes_enqueue_each_tick_once() {
    let world = World::new();
    let (tell, mut told) = tell();
    let mut nodes = Vec::new();
    for _ in 0..3 {
        let schedule = "0 0 * * * *".parse().unwrap();
        let node = world.node().with_state(tell.clone());
        nodes.push(node.with_cron_executor::<Tells>(schedule, 5, rexecutor::Tz::UTC).start().await.unwrap());
    }
    world.seconds(5 * 3_600 + 1).await;
    world.clock.settle().await;
    assert_eq!(told.all(), ["5"; 5]);
    let due: Vec<_> = world
        .rows()
        .await
        .iter()
        .map(|row| (row.scheduled_at - rexecutor_testing::TestClock::START).num_minutes())
        .collect();
    assert_eq!(due, [60, 120, 180, 240, 300]);
    for node in nodes {
        node.graceful_shutdown().await;
    }
}

/// One node knows of a law that the other does not: to one of them nine o'clock is an hour earlier.
#[tokio::test]
async fn two_nodes_whose_time_zone_data_differ_enqueue_each_tick_once() {
    let (new, old) = ("<-07>7", "PST8");
    for rules in [[new, old], [old, new]] {
        let world = World::new();
        let (tell, mut told) = tell();
        let mut nodes = Vec::new();
        for rules in rules {
            let zone = rexecutor::schedule::TimeZone::of_posix("America/Vancouver", rules).unwrap();
            let node = patient(world.node()).with_state(tell.clone());
            let node = node.with_cron_executor::<Tells>("0 0 9 * * *".parse().unwrap(), 5, zone);
            nodes.push(node.start().await.unwrap());
        }
        world.seconds(5 * 86_400).await;
        world.clock.settle().await;
        assert_eq!(told.all(), ["5"; 5]);
        let due: Vec<_> = world.rows().await.iter().map(|row| chrono::Timelike::hour(&row.scheduled_at)).collect();
        assert_eq!(due, [16; 5]);
        for node in nodes {
            node.graceful_shutdown().await;
        }
    }
}

/// Trap 19: a tick is lost when the process was down.
#[tokio::test]
async fn trap_19_missed_ticks_follow_the_policy() {
    for (policy, expected) in [(MissedTicks::Skip, 0), (MissedTicks::Last, 1), (MissedTicks::All, 5)] {
        let world = World::new();
        let (tell, mut told) = tell();
        let node = async || {
            let node = world.node().with_missed_ticks(policy).with_state(tell.clone());
            node.with_cron_executor::<Tells>("0 0 * * * *".parse().unwrap(), 5, rexecutor::Tz::UTC)
                .start()
                .await
                .unwrap()
        };
        let first = node().await;
        world.clock.settle().await;
        first.graceful_shutdown().await;
        world.seconds(5 * 3_600 + 600).await;
        let second = node().await;
        world.clock.settle().await;
        assert_eq!(told.all().len(), expected, "{policy:?}");
        second.graceful_shutdown().await;
    }
}

/// Trap 22: removing a schedule leaves it firing; changing its expression waits for the old tick.
#[tokio::test]
async fn trap_22_a_changed_schedule_starts_anew_and_a_removed_one_is_silent() {
    let world = World::new();
    let (tell, mut told) = tell();
    let node = async |expression: Option<&str>| {
        let node = world.node().with_state(tell.clone()).with_executor::<Tells>();
        let schedule = expression.map(|expression| expression.parse().unwrap());
        match schedule {
            Some(schedule) => node.with_cron_executor::<Tells>(schedule, 5, rexecutor::Tz::UTC).start().await.unwrap(),
            None => node.start().await.unwrap(),
        }
    };
    for (expression, expected) in [(Some("0 0 0 * * *"), 0), (Some("0 */10 * * * *"), 6), (None, 0)] {
        let running = node(expression).await;
        world.seconds(3_601).await;
        world.clock.settle().await;
        assert_eq!(told.all().len(), expected, "{expression:?}");
        running.graceful_shutdown().await;
    }
}

#[tokio::test]
async fn the_pruner_deletes_what_its_configuration_names() {
    let world = World::new();
    let (tell, _told) = tell();
    let every_minute = "0 * * * * *".parse().unwrap();
    let config = PrunerConfig::new(every_minute)
        .with_pruner(Pruner::max_age(TimeDelta::minutes(30), JobStatus::Complete).only::<Tells>())
        .with_pruner(Pruner::max_length(2, JobStatus::Complete).except::<Tells>());
    let node = world.node().with_state(tell).with_job_pruner(config);
    let node = node.with_executor::<Tells>().with_executor::<Quiet>().start().await.unwrap();
    world.enqueue::<Tells>(3_000).await;
    world.enqueue::<Quiet>(5).await;
    world.seconds(29 * 60).await;
    assert_eq!(world.rows().await.len(), 3_002);
    world.seconds(3 * 60).await;
    world.clock.settle().await;
    assert_eq!(world.rows().await.len(), 2);
    node.graceful_shutdown().await;
}

/// A prune that takes minutes drops no tick, and makes none late.
#[tokio::test]
async fn case_19_every_minute_ticks_while_a_prune_takes_minutes() {
    for minutes in [61.0 / 60.0, 10.0] {
        let world = World::new();
        let (tell, mut told) = tell();
        let config = PrunerConfig::new("0 * * * * *".parse().unwrap())
            .with_pruner(Pruner::max_age(TimeDelta::hours(1), JobStatus::Complete));
        let node = world.node().with_state(tell).with_job_pruner(config);
        let every_minute = "0 * * * * *".parse().unwrap();
        let node = node.with_cron_executor::<Tells>(every_minute, 5, rexecutor::Tz::UTC).start().await.unwrap();
        let slow = std::time::Duration::from_secs_f64(60.0 * minutes);
        world.backend.inject(Fault::late_answer(slow).on([Operation::Prune]));
        world.seconds(30 * 60 + 1).await;
        world.clock.settle().await;
        assert_eq!(told.all().len(), 30);
        for (tick, row) in (1..).zip(world.rows().await) {
            let due = rexecutor_testing::TestClock::START + TimeDelta::minutes(tick);
            assert_eq!(row.scheduled_at, due);
            assert!(row.inserted_at - due < TimeDelta::seconds(1), "{} for {due}", row.inserted_at);
        }
        // The next prune waits for the one that is under way, and of those after it nothing is left.
        assert!(world.backend.calls(Operation::Prune) <= 30);
        assert!(world.backend.calls(Operation::Prune) >= 3, "{}", world.backend.calls(Operation::Prune));
        node.graceful_shutdown().await;
    }
}

/// To store the jobs of many schedules takes its time, too.
#[tokio::test]
async fn case_19_ticks_that_take_long_to_store_make_the_next_ones_not_late() {
    let world = World::new();
    let (tell, mut told) = tell();
    let every_minute = || "0 * * * * *".parse().unwrap();
    let node = world.node().with_state(tell).with_cron_executor::<Tells>(every_minute(), 5, rexecutor::Tz::UTC);
    let node = node.with_cron_executor::<Quiet>(every_minute(), 6, rexecutor::Tz::UTC).start().await.unwrap();
    world.backend.inject(Fault::late_answer(std::time::Duration::from_secs(29)).on([Operation::Tick]));
    world.seconds(10 * 60 + 35).await;
    assert_eq!(told.all().len(), 10);
    let rows = world.rows().await;
    let late = rows.iter().map(|row| row.inserted_at - row.scheduled_at).max();
    assert!(late < Some(TimeDelta::seconds(30)), "{late:?}");
    node.graceful_shutdown().await;
}

/// A job that the backend refuses for good keeps no other schedule from ticking.
#[tokio::test]
async fn case_19_a_tick_that_cannot_be_stored_keeps_no_other_from_coming() {
    let world = World::new();
    let (tell, mut told) = tell();
    let hourly = || "0 0 * * * *".parse().unwrap();
    let node = world.node().with_state(tell).with_cron_executor::<Quiet>(hourly(), 6, rexecutor::Tz::UTC);
    let node = node.with_cron_executor::<Tells>(hourly(), 5, rexecutor::Tz::UTC).start().await.unwrap();
    world.seconds(3_590).await;
    world.backend.inject(Fault::permanent_error().on([Operation::Tick]).nth(1));
    world.seconds(11).await;
    world.clock.settle().await;
    assert_eq!(told.all(), ["5"]);
    assert_eq!(world.rows().await.len(), 1);
    world.seconds(60).await;
    assert_eq!(world.rows().await.len(), 2, "the other one is tried again");
    node.graceful_shutdown().await;
}

/// Trap 43: pruning a million rows in one statement locks, bloats, and times out.
#[tokio::test]
async fn trap_43_many_jobs_are_pruned_in_small_batches() {
    let world = World::new();
    let (tell, _told) = tell();
    let config = PrunerConfig::new("0 0 * * * *".parse().unwrap());
    let config = config.with_pruner(Pruner::max_age(TimeDelta::minutes(1), JobStatus::Complete));
    let node = world.node().with_state(tell).with_job_pruner(config).with_executor::<Tells>().start().await.unwrap();
    world.enqueue::<Tells>(3_500).await;
    world.seconds(3_590).await;
    assert_eq!(world.backend.calls(Operation::Prune), 0);
    world.seconds(20).await;
    assert_eq!((world.rows().await.len(), world.backend.calls(Operation::Prune)), (0, 4));
    node.graceful_shutdown().await;
}

#[job(retain = "1h")]
async fn kept_an_hour() {}

#[job(retain = "none")]
async fn not_kept() {}

#[tokio::test]
async fn jobs_are_retained_as_they_say() {
    let world = World::new();
    let node = world.node().with_executor::<KeptAnHour>().with_executor::<NotKept>().start().await.unwrap();
    let _ = KeptAnHour::builder().enqueue_to_backend(&world.backend).await.unwrap();
    let _ = NotKept::builder().enqueue_to_backend(&world.backend).await.unwrap();
    world.clock.settle().await;
    assert_eq!(world.rows().await.len(), 1);
    world.seconds(59 * 60).await;
    assert_eq!(world.rows().await.len(), 1);
    world.seconds(3 * 60).await;
    assert_eq!(world.rows().await.len(), 0);
    node.graceful_shutdown().await;
}
