//! The suite that every backend passes, on a file and in memory.

use futures::future::BoxFuture;
use rexecutor::job::JobId;
use rexecutor_sqlx::SqliteOptions;
use rexecutor_testing::{
    TestClock,
    conformance::{Damage, Way, With},
};
use sqlx::{AssertSqlSafe, ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};

rexecutor_testing::conformance!(in_memory, |clock: TestClock| async move {
    SqliteOptions::new().clock(clock).open_in_memory().await.unwrap()
});

rexecutor_testing::conformance!(in_a_file, |clock: TestClock| async move {
    let folder = tempfile::tempdir().unwrap();
    With(SqliteOptions::new().clock(clock).open(folder.path().join("jobs.db")).await.unwrap(), folder)
});

/// A file, over another connection.
struct File(tempfile::TempDir);

/// Not among them: the number and the executor, by which a row is found; and the lease, the node and the flow, which may be
/// any number. Recorded errors stand in a table of their own: see `damage.rs`.
const WAYS: &[(&str, &str)] = &[
    ("status", "status = 'none'"),
    ("priority", "priority = -1"),
    ("priority", "priority = 65536"),
    ("attempt", "attempt = -7"),
    ("attempt", "attempt = 9223372036854775807"),
    ("max_attempts", "max_attempts = 70000"),
    ("marks", "marks = -1"),
    ("scheduled_at", "scheduled_at = -9223372036854775808"),
    ("inserted_at", "inserted_at = 9223372036854775807"),
    ("attempted_at", "attempted_at = 9223372036854775807"),
    ("completed_at", "completed_at = 9223372036854775807"),
    ("cancelled_at", "cancelled_at = 9223372036854775807"),
    ("discarded_at", "discarded_at = 9223372036854775807"),
    ("deadline_at", "deadline_at = 9223372036854775807"),
    ("group_key", "group_key = CAST(x'ff' AS TEXT)"),
    ("cancel_reason", "cancel_reason = CAST(x'ff' AS TEXT)"),
    ("unique_key", "unique_key = x'01'"),
    ("tags", "tags = 'no json'"),
    ("tags", "tags = '[1]'"),
    ("headers", "headers = '[]'"),
    ("metadata", "metadata = CAST(x'ff' AS TEXT)"),
    ("data", "data = CAST(x'ff' AS TEXT)"),
    ("output", "output = CAST(x'ff' AS TEXT)"),
];

impl File {
    async fn connect(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(self.0.path().join("jobs.db")).connect().await.unwrap()
    }
}

impl Damage for File {
    fn ways(&self) -> Vec<Way> {
        WAYS.iter().map(|(column, how)| Way { column, how }).collect()
    }

    fn damage<'a>(&'a self, job: JobId, way: Way) -> BoxFuture<'a, ()> {
        let sql = format!("UPDATE rexecutor_jobs SET {} WHERE id = {job}", way.how);
        Box::pin(async move {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.connect().await).await.unwrap();
        })
    }

    fn look<'a>(&'a self, job: JobId) -> BoxFuture<'a, (String, String)> {
        let sql = format!(
            "SELECT status, coalesce((SELECT group_concat(details) FROM rexecutor_job_errors WHERE job = {job}), '')
            FROM rexecutor_jobs WHERE id = {job}"
        );
        Box::pin(async move { sqlx::query_as(AssertSqlSafe(sql)).fetch_one(&mut self.connect().await).await.unwrap() })
    }
}

rexecutor_testing::conformance_damage!(damaged, |clock: TestClock| async move {
    let folder = tempfile::tempdir().unwrap();
    With(SqliteOptions::new().clock(clock).open(folder.path().join("jobs.db")).await.unwrap(), File(folder))
});
