//! A job that is told to stop, and what becomes of it.

use rexecutor::{backend::Maintain, prelude::*};

use crate::{
    executor,
    runs::Final,
    support::{Tell, World, tell},
};

#[job(timeout = "1h", max_attempts = 2)]
async fn tidies(context: JobContext, State(tell): State<Tell>) {
    tell.say("began");
    tell.say(format!("{:?}", context.stopped().await));
    context.clock().sleep(std::time::Duration::from_secs(3)).await;
    assert!(context.cancellation().is_cancelled());
    tell.say("tidied");
}

/// Says so when it is dropped.
struct Dropped(Tell);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.say("dropped");
    }
}

#[job(timeout = "1h", max_attempts = 2)]
async fn ignores(State(tell): State<Tell>) {
    let _dropped = Dropped(tell.clone());
    tell.say("began");
    std::future::pending().await
}

const REASONS: [StopReason; 5] = [
    StopReason::Cancelled,
    StopReason::TimedOut,
    StopReason::DeadlinePassed,
    StopReason::ShuttingDown,
    StopReason::NodeLost,
];

/// Starts a job of `E`, and makes that happen because of which it is told to stop.
async fn stop<E: Executor<Data = ()>>(world: &World, tell: Tell, reason: StopReason) -> JobId {
    let node = world.node().with_state(tell).with_executor::<E>().start().await.unwrap();
    let job = E::builder().with_data(());
    let job = if reason == StopReason::DeadlinePassed { job.deadline_in(TimeDelta::minutes(1)) } else { job };
    let id = job.enqueue_to_backend(&world.backend).await.unwrap().id();
    world.clock.settle().await;
    match reason {
        StopReason::Cancelled => E::cancel_job_on_backend(id, Box::new("enough"), &world.backend).await.unwrap(),
        StopReason::TimedOut => world.seconds(3_600).await,
        StopReason::DeadlinePassed => world.seconds(60).await,
        StopReason::ShuttingDown => {
            drop(node.graceful_shutdown());
            world.seconds(20).await;
        }
        StopReason::NodeLost => {
            world.backend.leave(world.row(id).await.node.unwrap()).await.unwrap();
            // Its next heartbeat finds out.
            world.seconds(3).await;
        }
        reason => panic!("{reason:?}"),
    }
    world.clock.settle().await;
    id
}

/// What became of the first run.
async fn check(world: &World, id: JobId, reason: StopReason) {
    let row = world.row(id).await;
    let errors: Vec<_> = row.errors.iter().map(|error| error.error_type.clone()).collect();
    let expected = match reason {
        StopReason::Cancelled => (JobStatus::Cancelled, 1, vec![]),
        StopReason::TimedOut => (JobStatus::Retryable, 1, vec![ErrorType::Timeout]),
        StopReason::DeadlinePassed => (JobStatus::Discarded, 1, vec![ErrorType::DeadlinePassed]),
        StopReason::ShuttingDown => (JobStatus::Scheduled, 0, vec![]),
        // It was rescued, and runs again.
        _ => (JobStatus::Executing, 2, vec![ErrorType::NodeLost]),
    };
    assert_eq!((row.status, row.attempt, errors), expected, "{reason:?}");
}

/// Case 15: an asynchronous job was told of a manual cancel only, and dropped at once whenever else it had to stop.
#[tokio::test]
async fn case_15_a_job_is_told_why_it_is_to_stop_and_has_time_to_tidy_up() {
    for reason in REASONS {
        let world = World::new();
        let (tell, mut told) = tell();
        let id = stop::<Tidies>(&world, tell, reason).await;
        let mut said = told.all();
        assert_eq!((said.remove(0), said.remove(0)), ("began".to_owned(), format!("{reason:?}")));
        world.seconds(2).await;
        said.extend(told.all());
        assert!(!said.contains(&"tidied".to_owned()), "{reason:?}");
        world.seconds(1).await;
        world.clock.settle().await;
        assert!(told.all().contains(&"tidied".to_owned()), "{reason:?}");
        check(&world, id, reason).await;
    }
}

#[tokio::test]
async fn case_15_a_job_that_does_not_stop_is_dropped_after_the_cancel_grace() {
    for reason in REASONS {
        let world = World::new();
        let (tell, mut told) = tell();
        let id = stop::<Ignores>(&world, tell, reason).await;
        world.clock.advance(TimeDelta::milliseconds(4_900)).await;
        assert!(!told.all().contains(&"dropped".to_owned()), "{reason:?}");
        world.clock.advance(TimeDelta::milliseconds(100)).await;
        world.clock.settle().await;
        assert!(told.all().contains(&"dropped".to_owned()), "{reason:?}");
        check(&world, id, reason).await;
    }
}

#[job]
async fn tells_at_once(context: JobContext, State(tell): State<Tell>) {
    tell.say(context.stopped().await == StopReason::ShuttingDown);
}

#[tokio::test]
async fn case_15_graces_of_zero_tell_the_job_all_the_same() {
    let world = World::new();
    let (tell, mut told) = tell();
    let node = world.node().with_shutdown_grace(std::time::Duration::ZERO).with_cancel_grace(std::time::Duration::ZERO);
    let node = node.with_state(tell).with_executor::<TellsAtOnce>().start().await.unwrap();
    let id = TellsAtOnce::builder().enqueue_to_backend(&world.backend).await.unwrap();
    world.clock.settle().await;
    node.graceful_shutdown().await;
    assert_eq!(told.all(), ["true"]);
    assert_eq!(world.row(id).await.status, JobStatus::Scheduled);
}

executor!(Answers, "answers", {}, |job| {
    let context = job.context();
    // Half of them look at their token, the others are ended by the test's clock.
    if job.data < 10 {
        assert_eq!(context.stop_reason(), None);
        context.cancellation().cancelled().await;
        assert_eq!(context.stop_reason(), Some(StopReason::ShuttingDown));
    } else {
        context.clock().sleep(std::time::Duration::from_secs(21)).await;
    }
    match job.data % 10 {
        0 => ExecutionResult::Done,
        1 => Final(Disposition::Retry).into(),
        2 => panic!("interrupted"),
        3 => Final(Disposition::Discard).into(),
        4 => ExecutionResult::Cancel { reason: Box::new("not needed") },
        _ => ExecutionResult::Snooze { delay: TimeDelta::hours(1) },
    }
});

#[tokio::test]
async fn case_15_what_was_interrupted_is_given_back_and_what_decides_or_never_looked_counts() {
    use JobStatus::{Cancelled, Complete, Discarded, Retryable, Scheduled};
    let world = World::new();
    let node = world.node().with_executor::<Answers>().start().await.unwrap();
    world.enqueue::<Answers>(16).await;
    world.clock.settle().await;
    let shutdown = tokio::spawn(node.graceful_shutdown());
    world.seconds(21).await;
    shutdown.await.unwrap();
    let rows = world.rows().await;
    let ends = |from: usize| rows[from..from + 6].iter().map(|row| (row.status, row.attempt, row.errors.len()));
    let decided = [(Discarded, 1, 1), (Cancelled, 1, 0), (Scheduled, 0, 0)];
    let looked: Vec<_> = [(Scheduled, 0, 0); 3].into_iter().chain(decided).collect();
    assert_eq!(ends(0).collect::<Vec<_>>(), looked);
    let did_not_look: Vec<_> =
        [(Complete, 1, 0), (Retryable, 1, 1), (Retryable, 1, 1)].into_iter().chain(decided).collect();
    assert_eq!(ends(10).collect::<Vec<_>>(), did_not_look);
    let due = |row: usize| rows[row].scheduled_at - rexecutor_testing::TestClock::START;
    assert_eq!((due(0), due(5)), (TimeDelta::zero(), TimeDelta::seconds(20) + TimeDelta::hours(1)));
}
