//! What a run costs the PostgreSQL server.
//!
//! Positions in the log and numbers of transactions are exact at once. The statistics views are not: a session reports
//! its share when it ends, or up to ten seconds later. So commits are counted by those numbers, and dead rows are read
//! when all sessions of the run have ended.

use rexecutor::clock::{Clock, SystemClock};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use tokio::sync::Mutex;

use crate::{error::Result, sample::Sample, stopwatch::Stopwatch};

/// Watches the server, over a connection of its own.
#[derive(Debug)]
pub(crate) struct Probe {
    connection: Mutex<PgConnection>,
    schema: String,
    /// What the other sessions of the run call themselves.
    application: String,
}

/// How far the server had come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    wal_bytes: i64,
    /// Only transactions that write have a number, and each has one.
    transactions: i64,
}

impl Probe {
    pub(crate) async fn connect(url: &str, schema: &str, application: &str) -> Result<Self> {
        let connection = Mutex::new(PgConnection::connect(url).await?);
        Ok(Self { connection, schema: schema.to_owned(), application: application.to_owned() })
    }

    pub(crate) async fn mark(&self) -> Result<Mark> {
        let sql = "SELECT (pg_current_wal_insert_lsn() - '0/0')::BIGINT, \
                   pg_snapshot_xmax(pg_current_snapshot())::TEXT::BIGINT";
        let row = sqlx::query(sql).fetch_one(&mut *self.connection.lock().await).await?;
        Ok(Mark { wal_bytes: row.try_get(0)?, transactions: row.try_get(1)? })
    }

    /// What each job has cost since `mark`.
    pub(crate) async fn since(&self, mark: Mark, case: &str, jobs: usize) -> Result<Vec<Sample>> {
        let now = self.mark().await?;
        let per_job = |value: i64| value as f64 / jobs.max(1) as f64;
        Ok(vec![
            Sample::new(case, "WAL bytes/job", per_job(now.wal_bytes - mark.wal_bytes)),
            Sample::new(case, "commits/job", per_job(now.transactions - mark.transactions)),
        ])
    }

    /// How many rows wait to be vacuumed, by what sessions have reported.
    pub(crate) async fn dead_rows(&self) -> Result<i64> {
        let sql = "SELECT coalesce(sum(n_dead_tup), 0)::BIGINT FROM pg_stat_user_tables WHERE schemaname = $1";
        let query = sqlx::query_scalar(sql).bind(&self.schema);
        Ok(query.fetch_one(&mut *self.connection.lock().await).await?)
    }

    /// Does what autovacuum would come to do: runs are alike only if none of them is disturbed by it.
    pub(crate) async fn vacuum(&self) -> Result<()> {
        self.execute("VACUUM ANALYZE {schema}.jobs").await
    }

    /// Carries out a statement in which `{schema}` stands for the schema.
    pub(crate) async fn execute(&self, sql: &str) -> Result<()> {
        let sql = sql.replace("{schema}", &self.schema);
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *self.connection.lock().await).await?;
        Ok(())
    }

    /// Waits until the other sessions of the run have ended, and ends those that do not.
    pub(crate) async fn settle(&self, waits: bool) -> Result<()> {
        const TIMEOUT_SECONDS: u64 = 10;
        let watch = Stopwatch::start();
        while waits && watch.elapsed().as_secs() < TIMEOUT_SECONDS && self.sessions("count(*)").await? > 0 {
            SystemClock.sleep(std::time::Duration::from_millis(10)).await;
        }
        self.sessions("count(pg_terminate_backend(pid))").await?;
        Ok(())
    }

    async fn sessions(&self, what: &str) -> Result<i64> {
        let sql = format!("SELECT {what} FROM pg_stat_activity WHERE application_name = $1");
        let query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(&self.application);
        Ok(query.fetch_one(&mut *self.connection.lock().await).await?)
    }
}
