//! A job that would spin, or that cannot say when it is to run again.

use rexecutor::{clock::Clock, limits::MIN_SNOOZE, prelude::*};

use crate::{
    executor,
    runs::Final,
    support::{Tell, World, tell},
};

executor!(Spins, "spins", {}, |job| {
    Tell::of(&job).say(job.attempt);
    ExecutionResult::Snooze { delay: TimeDelta::seconds(i64::from(job.data) - 1) }
});

/// Case 21: a snooze by zero, or by less, ran 20,000 times a second.
#[tokio::test]
async fn case_21_a_snooze_by_zero_waits_for_a_moment() {
    for delay in [0, 1] {
        let world = World::new();
        let (tell, mut told) = tell();
        let node = world.node().with_state(tell).with_executor::<Spins>().start().await.unwrap();
        let id = Spins::builder().with_data(delay).enqueue_to_backend(&world.backend).await.unwrap().id();
        world.clock.settle().await;
        let row = world.row(id).await;
        assert_eq!(
            (row.status, row.attempt, row.scheduled_at),
            (JobStatus::Scheduled, 0, world.clock.now() + MIN_SNOOZE)
        );
        assert_eq!(told.all(), ["1"]);
        world.clock.advance(MIN_SNOOZE).await;
        world.clock.settle().await;
        assert_eq!(told.all(), ["1"], "and then it runs again");
        node.graceful_shutdown().await;
    }
}

executor!(
    BadBackoff,
    "bad_backoff",
    {
        fn backoff(_: &Job<u32, ()>) -> TimeDelta {
            panic!("no backoff")
        }
    },
    |job| {
        Tell::of(&job).say(job.data);
        if job.data == 0 { ExecutionResult::Done } else { Final(Disposition::Retry).into() }
    }
);

/// Case 21: a backoff that panics kept its job from running.
#[tokio::test]
async fn case_21_a_job_whose_backoff_panics_runs() {
    let world = World::new();
    let (tell, mut told) = tell();
    let node = world.node().with_state(tell).with_executor::<BadBackoff>().start().await.unwrap();
    world.enqueue::<BadBackoff>(2).await;
    world.clock.settle().await;
    assert_eq!(told.all(), ["0", "1"]);
    let rows = world.rows().await;
    assert_eq!((rows[0].status, rows[1].status), (JobStatus::Complete, JobStatus::Retryable));
    assert_eq!(rows[1].errors[0].error_type.as_str(), "final", "the error is the job's own");
    let delay = (rows[1].scheduled_at - world.clock.now()).num_milliseconds();
    assert!((3_600..=4_400).contains(&delay), "the default backoff: {delay} ms");
    node.graceful_shutdown().await;
}
