//! Names that programs for 0.1.1 use. What is said better today is deprecated.

#![allow(deprecated, reason = "that they go on working is what is tested")]

use rexecutor::{RexecutorError, assert_enqueued, backend::memory::InMemoryBackend, prelude::*, schedule::TimeZone};
use rexecutor_testing::TestClock;

use crate::{executor, support::World};

executor!(Sends, "sends", {}, |_job| ExecutionResult::Done);
executor!(Prints, "prints", {}, |_job| ExecutionResult::Done);

async fn store<E: Executor<Data = u32>>(
    backend: &InMemoryBackend,
    criteria: UniquenessCriteria<'_>,
    data: u32,
) -> bool {
    let job = E::builder().with_data(data).unique(criteria);
    !job.enqueue_to_backend(backend).await.unwrap().is_duplicate()
}

#[tokio::test]
async fn case_47_jobs_are_found_by_status_equals() {
    let backend = InMemoryBackend::new().paused();
    let _ = Sends::builder().with_data(1).enqueue_to_backend(&backend).await.unwrap();
    for (status, count) in [(JobStatus::Scheduled, 1), (JobStatus::Complete, 0)] {
        let found = Sends::query_jobs_on_backend(Where::status_equals(status), &backend).await.unwrap();
        assert_eq!(found.len(), count, "{status}");
    }
}

#[tokio::test]
async fn case_47_unique_within_is_one_job_of_any_executor() {
    let clock = TestClock::new();
    let backend = InMemoryBackend::new().with_clock(clock.clone());
    let minute = || UniquenessCriteria::within(TimeDelta::minutes(1));
    assert!(store::<Sends>(&backend, minute(), 1).await);
    assert!(!store::<Prints>(&backend, minute(), 2).await);
    clock.advance(TimeDelta::minutes(2)).await;
    assert!(store::<Prints>(&backend, minute(), 2).await);
}

#[tokio::test]
async fn case_47_unique_by_statuses_and_with_and_statuses_looks_at_those() {
    let backend = InMemoryBackend::new().paused();
    assert!(store::<Sends>(&backend, UniquenessCriteria::by_statuses(&[JobStatus::Complete]), 1).await);
    assert!(
        store::<Sends>(&backend, UniquenessCriteria::by_statuses(&[JobStatus::Complete]), 1).await,
        "it is not complete"
    );
    assert!(!store::<Prints>(&backend, UniquenessCriteria::by_statuses(&[JobStatus::Scheduled]), 1).await);
    let by_executor = UniquenessCriteria::by_executor;
    assert_eq!(by_executor().and_statuses(&[JobStatus::Complete]), by_executor().for_statuses(&[JobStatus::Complete]));
}

#[tokio::test]
async fn case_47_on_conflict_do_nothing_leaves_the_stored_job() {
    let replace = || UniquenessCriteria::by_executor().on_conflict(Replace::data());
    assert_eq!(replace().on_conflict_do_nothing(), UniquenessCriteria::by_executor());
    assert_eq!(Resolution::DoNothing, Resolution::Ignore);
    let backend = InMemoryBackend::new().paused();
    for data in [1, 2] {
        store::<Sends>(&backend, replace().on_conflict_do_nothing(), data).await;
    }
    assert_enqueued!(1 job, to: backend, with_data: 1, for_executor: Sends);
}

#[tokio::test]
async fn case_47_several_pruners_are_added_at_once() {
    let world = World::new();
    let config = PrunerConfig::new("0 * * * * *".parse().unwrap()).with_pruners([
        Pruner::max_length(2, JobStatus::Complete).only::<Sends>(),
        Pruner::max_length(1, JobStatus::Complete).only::<Prints>(),
    ]);
    let node = world.node().with_job_pruner(config).with_executor::<Sends>().with_executor::<Prints>();
    let node = node.start().await.unwrap();
    world.enqueue::<Sends>(5).await;
    world.enqueue::<Prints>(5).await;
    world.seconds(120).await;
    world.clock.settle().await;
    let mut left: Vec<_> = world.rows().await.iter().map(|row| row.executor.to_string()).collect();
    left.sort();
    assert_eq!(left, ["prints", "sends", "sends"]);
    node.graceful_shutdown().await;
}

#[tokio::test]
async fn case_47_one_error_takes_all_others() {
    async fn fails(backend: &InMemoryBackend) -> Result<(), RexecutorError> {
        let _ = Sends::builder().with_data(1).enqueue_to_backend(backend).await?;
        Sends::query_jobs_on_backend(Where::any(), backend).await?;
        Sends::builder().with_data(1).with_max_attempts(0).encode()?;
        Ok(())
    }
    let error = fails(&InMemoryBackend::new().paused()).await.unwrap_err();
    assert!(matches!(&error, RexecutorError::Other(error) if error.to_string().contains("max_attempts")), "{error}");
    for error in [
        RexecutorError::from(rexecutor::NoGlobalBackend),
        RexecutorError::from(rexecutor::GlobalBackendIsSet),
        rexecutor::job::builder::EnqueueError::from(rexecutor::NoGlobalBackend).into(),
        rexecutor::executor::JobsError::from(rexecutor::NoGlobalBackend).into(),
    ] {
        assert!(matches!(error, RexecutorError::GlobalBackend), "{error}");
    }
}

#[tokio::test]
async fn case_47_a_cron_job_follows_the_machines_clock() {
    let schedule = "0 0 0 * * *".parse().unwrap();
    let node = Rexecutor::new(InMemoryBackend::new());
    let node = node.with_cron_executor_for_timezone::<Sends, _>(schedule, 1, chrono::Local);
    assert!(format!("{node:?}").contains("sends"), "{node:?}");
    node.graceful_shutdown().await;
    assert!(TimeZone::from(chrono::Local).name().parse::<TimeZone>().is_ok());
}

#[test]
fn case_47_a_jobs_number_may_have_32_bits() {
    let job: JobId = 0.into();
    assert_eq!((job, JobId::from(7_i32)), (JobId::from(0_i64), JobId::from(7_i64)));
}

#[tokio::test]
async fn case_47_an_instant_just_taken_is_the_one_that_was_stored() {
    let backend = InMemoryBackend::new().paused();
    // As a clock gives it: with nanoseconds.
    let at = TestClock::START + TimeDelta::nanoseconds(1_234_567_891);
    let _ = Sends::builder().with_data(1).schedule_at(at).enqueue_to_backend(&backend).await.unwrap();
    assert_enqueued!(to: backend, scheduled_at: at, for_executor: Sends);
    let found = Sends::query_jobs_on_backend(Where::scheduled_at_equals(at), &backend).await.unwrap();
    assert_eq!(found.len(), 1);
    let later =
        Sends::query_jobs_on_backend(Where::scheduled_at_equals(at + TimeDelta::microseconds(1)), &backend).await;
    assert_eq!(later.unwrap().len(), 0);
}
