//! Case 40: an outcome that cannot be stored keeps no other one from being stored.

use rexecutor::{clock::Clock, prelude::*};
use rexecutor_testing::{Faulty, TestClock};
use sqlx::Executor as _;

use super::{File, all};

struct Fails;

#[async_trait::async_trait]
impl Executor for Fails {
    type Data = u32;
    type Metadata = ();
    const NAME: &'static str = "fails";

    async fn execute(job: Job<u32, ()>) -> ExecutionResult {
        let failed = || JobFailure::retry_after(TimeDelta::hours(1), "sent ✓, and then not");
        match job.data {
            7 => rexecutor::executor::IntoExecutionResult::into_execution_result(Err::<(), _>(failed())),
            _ => ExecutionResult::Done,
        }
    }
}

/// Runs fifty jobs, where the file refuses what `trigger` says.
async fn with_trigger(trigger: &str, test: impl AsyncFnOnce(&rexecutor_sqlx::SqliteBackend, &TestClock, &File)) {
    let (file, clock) = (File::new(), TestClock::new());
    let backend = rexecutor_sqlx::SqliteOptions::new().clock(clock.clone()).open(file.path()).await.unwrap();
    file.connect().await.execute(sqlx::AssertSqlSafe(trigger.to_owned())).await.unwrap();
    let jobs = (0..50).map(|data| Fails::builder().with_data(data).encode().unwrap());
    let _ = rexecutor::enqueue_all_to_backend(jobs, &backend).await.unwrap();
    let faulty = Faulty::new(backend.clone()).with_clock(clock.clone());
    let node = Rexecutor::builder().with_backend(faulty).with_clock(clock.clone());
    let node = node.with_executor::<Fails>().start().await.unwrap();
    while all(&backend).await.iter().filter(|row| row.status == JobStatus::Complete).count() < 49 {
        clock.advance(TimeDelta::milliseconds(10)).await;
    }
    test(&backend, &clock, &file).await;
    node.graceful_shutdown().await;
}

#[tokio::test]
async fn case_40_text_that_cannot_be_stored_is_stored_in_ascii() {
    let trigger = "CREATE TRIGGER refuse BEFORE INSERT ON rexecutor_job_errors WHEN NEW.details LIKE '%✓%'
        BEGIN SELECT RAISE(ABORT, 'no such character'); END";
    with_trigger(trigger, async |backend, clock, _| {
        let find = async || all(backend).await.into_iter().find(|row| row.data == "7").unwrap();
        while find().await.status == JobStatus::Executing {
            clock.advance(TimeDelta::milliseconds(10)).await;
        }
        let row = find().await;
        assert_eq!((row.status, row.attempt), (JobStatus::Retryable, 1));
        assert_eq!(row.errors[0].details, "sent \\u{2713}, and then not");
        assert!(row.scheduled_at > clock.now() + TimeDelta::minutes(50), "the delay is kept");
    })
    .await;
}

#[tokio::test]
async fn case_40_an_outcome_that_cannot_be_stored_at_all_is_kept_and_tried_again_by_itself() {
    let trigger = "CREATE TRIGGER refuse BEFORE UPDATE ON rexecutor_jobs
        WHEN OLD.status = 'executing' AND NEW.data = '7' BEGIN SELECT RAISE(ABORT, 'not this one'); END";
    with_trigger(trigger, async |backend, clock, file| {
        // Later ones are not kept waiting either, and the job is neither given back nor run again.
        let later = (50..80).map(|data| Fails::builder().with_data(data).encode().unwrap());
        let _ = rexecutor::enqueue_all_to_backend(later, backend).await.unwrap();
        let complete = async || all(backend).await.iter().filter(|row| row.status == JobStatus::Complete).count();
        while complete().await < 79 {
            clock.advance(TimeDelta::milliseconds(10)).await;
        }
        clock.advance(TimeDelta::minutes(5)).await;
        let find = async || all(backend).await.into_iter().find(|row| row.data == "7").unwrap();
        let row = find().await;
        assert_eq!((row.status, row.attempt, row.lease.0), (JobStatus::Executing, 1, 1));
        file.connect().await.execute("DROP TRIGGER refuse").await.unwrap();
        while find().await.status == JobStatus::Executing {
            clock.advance(TimeDelta::milliseconds(100)).await;
        }
        let row = find().await;
        assert_eq!((row.status, row.attempt, row.lease.0), (JobStatus::Retryable, 1, 1));
    })
    .await;
}
