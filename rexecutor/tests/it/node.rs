//! A node among others: order, death, cancellation, outages.

use std::time::Duration;

use rexecutor::{
    backend::{Maintain, Node, Settle},
    prelude::*,
};
use rexecutor_testing::{Fault, Operation};

use crate::{
    executor,
    support::{Tell, World, tell},
};

executor!(Tells, "tells", {}, |job| {
    Tell::of(&job).say(job.data);
    ExecutionResult::Done
});

executor!(Quiet, "quiet", {}, |_job| ExecutionResult::Done);

#[tokio::test]
async fn jobs_start_by_priority_then_due_time_then_number() {
    let world = World::new();
    let (tell, mut told) = tell();
    for (data, priority, seconds) in [(0, 5, 0), (1, 0, 30), (2, 0, 10), (3, 0, 10), (4, 2, 60)] {
        let at = world.rows().await.first().map_or(rexecutor_testing::TestClock::START, |row| row.inserted_at);
        let job = Tells::builder()
            .with_data(data)
            .with_priority(priority)
            .schedule_at(at - TimeDelta::hours(1) + TimeDelta::seconds(seconds));
        let _ = job.enqueue_to_backend(&world.backend).await.unwrap();
    }
    let node = world.node().with_max_running(1).with_state(tell).with_executor::<Tells>().start().await.unwrap();
    world.clock.settle().await;
    assert_eq!(told.all(), ["2", "3", "1", "4", "0"]);
    node.graceful_shutdown().await;
}

#[tokio::test]
async fn a_job_starts_the_moment_it_is_due() {
    let world = World::new();
    let (tell, mut told) = tell();
    let node = world.node().with_state(tell).with_executor::<Tells>().start().await.unwrap();
    world.seconds(1).await;
    let _ = Tells::builder()
        .with_data(1)
        .schedule_in(TimeDelta::milliseconds(2_500))
        .enqueue_to_backend(&world.backend)
        .await
        .unwrap();
    world.clock.advance(TimeDelta::milliseconds(2_499)).await;
    assert_eq!(told.all(), [""; 0]);
    world.clock.advance(TimeDelta::milliseconds(1)).await;
    world.clock.settle().await;
    assert_eq!(told.all(), ["1"]);
    node.graceful_shutdown().await;
}

/// Says so when a run is dropped before its end.
struct Unless(Option<Tell>);

impl Drop for Unless {
    fn drop(&mut self) {
        if let Some(tell) = &self.0 {
            tell.say("dropped");
        }
    }
}

executor!(Sleeps, "sleeps", {}, |job| {
    Tell::of(&job).say("began");
    let mut unless = Unless(Some(Tell::of(&job)));
    job.context().clock().sleep(Duration::from_secs(3_600)).await;
    unless.0 = None;
    Tell::of(&job).say("ended");
    ExecutionResult::Done
});

/// Trap 2: a long job is rescued while it runs, and runs twice.
#[tokio::test]
async fn trap_02_a_job_may_run_longer_than_any_timeout_of_its_node() {
    let world = World::new();
    let (tell, mut told) = tell();
    let nodes = [
        world.node().with_state(tell.clone()).with_executor::<Sleeps>().start().await.unwrap(),
        world.node().with_state(tell).with_executor::<Sleeps>().start().await.unwrap(),
    ];
    let id = Sleeps::builder().with_data(1).enqueue_to_backend(&world.backend).await.unwrap();
    world.seconds(3_601).await;
    world.clock.settle().await;
    assert_eq!(told.all(), ["began", "ended"]);
    let row = world.row(id).await;
    assert_eq!((row.status, row.attempt, row.lease.0), (JobStatus::Complete, 1, 1));
    for node in nodes {
        node.graceful_shutdown().await;
    }
}

/// Trap 1: a worker dies and its job stays executing for ever.
#[tokio::test]
async fn trap_01_another_node_takes_over_a_dead_ones_jobs() {
    let world = World::new();
    let (tell, mut told) = tell();
    let dead = world.backend.join(&Node::new("dead", Duration::from_secs(15))).await.unwrap();
    let id = Tells::builder().with_data(7).enqueue_to_backend(&world.backend).await.unwrap();
    let demands = [rexecutor::backend::Demand::new("tells", 1)];
    rexecutor::backend::Claim::claim(&world.backend, dead, demands.into()).await.unwrap();
    let node = world.node().with_state(tell).with_executor::<Tells>().start().await.unwrap();
    world.seconds(14).await;
    assert_eq!(told.all(), [""; 0], "it may still live");
    world.seconds(5).await;
    world.clock.settle().await;
    assert_eq!(told.all(), ["7"]);
    let row = world.row(id).await;
    assert_eq!(
        (row.status, row.attempt, row.errors[0].error_type.clone()),
        (JobStatus::Complete, 2, ErrorType::NodeLost)
    );
    node.graceful_shutdown().await;
}

/// Trap 3: a worker frozen past its lease wakes up and finishes its successor's attempt.
#[tokio::test]
async fn trap_03_a_node_that_was_declared_dead_stops_its_jobs_and_joins_again() {
    let world = World::new();
    let (tell, mut told) = tell();
    let node = world.node().with_state(tell).with_executor::<Sleeps>().start().await.unwrap();
    let id = Sleeps::builder().with_data(1).enqueue_to_backend(&world.backend).await.unwrap();
    assert_eq!(told.next().await, "began");
    let first = world.row(id).await;
    world.backend.leave(first.node.unwrap()).await.unwrap();
    world.seconds(10).await;
    world.clock.settle().await;
    let mut told = told.all();
    told.sort_unstable();
    assert_eq!(told, ["began", "dropped"], "it was stopped, rescued, and began again");
    let second = world.row(id).await;
    assert_eq!((second.status, second.attempt, second.lease.0), (JobStatus::Executing, 2, 2));
    assert_ne!(second.node, first.node);
    drop(node.drop_guard());
}

/// Trap 11: a rolling deploy; the old version knows fewer names.
#[tokio::test]
async fn trap_11_jobs_of_names_that_no_node_has_are_left_alone() {
    let world = World::new();
    let (tell, _told) = tell();
    let id = Quiet::builder().with_data(1).enqueue_to_backend(&world.backend).await.unwrap();
    let before = world.row(id).await;
    let node = world.node().with_state(tell).with_executor::<Tells>().start().await.unwrap();
    world.seconds(600).await;
    assert_eq!(world.row(id).await, before);
    node.graceful_shutdown().await;
}

#[job]
async fn stops_when_asked(context: JobContext, State(tell): State<Tell>) {
    tell.say("began");
    context.cancellation().cancelled().await;
    tell.say("stopped");
}

#[job]
async fn never_stops(State(tell): State<Tell>) {
    tell.say("began");
    std::future::pending::<()>().await;
}

/// Trap 8: a cancelled job that still runs is set to complete by its own end.
#[tokio::test]
async fn trap_08_cancelling_reaches_a_running_job() {
    let world = World::new();
    let (tell, mut told) = tell();
    let node = world.node().with_state(tell).with_executor::<StopsWhenAsked>().with_executor::<NeverStops>();
    let node = node.start().await.unwrap();
    let kind = StopsWhenAsked::builder().enqueue_to_backend(&world.backend).await.unwrap();
    let stubborn = NeverStops::builder().enqueue_to_backend(&world.backend).await.unwrap();
    assert_eq!([told.next().await, told.next().await], ["began", "began"]);
    StopsWhenAsked::cancel_job_on_backend(kind, Box::new("enough"), &world.backend).await.unwrap();
    NeverStops::cancel_job_on_backend(stubborn, Box::new("enough"), &world.backend).await.unwrap();
    world.clock.settle().await;
    assert_eq!(told.all(), ["stopped"]);
    assert_eq!(world.row(kind).await.status, JobStatus::Cancelled);
    assert_eq!(world.row(stubborn).await.status, JobStatus::Executing, "it has its grace");
    world.seconds(5).await;
    world.clock.settle().await;
    let row = world.row(stubborn).await;
    assert_eq!((row.status, row.extras.cancel_reason.as_deref()), (JobStatus::Cancelled, Some("enough")));
    node.graceful_shutdown().await;
}

/// Trap 7: an outcome is stored with one try. Trap 38: errors are retried without a pause.
#[tokio::test]
async fn trap_07_and_38_an_outage_loses_nothing_and_does_not_spin() {
    for loses_answers in [false, true] {
        let world = World::new();
        let (tell, mut told) = tell();
        let node = world.node().with_state(tell).with_executor::<Tells>().start().await.unwrap();
        world.clock.settle().await;
        world.enqueue::<Tells>(100).await;
        let lost = if loses_answers { Fault::lost_answer() } else { Fault::error() };
        world.backend.inject(lost.on([Operation::Settle]));
        world.backend.inject(Fault::error().on([Operation::Claim, Operation::Heartbeat]));
        let calls = || world.backend.calls(Operation::Claim) + world.backend.calls(Operation::Settle);
        let before = calls();
        world.seconds(10).await;
        let calls = calls() - before;
        world.backend.heal();
        assert!(calls < 40, "{calls} calls in ten seconds");
        world.seconds(600).await;
        assert_eq!(told.all().len(), 100, "each ran once");
        assert!(world.rows().await.iter().all(|row| row.status == JobStatus::Complete));
        node.graceful_shutdown().await;
    }
}

/// After an outage longer than their timeouts all nodes look dead: the first that comes back must not expire the others.
#[tokio::test]
async fn trap_03_nodes_that_an_outage_silenced_are_not_declared_dead() {
    let world = World::new();
    let (tell, mut told) = tell();
    let builders = (0..5).map(|_| world.node().with_state(tell.clone()).with_executor::<Sleeps>());
    let mut nodes = Vec::new();
    for builder in builders {
        nodes.push(builder.start().await.unwrap());
    }
    world.clock.settle().await;
    for data in 0..10 {
        let _ = Sleeps::builder().with_data(data).enqueue_to_backend(&world.backend).await.unwrap();
    }
    world.clock.settle().await;
    assert_eq!(told.all().len(), 10);
    world.backend.inject(Fault::error());
    world.seconds(60).await;
    world.backend.heal();
    world.seconds(600).await;
    let rows = world.rows().await;
    assert!(rows.iter().all(|row| (row.status, row.lease.0) == (JobStatus::Executing, 1)), "each runs on where it was");
    // A node that is dead is found to be so all the same.
    let dead = world.backend.join(&Node::new("dead", Duration::from_secs(15))).await.unwrap();
    world.seconds(60).await;
    assert!(!world.backend.heartbeat(dead).await.unwrap().member);
}

/// What the node was given, but never heard of, is given back: neither lost nor an attempt.
#[tokio::test]
async fn trap_05_a_claim_whose_answer_was_lost_is_found_by_the_heartbeats() {
    let world = World::new();
    let (tell, mut told) = tell();
    world.backend.inject(Fault::lost_answer().on([Operation::Claim]).nth(2));
    let node = world.node().with_max_running(100).with_state(tell).with_executor::<Tells>().start().await.unwrap();
    world.clock.settle().await;
    world.enqueue::<Tells>(100).await;
    world.clock.settle().await;
    let rows = world.rows().await;
    assert!(rows.iter().all(|row| row.status == JobStatus::Executing), "they are the node's");
    assert_eq!(told.all().len(), 0, "and it does not know");
    world.seconds(20).await;
    assert_eq!(told.all().len(), 100, "each ran once");
    let rows = world.rows().await;
    assert!(rows.iter().all(|row| (row.status, row.attempt, row.lease.0) == (JobStatus::Complete, 1, 2)));
    node.graceful_shutdown().await;
}

/// Neither a claim that takes long nor an outcome that cannot be stored yet makes a node give back what it has.
#[tokio::test]
async fn what_the_node_has_is_not_given_back_however_long_answers_take() {
    let world = World::new();
    let (tell, mut told) = tell();
    world.backend.inject(Fault::late_answer(Duration::from_secs(60)).on([Operation::Claim]).nth(2));
    let node = world.node().with_state(tell).with_executor::<Tells>().start().await.unwrap();
    world.clock.settle().await;
    world.enqueue::<Tells>(100).await;
    world.seconds(59).await;
    world.backend.inject(Fault::permanent_error().on([Operation::Settle]).times(10));
    world.seconds(120).await;
    assert_eq!(told.all().len(), 100, "each ran once");
    assert!(world.rows().await.iter().all(|row| (row.status, row.lease.0) == (JobStatus::Complete, 1)));
    node.graceful_shutdown().await;
}

/// A node whose lease has moved on is told so by the backend, whatever it thinks.
#[tokio::test]
async fn an_outcome_of_a_run_that_was_taken_over_is_refused() {
    let world = World::new();
    let (tell, mut told) = tell();
    let node = world.node().with_state(tell).with_executor::<Sleeps>().start().await.unwrap();
    let id = Sleeps::builder().with_data(1).enqueue_to_backend(&world.backend).await.unwrap();
    told.next().await;
    let outcome = rexecutor::backend::Outcome::complete(true);
    let stale = rexecutor::backend::Settlement::new(id.id(), rexecutor::job::Lease(0), outcome);
    assert_eq!(world.backend.settle([stale].into()).await.unwrap(), [(id.id(), rexecutor::job::Lease(0))]);
    assert_eq!(world.row(id).await.status, JobStatus::Executing);
    drop(node.drop_guard());
}

#[job]
async fn cancels_itself() -> ExecutionResult {
    ExecutionResult::Cancel { reason: Box::new("nothing to do") }
}

#[tokio::test]
async fn an_executor_finds_cancels_reruns_and_updates_its_jobs() {
    let world = World::new();
    let backend = &world.backend;
    let id = Tells::builder()
        .with_data(1)
        .add_tag("a")
        .schedule_in(TimeDelta::hours(1))
        .enqueue_to_backend(backend)
        .await
        .unwrap();
    let found = Tells::query_jobs_on_backend(Where::data_equals(&1).and(Where::tagged_by_all_of(&["a"])), backend)
        .await
        .unwrap();
    assert_eq!(found[0].id, id.id());
    assert!(Quiet::query_jobs_on_backend(Where::any(), backend).await.unwrap().is_empty());

    let mut changed = found.into_iter().next().unwrap();
    changed.data = 2;
    changed.priority = 9;
    Tells::update_job_on_backend(changed.clone(), backend).await.unwrap();
    let row = world.row(id).await;
    assert_eq!((row.data.as_str(), row.priority), ("2", 9));
    changed.max_attempts = 0;
    let refused = Tells::update_job_on_backend(changed, backend).await.unwrap_err();
    assert_eq!(refused.to_string(), "max_attempts: 0 attempts; the least is 1");

    Tells::cancel_job_on_backend(id, Box::new("not now"), backend).await.unwrap();
    let twice = Tells::cancel_job_on_backend(id, Box::new("not now"), backend).await.unwrap_err();
    assert_eq!(twice.to_string(), format!("job {} is cancelled and cannot be cancelled", id.id()));
    let cancelled = Tells::query_jobs_on_backend(Where::id_equals(id.id()), backend).await.unwrap();
    assert_eq!(cancelled[0].cancel_reason.as_deref(), Some("not now"));
    Tells::rerun_job_on_backend(id, backend).await.unwrap();
    assert_eq!(world.row(id).await.status, JobStatus::Scheduled);
    let strange = Quiet::rerun_job_on_backend(id, backend).await.unwrap_err();
    assert_eq!(strange.to_string(), format!("no job {} of this executor", id.id()));
    let node = world.node().with_executor::<CancelsItself>().start().await.unwrap();
    let own = CancelsItself::builder().enqueue_to_backend(backend).await.unwrap();
    world.clock.settle().await;
    assert_eq!(world.row(own).await.status, JobStatus::Cancelled);
    node.graceful_shutdown().await;
}
