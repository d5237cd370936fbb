//! The suite that every backend passes, each case in a schema of its own.

use futures::future::BoxFuture;
use rexecutor::job::JobId;
use rexecutor_sqlx::PgOptions;
use rexecutor_testing::{
    TestClock,
    conformance::{Damage, Way, With},
};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::{database_url, fresh_name};

/// Drops the schema when the case has ended, well or not.
struct Schema(String);

impl Drop for Schema {
    fn drop(&mut self) {
        let sql = format!("DROP SCHEMA IF EXISTS \"{}\" CASCADE", self.0);
        let dropping = std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut connection = PgConnection::connect(&database_url()).await?;
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await
            })
        });
        let _ = dropping.join();
    }
}

rexecutor_testing::conformance!(suite, |clock: TestClock| async move {
    let schema = fresh_name("conformance");
    let options = PgOptions::new().schema(&schema).clock(clock);
    With(options.connect(&database_url()).await.unwrap(), Schema(schema))
});

/// Not here: `id` and `executor`, by which a row is found; `lease`, `node` and `marks`, in which every number is
/// valid; and `group_key`, `cancel_reason`, `metadata`, `data` and `output`, because the server accepts only valid text.
const WAYS: &[(&str, &str)] = &[
    ("status", "status = 'none'"),
    ("priority", "priority = -1"),
    ("priority", "priority = 65536"),
    ("attempt", "attempt = -7"),
    ("attempt", "attempt = 2147483647"),
    ("max_attempts", "max_attempts = 70000"),
    ("scheduled_at", "scheduled_at = '-infinity'"),
    ("scheduled_at", "scheduled_at = 'infinity'"),
    ("scheduled_at", "scheduled_at = '290000-01-01 00:00:00Z'"),
    ("inserted_at", "inserted_at = '-infinity'"),
    ("inserted_at", "inserted_at = 'infinity'"),
    ("attempted_at", "attempted_at = '-infinity'"),
    ("finished_at", "finished_at = 'infinity'"),
    ("finished_at", "finished_at = '-infinity'"),
    ("deadline_at", "deadline_at = 'infinity'"),
    ("unique_key", "unique_key = '\\x01'"),
    ("tags", "tags = ARRAY[NULL]::TEXT[]"),
    ("tags", "tags = '{{a},{b}}'"),
    ("extras", "extras = '[]'"),
    ("extras", "extras = '{\"tick_at\": 9223372036854775807}'"),
    ("extras", "extras = '{\"flow\": \"none\"}'"),
    ("extras", "extras = '{\"headers\": []}'"),
    ("errors", "errors = ARRAY['no json']"),
    ("errors", "errors = ARRAY[NULL]::TEXT[]"),
    ("errors", "errors = '{{a},{b}}'"),
];

impl Damage for Schema {
    fn ways(&self) -> Vec<Way> {
        WAYS.iter().map(|(column, how)| Way { column, how }).collect()
    }

    fn damage<'a>(&'a self, job: JobId, way: Way) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let sql = format!("UPDATE \"{}\".jobs SET {} WHERE id = {job}", self.0, way.how);
            let mut connection = PgConnection::connect(&database_url()).await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        })
    }

    fn look<'a>(&'a self, job: JobId) -> BoxFuture<'a, (String, String)> {
        Box::pin(async move {
            let sql = format!(
                "SELECT status, coalesce(array_to_string(errors, ' '), '') FROM \"{}\".jobs WHERE id = {job}",
                self.0
            );
            let mut connection = PgConnection::connect(&database_url()).await.unwrap();
            sqlx::query_as(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap()
        })
    }
}

rexecutor_testing::conformance_damage!(damaged, |clock: TestClock| async move {
    let schema = fresh_name("damaged");
    let options = PgOptions::new().schema(&schema).clock(clock);
    With(options.connect(&database_url()).await.unwrap(), Schema(schema))
});
