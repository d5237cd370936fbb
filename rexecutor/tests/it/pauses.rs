//! Pauses of nodes, and of what runs.

use std::time::Duration;

use rexecutor::{cluster, prelude::*, schedule::Schedule, schedules};

use crate::{
    executor,
    support::{Tell, World, tell},
};

executor!(Hangs, "hangs", {}, |job| {
    Tell::of(&job).say(format!("{} begins", job.data));
    let reason = job.context().stopped().await;
    Tell::of(&job).say(format!("{} {reason:?}", job.data));
    std::future::pending::<ExecutionResult>().await
});

executor!(Quick, "quick", {}, |job| {
    Tell::of(&job).say(job.data);
    ExecutionResult::Done
});

/// What runs there is told to stop, dropped after its grace, and cancelled with the reason; the node claims nothing more, also when it starts
/// again, and the other one everything.
#[tokio::test]
async fn a_node_is_taken_out_of_service_and_what_runs_there_is_cancelled() {
    let (world, (tell, mut told)) = (World::new(), tell());
    let start = async |label: &str| {
        let node = world.node().with_label(label).with_state(tell.clone()).with_cancel_grace(Duration::from_secs(5));
        node.with_executor::<Hangs>().with_executor::<Quick>().start().await.unwrap()
    };
    let old = start("old").await;
    world.enqueue::<Hangs>(1).await;
    world.clock.settle().await;
    assert_eq!(told.all(), ["0 begins"]);
    let pause = Pause::new("a new disk").by("ann").cancel_running();
    cluster::pause_node_on_backend("old", pause, &world.backend).await.unwrap();
    world.seconds(10).await;
    world.clock.settle().await;
    assert_eq!(told.all(), ["0 Cancelled"]);
    let row = world.row(1).await;
    assert_eq!((row.status, row.extras.cancel_reason.as_deref()), (JobStatus::Cancelled, Some("a new disk")));
    old.graceful_shutdown().await;
    let old = start("old").await;
    world.enqueue::<Quick>(3).await;
    world.seconds(60).await;
    assert_eq!(told.all(), [""; 0]);
    let new = start("new").await;
    world.clock.settle().await;
    assert_eq!(told.all().len(), 3);
    new.graceful_shutdown().await;
    world.enqueue::<Quick>(2).await;
    world.seconds(60).await;
    assert_eq!(told.all(), [""; 0]);
    // It is told, and does not wait for its next look.
    assert!(cluster::resume_node_on_backend("old", &world.backend).await.unwrap());
    world.clock.settle().await;
    assert_eq!(told.all().len(), 2);
    old.graceful_shutdown().await;
}

/// Of one executor, and of a schedule entry, the jobs that are not finished are cancelled; others go on.
#[tokio::test]
async fn a_pause_that_asks_for_it_cancels_what_runs() {
    let (world, (tell, mut told)) = (World::new(), tell());
    let node = world.node().with_state(tell).with_cancel_grace(Duration::ZERO).with_executor::<Quick>();
    let minutely = Schedule::parse("0 * * * * *", "UTC").unwrap();
    let entry = schedules::entry::<Hangs>("minutely", minutely, 7);
    let node = node.with_schedule_entry(entry).start().await.unwrap();
    world.enqueue::<Hangs>(1).await;
    world.seconds(61).await;
    assert_eq!(told.all(), ["0 begins", "7 begins"]);
    let pause = || Pause::new("they hang").cancel_running();
    schedules::pause_on_backend("minutely", pause(), &world.backend).await.unwrap();
    world.seconds(5).await;
    world.clock.settle().await;
    let statuses = async || world.rows().await.iter().map(|row| row.status).collect::<Vec<_>>();
    assert_eq!(statuses().await, [JobStatus::Executing, JobStatus::Cancelled]);
    Hangs::pause_on_backend(pause(), &world.backend).await.unwrap();
    world.seconds(5).await;
    world.clock.settle().await;
    assert_eq!(statuses().await, [JobStatus::Cancelled; 2]);
    // Without being asked for it, a pause leaves what runs alone.
    assert!(Hangs::resume_on_backend(&world.backend).await.unwrap());
    world.enqueue::<Hangs>(1).await;
    world.clock.settle().await;
    Hangs::pause_on_backend("no more", &world.backend).await.unwrap();
    world.seconds(60).await;
    assert_eq!(statuses().await[2], JobStatus::Executing);
    Hangs::pause_on_backend(pause(), &world.backend).await.unwrap();
    world.seconds(5).await;
    world.clock.settle().await;
    node.graceful_shutdown().await;
}
