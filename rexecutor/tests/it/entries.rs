//! Schedule entries: nodes and people.

use rexecutor::{
    backend::{Entries, entries},
    prelude::*,
    schedule::{EntryChange, EntryStep, MissedTicks, Origin, Overlap, Schedule, ScheduleEntry},
    schedules::{self, SchedulesError},
};
use rexecutor_testing::{Operation, TestClock};

use crate::{
    executor,
    support::{Tell, World, patient, tell},
};

executor!(Tells, "tells", {}, |job| {
    let at = (job.context().clock().now() - TestClock::START).num_seconds();
    Tell::of(&job).say(format!("{} at {at}", job.data));
    ExecutionResult::Done
});

executor!(Sleeps, "sleeps", {}, |job| {
    job.context().clock().sleep(std::time::Duration::from_secs(90)).await;
    ExecutionResult::Done
});

fn schedule(expression: &str) -> Schedule {
    Schedule::parse(expression, "UTC").unwrap()
}

impl World {
    async fn entry(&self, name: &str) -> ScheduleEntry {
        schedules::get_on_backend(name, &self.backend).await.unwrap().unwrap()
    }
}

/// Nodes that sleep for an hour hear at once of what somebody adds, pauses, changes and removes.
#[tokio::test]
async fn nodes_hear_of_an_entry_that_is_put_paused_changed_and_removed() {
    let world = World::new();
    let (tell, mut told) = tell();
    let mut nodes = Vec::new();
    for _ in 0..2 {
        nodes.push(patient(world.node()).with_state(tell.clone()).with_executor::<Tells>().start().await.unwrap());
    }
    world.seconds(31).await;
    let put = schedules::entry::<Tells>("tenant", schedule("0 * * * * *"), 7).by("ann");
    put.put_on_backend(&world.backend).await.unwrap();
    world.seconds(40).await;
    assert_eq!(told.all(), ["7 at 60"]);
    let pause = Pause::new("they have not paid").by("ben");
    schedules::pause_on_backend("tenant", pause.clone(), &world.backend).await.unwrap();
    world.seconds(290).await;
    assert_eq!(told.all(), [""; 0]);
    assert_eq!(world.entry("tenant").await.paused, Some((TestClock::START + TimeDelta::seconds(71), pause)));
    assert!(schedules::resume_on_backend("tenant", &world.backend).await.unwrap());
    world.seconds(60).await;
    assert_eq!(told.all(), ["7 at 420"], "and none of those in between");
    let change = EntryChange::default().with_schedule(schedule("*/20 * * * * *"));
    schedules::change_on_backend("tenant", change, &world.backend).await.unwrap();
    world.seconds(40).await;
    assert_eq!(told.all(), ["7 at 440", "7 at 460"]);
    assert!(schedules::trigger_on_backend("tenant", "ann", &world.backend).await.unwrap().is_some());
    world.clock.settle().await;
    assert_eq!(told.all(), ["7 at 461"]);
    schedules::remove_on_backend("tenant", &world.backend).await.unwrap();
    world.seconds(600).await;
    assert_eq!(told.all(), [""; 0]);
    let error = schedules::remove_on_backend("tenant", &world.backend).await.unwrap_err();
    assert!(matches!(&error, SchedulesError::NotFound(name) if name == "tenant"), "{error}");
    for node in nodes {
        node.graceful_shutdown().await;
    }
}

/// What somebody has paused stays so when the program starts again.
#[tokio::test]
async fn a_pause_and_an_entry_outlive_the_nodes() {
    let world = World::new();
    let (tell, mut told) = tell();
    let start = async || {
        let node = patient(world.node()).with_state(tell.clone()).with_label("the worker");
        node.with_schedule::<Tells>(schedule("0 0 * * * *"), 1).start().await.unwrap()
    };
    let put = schedules::entry::<Tells>("put", schedule("0 30 * * * *"), 2);
    put.put_on_backend(&world.backend).await.unwrap();
    let node = start().await;
    world.clock.settle().await;
    let all = schedules::list_on_backend(&world.backend).await.unwrap();
    let code = all.iter().find(|entry| entry.origin == Origin::Code).unwrap();
    assert_eq!((code.data.as_str(), code.declared_by.as_str(), code.is_orphaned), ("1", "the worker", false));
    schedules::pause_on_backend(&code.name, "holidays", &world.backend).await.unwrap();
    node.graceful_shutdown().await;
    assert!(world.entry(&code.name).await.is_orphaned, "no program has it now");
    let node = start().await;
    world.seconds(3 * 3_600).await;
    assert_eq!(told.all(), ["2 at 1800", "2 at 5400", "2 at 9000"]);
    let entry = world.entry(&code.name).await;
    assert_eq!((entry.is_orphaned, entry.paused.unwrap().1.reason.as_str()), (false, "holidays"));
    node.graceful_shutdown().await;
}

/// While nodes of both versions run, the new one ticks, and each instant that both say comes once.
#[tokio::test]
async fn trap_22_a_rolling_deploy_ticks_each_instant_once() {
    let world = World::new();
    let (tell, mut told) = tell();
    let start = async |expression: &str| {
        let node = patient(world.node()).with_state(tell.clone());
        node.with_schedule::<Tells>(schedule(expression), 1).start().await.unwrap()
    };
    let (old, new) = ("0 0 * * * *", "0 */30 * * * *");
    let first = [start(old).await, start(old).await];
    world.seconds(3_601).await;
    assert_eq!(told.all(), ["1 at 3600"]);
    let second = start(new).await;
    world.seconds(2 * 3_600).await;
    assert_eq!(told.all(), ["1 at 5400", "1 at 7200", "1 at 9000", "1 at 10800"]);
    // An old one starts again, and then the new one goes.
    let restarted = start(old).await;
    world.seconds(3_600).await;
    assert_eq!(told.all(), ["1 at 12600", "1 at 14400"]);
    second.graceful_shutdown().await;
    world.seconds(2 * 3_600).await;
    assert_eq!(told.all(), ["1 at 18000", "1 at 21600"]);
    for node in first.into_iter().chain([restarted]) {
        node.graceful_shutdown().await;
    }
}

#[job(cron = "0 0 2 * * *", overlap = skip, missed = all(3), entry = "backup")]
async fn backs_up() {}

#[job(cron("0 0 * * * *", data = 1), cron("0 30 * * * *", data = 1, missed = skip), cron("0 0 * * * *", data = 2))]
async fn counts(_number: u32) {}

#[tokio::test]
async fn entries_from_code_have_their_names_and_policies() {
    let world = World::new();
    let node = Rexecutor::from_registry().only::<BacksUp>().only::<Counts>().with_missed_ticks(MissedTicks::All);
    let node = node.with_backend(world.backend.clone()).with_clock(world.clock.clone()).start().await.unwrap();
    world.clock.settle().await;
    let all = schedules::list_on_backend(&world.backend).await.unwrap();
    let names: Vec<&str> = all.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names[0], "backup");
    let twice = names.iter().filter(|name| name.ends_with("#2")).count();
    assert_eq!((names.len(), twice, names.iter().filter(|name| name.starts_with("counts/")).count()), (4, 1, 3));
    assert_eq!((all[0].overlap, all[0].missed), (Overlap::Skip, MissedTicks::AtMost(3)));
    let missed = |end: &str| all.iter().find(|entry| entry.name.ends_with(end)).unwrap().missed;
    assert_eq!((missed("#2"), all[1].overlap), (MissedTicks::Skip, Overlap::Allow));
    assert!(all.iter().skip(1).any(|entry| entry.missed == MissedTicks::All), "as the node says");
    node.graceful_shutdown().await;
}

/// One job at a time, on two nodes, and each tick comes.
#[tokio::test]
async fn overlapping_ticks_of_two_nodes_wait_for_each_other() {
    for (overlap, expected) in [(Overlap::Allow, 10), (Overlap::Skip, 5), (Overlap::Queue, 7), (Overlap::Replace, 10)] {
        let world = World::new();
        let mut nodes = Vec::new();
        for _ in 0..2 {
            let entry = schedules::entry::<Sleeps>("sleeps", schedule("0 * * * * *"), 1).with_overlap(overlap);
            nodes.push(patient(world.node()).with_schedule_entry(entry).start().await.unwrap());
        }
        world.seconds(620).await;
        let rows = world.rows().await;
        assert_eq!(rows.len(), expected, "{overlap:?}");
        let executing = rows.iter().filter(|row| row.status == JobStatus::Executing).count();
        assert_eq!(executing, if overlap == Overlap::Allow { 2 } else { 1 }, "{overlap:?}");
        let cancelled = rows.iter().filter(|row| row.status == JobStatus::Cancelled).count();
        assert_eq!(cancelled > 0, overlap == Overlap::Replace, "{overlap:?}");
    }
}

/// A name that somebody has used at run time is nobody else's, and the log says so.
#[tokio::test]
async fn an_entry_from_code_does_not_take_the_name_of_one_from_run_time() {
    let world = World::new();
    let (tell, mut told) = tell();
    let put = schedules::entry::<Tells>("mine", schedule("0 0 * * * *"), 2);
    put.put_on_backend(&world.backend).await.unwrap();
    let entry = schedules::entry::<Tells>("mine", schedule("0 30 * * * *"), 1);
    let node = patient(world.node()).with_state(tell).with_schedule_entry(entry).start().await.unwrap();
    world.seconds(2 * 3_600 + 1).await;
    assert_eq!(told.all(), ["2 at 3600", "2 at 7200"]);
    let error = schedules::entry::<Tells>("", schedule("0 30 * * * *"), 1).put_on_backend(&world.backend).await;
    assert!(matches!(error, Err(SchedulesError::Name(_))));
    let error = schedules::pause_on_backend("a\0b", "", &world.backend).await;
    assert!(matches!(error, Err(SchedulesError::NotFound(_))));
    node.graceful_shutdown().await;
}

/// A cluster that has nothing to do looks once an hour here, and once a minute as it comes.
#[tokio::test]
async fn a_node_without_schedules_looks_seldom() {
    let world = World::new();
    let node = patient(world.node()).with_executor::<Sleeps>().start().await.unwrap();
    world.seconds(10).await;
    let before = world.backend.calls(Operation::Schedules);
    world.seconds(3_500).await;
    assert_eq!(world.backend.calls(Operation::Schedules) - before, 0);
    let entries: &dyn Entries = entries(&world.backend).unwrap();
    entries.step(vec![EntryStep::tick("nobody")]).await.unwrap();
    node.graceful_shutdown().await;
}

#[tokio::test]
async fn two_entries_of_one_name_on_a_node_are_refused() {
    let world = World::new();
    let (hourly, daily) = (schedule("0 0 * * * *"), schedule("0 0 9 * * *"));
    let node = world.node().with_schedule_entry(schedules::entry::<Tells>("same", hourly.clone(), 1));
    let error = node.with_schedule_entry(schedules::entry::<Sleeps>("same", daily, 1)).start().await.map(drop);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("two schedule entries are named `same`"), "{error}");
    let error = world.node().with_schedule_entry(schedules::entry::<Tells>("", hourly, 1)).start().await.map(drop);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("the name of a schedule entry must not be empty"), "{error}");
}
