//! Whoever sets a clock changes nothing about how long a node waits, and how long anything takes: that is measured in time that nobody
//! can set.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use rexecutor::{executor::IntoExecutionResult, node::JobEventKind, prelude::*};
use tokio::sync::Semaphore;

use crate::{
    executor,
    support::{Tell, World, tell},
};

executor!(
    Scarce,
    "scarce",
    {
        const CLUSTER_CONCURRENCY: Option<usize> = Some(1);
    },
    |job| {
        Tell::of(&job).say(job.data);
        job.context().state::<Arc<Semaphore>>().unwrap().acquire().await.unwrap().forget();
        ExecutionResult::Done
    }
);

executor!(
    Late,
    "late",
    {
        const DEADLINE: Option<TimeDelta> = Some(TimeDelta::seconds(600));
    },
    |job| {
        job.context().clock().sleep(Duration::from_secs(3_600)).await;
        ExecutionResult::Done
    }
);

executor!(Takes, "takes", {}, |job| {
    job.context().clock().sleep(Duration::from_secs(job.data.into())).await;
    ().into_execution_result()
});

/// They poll once in an hour, and the clock is two hours behind from one moment to the next.
#[tokio::test]
async fn case_44_what_a_limit_keeps_back_starts_soon_after_a_clock_was_set_back() {
    let (world, (tell, mut told), gate) = (World::new(), tell(), Arc::new(Semaphore::new(0)));
    let node = || world.node().with_poll_interval(Duration::from_secs(3_600)).with_state(tell.clone());
    let node = || node().with_state(gate.clone()).with_executor::<Scarce>();
    let nodes = [node().start().await.unwrap(), node().start().await.unwrap()];
    world.enqueue::<Scarce>(6).await;
    world.seconds(5).await;
    assert_eq!(told.all().len(), 1);
    world.clock.jump(TimeDelta::hours(-2)).await;
    // A heartbeat.
    world.seconds(5).await;
    for _ in 0..5 {
        gate.add_permits(1);
        world.seconds(2).await;
        assert_eq!(told.all().len(), 1);
    }
    gate.add_permits(1);
    for node in nodes {
        node.graceful_shutdown().await;
    }
}

#[tokio::test]
async fn case_44_a_job_ends_at_its_deadline_though_a_clock_was_set_back_or_forward_while_it_ran() {
    for hours in [-2, 2] {
        let world = World::new();
        let node = world.node().with_executor::<Late>().start().await.unwrap();
        world.enqueue::<Late>(1).await;
        world.seconds(60).await;
        world.clock.jump(TimeDelta::hours(hours)).await;
        world.seconds(530).await;
        assert_eq!(world.row(1).await.status, JobStatus::Executing, "{hours} hours");
        world.seconds(20).await;
        world.clock.settle().await;
        let row = world.row(1).await;
        assert_eq!((row.status, &row.errors[0].error_type), (JobStatus::Discarded, &ErrorType::DeadlinePassed));
        node.graceful_shutdown().await;
    }
}

#[tokio::test]
async fn case_44_how_long_a_run_took_is_told_as_it_was_whoever_sets_a_clock_meanwhile() {
    let (world, told) = (World::new(), Arc::new(Mutex::new(Vec::new())));
    let tell = told.clone();
    let node = world.node().with_executor::<Takes>().on_event(move |event| {
        if let JobEventKind::Completed { took, .. } = event.kind {
            tell.lock().unwrap().push(took.as_secs());
        }
    });
    let node = node.start().await.unwrap();
    for hours in [-2, 2] {
        let job = Takes::builder().with_data(90).enqueue_to_backend(&world.backend).await.unwrap();
        world.seconds(30).await;
        world.clock.jump(TimeDelta::hours(hours)).await;
        world.seconds(61).await;
        world.clock.settle().await;
        assert_eq!(world.row(job.id()).await.status, JobStatus::Complete);
    }
    assert_eq!(*told.lock().unwrap(), [90, 90]);
    node.graceful_shutdown().await;
}

/// Which files of these crates may ask for the time of day. How long something takes, and when to do something again, is
/// `Clock::elapsed`.
const TELL_THE_TIME: &[&str] = &[
    // What is due, by the clock of the backend.
    "rexecutor/src/backend/memory/backend.rs",
    "rexecutor-sqlx/src/postgres/room.rs",
    "rexecutor-sqlx/src/postgres/session.rs",
    "rexecutor-sqlx/src/sqlite/any_store.rs",
    "rexecutor-sqlx/src/sqlite/entries.rs",
    "rexecutor-sqlx/src/sqlite/inspect.rs",
    "rexecutor-sqlx/src/sqlite/migrate.rs",
    "rexecutor-sqlx/src/sqlite/observe.rs",
    "rexecutor-sqlx/src/sqlite/room.rs",
    "rexecutor-sqlx/src/sqlite/work.rs",
    // Whether it is the right one.
    "rexecutor-sqlx/src/doctor/mod.rs",
    "rexecutor-sqlx/src/postgres/doctor/server.rs",
    // What people read.
    "rexecutor/src/context/saying.rs",
    "rexecutor/src/engine/handle.rs",
    "rexecutor/src/engine/report.rs",
    "rexecutor-sqlx/src/postgres/write.rs",
    // Until when a token holds, which another machine reads.
    "rexecutor/src/steps/token.rs",
    // A job without a backend.
    "rexecutor/src/testing/job_runner.rs",
];

#[test]
fn nothing_is_measured_by_a_clock_that_somebody_may_set() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut left: Vec<PathBuf> = ["rexecutor/src", "rexecutor-sqlx/src"].map(|folder| workspace.join(folder)).into();
    let mut found = Vec::new();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let mut lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        let asks = |line: &str| ["clock.now()", "clock().now()", "Clock.now()"].iter().any(|now| line.contains(now));
        if lines.any(asks) {
            found.push(path.strip_prefix(workspace).unwrap().to_str().unwrap().replace('\\', "/"));
        }
    }
    let mut expected = TELL_THE_TIME.to_vec();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
}
