//! The programs by which rexecutor is introduced, with `PgBackend` in place of the in-memory one: nothing else in them
//! changes.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::sync::Arc;

use chrono::TimeDelta;
use rexecutor::{
    assert_enqueued,
    backend::Inspect,
    clock::{Clock, SystemClock},
    prelude::*,
};
use rexecutor_sqlx::{PgBackend, PgOptions};

macro_rules! worker {
    ($name:ident, $title:literal) => {
        struct $name;

        #[async_trait::async_trait]
        impl Executor for $name {
            type Data = String;
            type Metadata = String;
            const NAME: &'static str = $title;
            const MAX_ATTEMPTS: u16 = 2;
            async fn execute(_job: Job<Self::Data, Self::Metadata>) -> ExecutionResult {
                ExecutionResult::Done
            }
        }
    };
}

worker!(EmailJob, "email_job");
worker!(RefreshWorker, "refresh_worker");
worker!(EmailScheduler, "email_scheduler");
worker!(RegistrationWorker, "registration_worker");
worker!(CronJob, "cron_job");

struct UniqueJob;

#[async_trait::async_trait]
impl Executor for UniqueJob {
    type Data = ();
    type Metadata = ();
    const NAME: &'static str = "unique_job";
    const MAX_ATTEMPTS: u16 = 1;
    const UNIQUENESS_CRITERIA: Option<UniquenessCriteria<'static>> = Some(
        UniquenessCriteria::by_executor()
            .and_within(TimeDelta::seconds(300))
            .on_conflict(Replace::priority().for_statuses(JobStatus::ALL)),
    );
    async fn execute(_job: Job<Self::Data, Self::Metadata>) -> ExecutionResult {
        ExecutionResult::Done
    }
}

/// In a schema of its own, which is dropped when the test ends.
async fn with_backend(name: &str, program: impl AsyncFnOnce(PgBackend)) {
    let url =
        std::env::var("DATABASE_URL").expect("run `scripts/postgres cargo test -p rexecutor-sqlx --all-features`");
    let schema = format!("rexecutor_{name}_{}", std::process::id());
    let backend = PgOptions::new().schema(&schema).connect(&url).await.unwrap();
    let pool = sqlx::PgPool::connect(&url).await.unwrap();
    let program = std::panic::AssertUnwindSafe(program(backend));
    let outcome = futures::FutureExt::catch_unwind(program).await;
    let drop = sqlx::AssertSqlSafe(format!("DROP SCHEMA {schema} CASCADE"));
    sqlx::raw_sql(drop).execute(&pool).await.unwrap();
    outcome.unwrap();
}

/// One after the other: the global backend is set once in a process.
#[tokio::test]
async fn jobs_are_enqueued_by_the_global_backend_and_asserted() {
    with_backend("global", async |backend| {
        let backend = Arc::new(backend);
        Rexecutor::new(backend.clone()).set_global_backend().unwrap();
        let refused = Rexecutor::new(backend.clone()).set_global_backend();
        assert!(refused.is_err(), "it can be set once");

        let _ = EmailJob::builder()
            .with_data("bob.shuruncle@example.com".to_owned())
            .schedule_in(TimeDelta::hours(3))
            .enqueue()
            .await;
        assert_enqueued!(
            with_data: "bob.shuruncle@example.com".to_owned(),
            scheduled_after: SystemClock.now() + TimeDelta::minutes(170),
            scheduled_before: SystemClock.now() + TimeDelta::minutes(190),
            for_executor: EmailJob
        );

        let _ = UniqueJob::builder().enqueue().await;
        let _ = UniqueJob::builder().enqueue().await;
        assert_enqueued!(
            1 job,
            scheduled_before: SystemClock.now() + TimeDelta::seconds(1),
            for_executor: UniqueJob
        );

        let _ = RefreshWorker::builder()
            .with_max_attempts(2)
            .with_tags(vec!["initial_job", "delayed"])
            .with_data("First job".into())
            .schedule_in(TimeDelta::hours(2))
            .enqueue_to_backend(&backend)
            .await
            .unwrap();
        assert_enqueued!(
            to: backend,
            with_data: "First job".to_owned(),
            tagged_with: ["initial_job", "delayed"],
            scheduled_after: SystemClock.now() + TimeDelta::minutes(110),
            scheduled_before: SystemClock.now() + TimeDelta::minutes(130),
            for_executor: RefreshWorker
        );
    })
    .await;
}

#[tokio::test]
async fn a_node_with_schedules_and_a_pruner_works_and_is_shut_down() {
    with_backend("node", async |backend| {
        let config = PrunerConfig::new(cron::Schedule::try_from("0 0 * * * *").unwrap())
            .with_max_concurrency(Some(2))
            .with_pruner(Pruner::max_age(TimeDelta::days(31), JobStatus::Complete).only::<RegistrationWorker>())
            .with_pruner(
                Pruner::max_length(200, JobStatus::Discarded).except::<RefreshWorker>().and::<EmailScheduler>(),
            );
        let node = Rexecutor::new(backend.clone())
            .with_executor::<RefreshWorker>()
            .with_executor::<EmailScheduler>()
            .with_executor::<RegistrationWorker>()
            .with_cron_executor::<CronJob>(
                cron::Schedule::try_from("* * * * * *").unwrap(),
                "important data".to_owned(),
            )
            .with_job_pruner(config);
        for address in ["a", "b"] {
            let _ = EmailScheduler::builder().with_data(address.to_owned()).enqueue_to_backend(&backend).await.unwrap();
        }
        let all = rexecutor::backend::Filter::All(vec![]);
        let mut done = Vec::new();
        // Both jobs and a tick. The test runner limits how long this may take.
        while done.len() < 3 {
            done = backend.query(&all, 100).await.unwrap();
            done.retain(|row| row.status == JobStatus::Complete);
        }
        node.graceful_shutdown().await;
        let rows = backend.query(&all, 100).await.unwrap();
        assert!(rows.iter().all(|row| row.status != JobStatus::Executing));
        assert!(done.iter().any(|row| row.executor.as_str() == "cron_job" && row.data == r#""important data""#));

        let guard = Rexecutor::new(backend).with_executor::<RefreshWorker>().drop_guard();
        drop(guard);
    })
    .await;
}
