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

/// Not here: `id` and `executor`, by which a row is found; `lease` and `node`, in which every number is valid. A
/// STRICT table accepts no BLOB in a text column and no text in a number's, but it accepts text that is not UTF-8.
const JOBS: &[(&str, &str)] = &[
    ("status", "status = 'none'"),
    ("status", "status = CAST(x'ff' AS TEXT)"),
    ("priority", "priority = -1"),
    ("priority", "priority = 65536"),
    ("attempt", "attempt = -7"),
    ("attempt", "attempt = 9223372036854775807"),
    ("max_attempts", "max_attempts = 70000"),
    ("marks", "marks = -1"),
    ("marks", "marks = 4294967296"),
    ("scheduled_at", "scheduled_at = -9223372036854775808"),
    ("scheduled_at", "scheduled_at = 9223372036854775807"),
    ("inserted_at", "inserted_at = -9223372036854775808"),
    ("inserted_at", "inserted_at = 9223372036854775807"),
    ("attempted_at", "attempted_at = 9223372036854775807"),
    ("finished_at", "finished_at = 9223372036854775807"),
    ("finished_at", "finished_at = -9223372036854775808"),
    ("deadline_at", "deadline_at = 9223372036854775807"),
    ("extras", "extras = 'no json'"),
    ("extras", "extras = '[]'"),
    ("extras", "extras = CAST(x'ff' AS TEXT)"),
    ("extras", "extras = '{\"tick_at\": 9223372036854775807}'"),
    ("extras", "extras = '{\"headers\": []}'"),
    ("group_key", "group_key = CAST(x'ff' AS TEXT)"),
    ("extras", "extras = '{\"heavy\": -1}'"),
    ("unique_key", "unique_key = x'01'"),
    ("tags", "tags = 'no json'"),
    ("tags", "tags = '[1]'"),
    ("tags", "tags = CAST(x'ff' AS TEXT)"),
    ("metadata", "metadata = CAST(x'ff' AS TEXT)"),
    ("data", "data = CAST(x'ff' AS TEXT)"),
    ("output", "output = CAST(x'ff' AS TEXT)"),
];

/// Values of a recorded error: the attempt, the type, the details and the time.
const ERRORS: &[(&str, &str)] = &[
    ("errors", "-1, 'x', 'y', 0"),
    ("errors", "1, CAST(x'ff' AS TEXT), 'y', 0"),
    ("errors", "1, 'x', CAST(x'ff' AS TEXT), 0"),
    ("errors", "1, 'x', 'y', 9223372036854775807"),
];

impl File {
    async fn connect(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(self.0.path().join("jobs.db")).connect().await.unwrap()
    }
}

impl Damage for File {
    fn ways(&self) -> Vec<Way> {
        JOBS.iter().chain(ERRORS).map(|(column, how)| Way { column, how }).collect()
    }

    fn damage<'a>(&'a self, job: JobId, way: Way) -> BoxFuture<'a, ()> {
        let Way { column, how } = way;
        let sql = match column {
            "errors" => format!(
                "INSERT INTO rexecutor_job_errors (job, attempt, error_type, details, recorded_at) VALUES ({job}, {how})"
            ),
            _ => format!("UPDATE rexecutor_jobs SET {how} WHERE id = {job}"),
        };
        Box::pin(async move {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.connect().await).await.unwrap();
        })
    }

    fn look<'a>(&'a self, job: JobId) -> BoxFuture<'a, (String, String)> {
        let sql = format!(
            "SELECT
                CAST(status AS BLOB),
                coalesce((SELECT CAST(group_concat(details) AS BLOB) FROM rexecutor_job_errors WHERE job = {job}), x'')
            FROM rexecutor_jobs WHERE id = {job}"
        );
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Box::pin(async move {
            let (status, errors) =
                sqlx::query_as(AssertSqlSafe(sql)).fetch_one(&mut self.connect().await).await.unwrap();
            (text(status), text(errors))
        })
    }
}

rexecutor_testing::conformance_damage!(damaged, |clock: TestClock| async move {
    let folder = tempfile::tempdir().unwrap();
    With(SqliteOptions::new().clock(clock).open(folder.path().join("jobs.db")).await.unwrap(), File(folder))
});
