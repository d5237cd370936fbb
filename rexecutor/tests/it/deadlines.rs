//! Jobs that there is no use in after some time.

use std::{sync::Arc, time::Duration};

use rexecutor::{backend::Enqueue, clock::Clock, executor::IntoExecutionResult, prelude::*};
use tokio::sync::Semaphore;

use crate::{
    executor,
    support::{Tell, World, tell},
};

executor!(
    Hasty,
    "hasty",
    {
        const DEADLINE: Option<TimeDelta> = Some(TimeDelta::seconds(60));

        fn backoff(_: &Job<u32, ()>) -> TimeDelta {
            TimeDelta::seconds(40)
        }

        fn timeout(job: &Job<u32, ()>) -> Option<Duration> {
            (job.data == 2).then_some(Duration::from_secs(60))
        }
    },
    |job| {
        Tell::of(&job).say(format!("{} begins", job.data));
        match job.data {
            0 => job.context().clock().sleep(Duration::from_secs(59)).await,
            1 | 2 => job.context().clock().sleep(Duration::from_secs(600)).await,
            _ => return Err::<(), _>("it is away").into_execution_result(),
        }
        Tell::of(&job).say(format!("{} ends", job.data));
        ExecutionResult::Done
    }
);

async fn status(world: &World, job: i64) -> (JobStatus, Vec<ErrorType>) {
    let row = world.row(job).await;
    (row.status, row.errors.into_iter().map(|error| error.error_type).collect())
}

/// One that is done before goes on to its end; one that is not is stopped then, whatever attempts are left and also where a timeout
/// comes at the same moment; one that is to be tried again only after that is not.
#[tokio::test]
async fn a_job_ends_at_its_deadline() {
    let (world, (tell, mut told)) = (World::new(), tell());
    let node = world.node().with_state(tell).with_executor::<Hasty>().start().await.unwrap();
    world.enqueue::<Hasty>(4).await;
    world.seconds(59).await;
    assert_eq!(status(&world, 1).await, (JobStatus::Complete, vec![]));
    assert_eq!(status(&world, 2).await.0, JobStatus::Executing);
    world.seconds(1).await;
    assert_eq!(status(&world, 2).await.0, JobStatus::Executing, "it was told to stop, and has its grace");
    world.seconds(5).await;
    world.clock.settle().await;
    for job in [2, 3] {
        assert_eq!(status(&world, job).await, (JobStatus::Discarded, vec![ErrorType::DeadlinePassed]));
    }
    // The next look at what is left behind comes within some seconds.
    world.seconds(10).await;
    let (of_last, errors) = status(&world, 4).await;
    assert_eq!((of_last, errors.len(), errors.last()), (JobStatus::Discarded, 3, Some(&ErrorType::DeadlinePassed)));
    let mut said = told.all();
    said.sort();
    assert_eq!(said, ["0 begins", "0 ends", "1 begins", "2 begins", "3 begins", "3 begins"]);
    node.graceful_shutdown().await;
}

/// What waits past its deadline is discarded while its executor is paused, and what is claimed after it does not start.
#[tokio::test]
async fn a_job_never_starts_after_its_deadline() {
    let (world, (tell, mut told)) = (World::new(), tell());
    Hasty::pause_on_backend("why not", &world.backend).await.unwrap();
    let node = world.node().with_state(tell.clone()).with_executor::<Hasty>().start().await.unwrap();
    world.enqueue::<Hasty>(1).await;
    world.seconds(70).await;
    assert_eq!(status(&world, 1).await, (JobStatus::Discarded, vec![ErrorType::DeadlinePassed]));
    Hasty::resume_on_backend(&world.backend).await.unwrap();
    // Nobody has looked between its deadline and its claim.
    let late = Hasty::builder().with_data(0).deadline_at(world.clock.now() - TimeDelta::seconds(1));
    let _ = world.backend.enqueue(vec![late.encode().unwrap()]).await.unwrap();
    world.clock.settle().await;
    assert_eq!(status(&world, 2).await, (JobStatus::Discarded, vec![ErrorType::DeadlinePassed]));
    assert_eq!(told.all(), [""; 0]);
    node.graceful_shutdown().await;
}

executor!(
    Blocked,
    "blocked",
    {
        const BLOCKING: bool = true;
        const DEADLINE: Option<TimeDelta> = Some(TimeDelta::seconds(5));
    },
    |job| {
        Tell::of(&job).say("begins");
        let gate = job.context().state::<Arc<Semaphore>>().unwrap().clone();
        gate.acquire().await.unwrap().forget();
        ExecutionResult::Done
    }
);

/// A thread cannot be stopped: it keeps its slot until it has ended, and is discarded then.
#[tokio::test]
async fn a_blocking_job_is_discarded_once_its_thread_has_ended() {
    let (world, (tell, mut told), gate) = (World::new(), tell(), Arc::new(Semaphore::new(0)));
    let node = world.node().with_state(tell).with_state(gate.clone()).with_executor::<Blocked>().start().await.unwrap();
    world.enqueue::<Blocked>(1).await;
    assert_eq!(told.next().await, "begins");
    world.seconds(6).await;
    assert_eq!(status(&world, 1).await.0, JobStatus::Executing);
    gate.add_permits(1);
    node.graceful_shutdown().await;
    assert_eq!(status(&world, 1).await, (JobStatus::Discarded, vec![ErrorType::DeadlinePassed]));
}

/// A deadline that leaves no time is a mistake, where that can be told.
#[test]
fn a_deadline_before_the_job_is_due_is_refused() {
    let build = || Hasty::builder().with_data(0);
    let minute = TimeDelta::minutes(1);
    let at = chrono::DateTime::UNIX_EPOCH;
    let mistakes = [
        build().schedule_in(minute),
        build().schedule_in(minute).deadline_in(minute),
        build().schedule_at(at).deadline_at(at),
        build().deadline_in(TimeDelta::zero()),
        build().deadline_in(-minute),
    ];
    for job in mistakes {
        let error = job.encode().unwrap_err().to_string();
        assert!(error.contains("deadline"), "{error}");
    }
    assert!(build().schedule_in(minute).deadline_in(minute * 2).encode().is_ok());
    assert!(build().schedule_at(at).deadline_at(at + minute).encode().is_ok());
}
