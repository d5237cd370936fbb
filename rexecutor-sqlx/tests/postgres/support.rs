//! A schema for each test, dropped when it ends.

use std::{
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures::FutureExt;
use rexecutor::{
    backend::{Claim, Claimed, Demand, Filter, Inspect, JobRow, Maintain, NewJob, Node, Unique},
    clock::{Clock, SystemClock},
    job::{
        JobStatus, NodeId,
        uniqueness_criteria::{Statuses, UniqueKey},
    },
};
use rexecutor_sqlx::{PgBackend, PgOptions};
use rexecutor_testing::TestClock;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

pub(crate) fn database_url() -> String {
    std::env::var("DATABASE_URL").expect(
        "these tests need a PostgreSQL server: run `scripts/test`, or `scripts/postgres cargo test -p rexecutor-sqlx \
         --all-features`, or set DATABASE_URL",
    )
}

/// What a test works with.
pub(crate) struct World {
    pub(crate) url: String,
    pub(crate) schema: String,
    pub(crate) clock: TestClock,
    pub(crate) backend: PgBackend,
}

impl World {
    pub(crate) fn options(&self) -> PgOptions {
        PgOptions::new().schema(&self.schema).clock(self.clock.clone())
    }

    /// Another process's backend, as far as anybody can tell.
    pub(crate) async fn another(&self) -> PgBackend {
        self.options().connect(&self.url).await.unwrap()
    }

    pub(crate) async fn sql(&self, sql: &str) {
        let sql = sql.replace("{schema}", &format!("\"{}\"", self.schema.replace('"', "\"\"")));
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }

    pub(crate) async fn rows(&self) -> Vec<JobRow> {
        self.backend.query(&Filter::All(vec![]), usize::MAX).await.unwrap()
    }
}

pub(crate) fn fresh_name(prefix: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("{prefix}_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Longer than any test takes, so that one that waits for nothing ends.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs a test in a schema of its own.
pub(crate) async fn in_schema(test: impl AsyncFnOnce(&World)) {
    in_named_schema(fresh_name("rexecutor_test"), test).await;
}

pub(crate) async fn in_named_schema(schema: String, test: impl AsyncFnOnce(&World)) {
    let url = database_url();
    let clock = TestClock::new();
    let backend = PgOptions::new().schema(&schema).clock(clock.clone()).connect(&url).await.unwrap();
    let world = World { url, schema, clock, backend };
    let limited = async {
        tokio::select! {
            () = test(&world) => {}
            () = SystemClock.sleep(LIMIT) => panic!("the test has not ended after {LIMIT:?}"),
        }
    };
    let outcome = AssertUnwindSafe(limited).catch_unwind().await;
    world.sql("DROP SCHEMA {schema} CASCADE").await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

pub(crate) fn job(executor: &str) -> NewJob {
    NewJob::new(executor.to_owned(), "{}").with_max_attempts(5)
}

pub(crate) fn jobs(executor: &str, count: usize) -> Vec<NewJob> {
    vec![job(executor); count]
}

pub(crate) fn unique_job(executor: &str, key: u8) -> NewJob {
    let statuses =
        Statuses::of(&[JobStatus::Scheduled, JobStatus::Executing, JobStatus::Retryable, JobStatus::Complete]);
    let unique = Unique::new(UniqueKey([key; 16]), statuses);
    job(executor).with_unique(unique)
}

pub(crate) async fn join(backend: &PgBackend) -> NodeId {
    let node = Node::new("test", Duration::from_secs(60));
    backend.join(&node).await.unwrap()
}

pub(crate) fn demands(executor: &str, free: usize) -> Vec<Demand> {
    vec![Demand::new(executor.to_owned(), free)]
}

pub(crate) async fn claim(backend: &PgBackend, node: NodeId, executor: &str, free: usize) -> Claimed {
    backend.claim(node, demands(executor, free).into()).await.unwrap()
}
