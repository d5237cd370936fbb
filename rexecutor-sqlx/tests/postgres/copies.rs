//! Copies of a database, as of a backup that is restored beside it.

use rexecutor::{
    backend::{Claim, Enqueue, Filter, Inspect, Maintain, Node},
    job::JobStatus,
    prelude::*,
};
use rexecutor_sqlx::PgBackend;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::{
    log::Log,
    support::{claim, database_url, demands, fresh_name, jobs, join},
};

/// A database with four jobs, two of which run, and a copy of it.
struct Copied {
    url: String,
    original: String,
    copy: String,
}

impl Copied {
    async fn new() -> Self {
        let url = database_url();
        let name = fresh_name("rexecutor_copied");
        let this = Self { copy: format!("{name}_copy"), original: name, url };
        this.sql(&format!("CREATE DATABASE {}", this.original)).await;
        let backend = this.connect(&this.original).await;
        let node = join(&backend).await;
        let _ = backend.enqueue(jobs("copied_job", 4)).await.unwrap();
        assert_eq!(claim(&backend, node, "copied_job", 2).await.jobs.len(), 2);
        // A database that is copied so must not be in use.
        drop(backend);
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ";
        this.sql(&format!("{end} '{}'", this.original)).await;
        while this.try_sql(&format!("CREATE DATABASE {} TEMPLATE {}", this.copy, this.original)).await.is_err() {}
        this
    }

    fn url(&self, name: &str) -> String {
        let (before, _) = self.url.rsplit_once('/').unwrap();
        format!("{before}/{name}")
    }

    async fn connect(&self, name: &str) -> PgBackend {
        PgBackend::connect(self.url(name)).await.unwrap()
    }

    async fn try_sql(&self, sql: &str) -> sqlx::Result<()> {
        let mut admin = PgConnection::connect(&self.url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.map(drop)
    }

    async fn sql(&self, sql: &str) {
        self.try_sql(sql).await.unwrap();
    }

    async fn drop(self) {
        for name in [&self.original, &self.copy] {
            self.sql(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

fn remedy(text: &str) -> &str {
    let (_, rest) = text.split_once("somebody has run\n").unwrap();
    rest.split_inclusive(';').next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn case_39_no_node_joins_on_a_copy_before_somebody_has_said_so() {
    let copied = Copied::new().await;
    let [original, copy] = [copied.connect(&copied.original).await, copied.connect(&copied.copy).await];
    join(&original).await;
    let node = Node::new("test", std::time::Duration::from_secs(60));
    let error = copy.join(&node).await.unwrap_err();
    let text = format!("{error:?}");
    assert!(text.contains("is a copy of another one") && !error.is_transient(), "{text}");
    // Jobs are taken in, and looked at.
    let _ = copy.enqueue(jobs("copied_job", 1)).await.unwrap();
    let rows = copy.query(&Filter::All(vec![]), 9).await.unwrap();
    assert_eq!(rows.iter().filter(|row| row.status == JobStatus::Executing).count(), 2);
    let mut connection = PgConnection::connect(&copied.url(&copied.copy)).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(remedy(&text))).execute(&mut connection).await.unwrap();
    let node = join(&copy).await;
    assert_eq!(copy.claim(node, demands("copied_job", 9).into()).await.unwrap().jobs.len(), 3);
    // Once and for all; and the original was never anything else.
    join(&copied.connect(&copied.copy).await).await;
    join(&copied.connect(&copied.original).await).await;
    drop((original, copy, connection));
    copied.drop().await;
}

#[tokio::test]
async fn case_39_a_node_on_a_copy_says_so_and_goes_on_when_it_is_told_to() {
    static RUNS: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(0);

    #[job]
    async fn copied_job(_nothing: serde_json::Value) {
        RUNS.add_permits(1);
    }

    let copied = Copied::new().await;
    let (log, _guard) = Log::begin();
    let backend = copied.connect(&copied.copy).await;
    let node = Rexecutor::builder().with_backend(backend).with_executor::<CopiedJob>().start().await.unwrap();
    let line = loop {
        match log.lines("is a copy of another one").pop() {
            Some(line) => break line,
            None => tokio::task::yield_now().await,
        }
    };
    assert_eq!(RUNS.available_permits(), 0);
    let mut connection = PgConnection::connect(&copied.url(&copied.copy)).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(remedy(&line))).execute(&mut connection).await.unwrap();
    let _ = RUNS.acquire_many(2).await.unwrap();
    node.graceful_shutdown().await;
    assert_eq!(log.lines("is a copy of another one").len(), 1);
    drop(connection);
    copied.drop().await;
}
