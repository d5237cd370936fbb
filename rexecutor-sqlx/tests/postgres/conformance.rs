//! The suite that every backend passes, each case in a schema of its own.

use rexecutor_sqlx::PgOptions;
use rexecutor_testing::{TestClock, conformance::With};
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
