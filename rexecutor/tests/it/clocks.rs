//! Nodes whose clocks are wrong: the backend's decides.

use rexecutor::prelude::*;
use rexecutor_testing::{Operation, TestClock};

use crate::{
    executor,
    support::{Tell, World, tell},
};

executor!(Tells, "tells", {}, |job| {
    Tell::of(&job).say(job.data);
    ExecutionResult::Done
});

/// Trap 18: leaders elected by host name or by the node's clock: double ticks for 19 days.
#[tokio::test]
async fn trap_18_nodes_of_one_name_whose_clocks_differ_by_hours_enqueue_each_tick_once() {
    let world = World::new();
    let (tell, mut told) = tell();
    let wrong = [-7_200, -50, 90, 10_800].map(|by| TestClock::starting_at(TestClock::START + TimeDelta::seconds(by)));
    let mut nodes = Vec::new();
    for clock in &wrong {
        let node = world.node().with_clock(clock.clone()).with_label("the same").with_state(tell.clone());
        let schedule = "0 0 * * * *".parse().unwrap();
        nodes.push(node.with_cron_executor::<Tells>(schedule, 5, rexecutor::Tz::UTC).start().await.unwrap());
    }
    for _ in 0..5 * 60 {
        for clock in wrong.iter().chain([&world.clock]) {
            clock.advance(TimeDelta::seconds(60)).await;
        }
    }
    for clock in &wrong {
        clock.advance(TimeDelta::seconds(61)).await;
    }
    assert_eq!(told.all(), ["5"; 5]);
    let due: Vec<_> =
        world.rows().await.iter().map(|row| (row.scheduled_at - TestClock::START).num_minutes()).collect();
    assert_eq!(due, [60, 120, 180, 240, 300]);
}

/// Trap 39: half of the checks use the node's clock and half the database's; a skew of 100 ms makes the loop spin.
#[tokio::test]
async fn trap_39_a_node_whose_clock_is_wrong_starts_jobs_when_they_are_due_and_does_not_spin() {
    for skew in [-60_000, -100, 100, 60_000] {
        let world = World::new();
        let (tell, mut told) = tell();
        let clock = TestClock::starting_at(TestClock::START + TimeDelta::milliseconds(skew));
        let both = async |by: i64| {
            for clock in [&world.clock, &clock] {
                clock.advance(TimeDelta::milliseconds(by)).await;
            }
        };
        let node = world.node().with_clock(clock.clone()).with_state(tell).with_executor::<Tells>();
        let _node = node.start().await.unwrap();
        clock.settle().await;
        let later = Tells::builder().with_data(1).schedule_in(TimeDelta::milliseconds(3_000));
        let _ = later.enqueue_to_backend(&world.backend).await.unwrap();
        let before = world.backend.calls(Operation::Claim);
        for _ in 0..29 {
            both(100).await;
        }
        assert_eq!(told.all(), [""; 0], "skewed by {skew} ms, it is not due yet");
        both(200).await;
        clock.settle().await;
        assert_eq!(told.all(), ["1"], "skewed by {skew} ms");
        let claims = world.backend.calls(Operation::Claim) - before;
        assert!(claims <= 4, "skewed by {skew} ms, the node claimed {claims} times");
    }
}
