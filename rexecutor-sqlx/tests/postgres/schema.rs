//! The SQL files against the tables.

use std::{fs, path::Path};

use sqlx::{AssertSqlSafe, Executor, PgConnection, SqlSafeStr};

use crate::support::in_schema;

/// That all of them are loaded is a unit test of the crate.
#[tokio::test]
async fn every_statement_is_prepared() {
    in_schema(async |world| {
        let mut connection = <PgConnection as sqlx::Connection>::connect(&world.url).await.unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/postgres/queries");
        let mut count = 0;
        for file in fs::read_dir(folder).unwrap() {
            let file = file.unwrap().path();
            let sql = fs::read_to_string(&file).unwrap().replace("{schema}", &format!("\"{}\"", world.schema));
            // The text of a query goes on with what it asks for.
            let rest = if file.ends_with("query_jobs.sql") { "0" } else { "" };
            let sql = AssertSqlSafe(sql + rest).into_sql_str();
            connection.prepare(sql).await.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            count += 1;
        }
        assert!(count > 30);
    })
    .await;
}

/// Trap 47: paused tokio time fires a connection pool's timeouts. A test clock is not tokio's time.
#[tokio::test]
async fn trap_47_a_test_clock_that_jumps_ten_years_fires_no_timeout() {
    in_schema(async |world| {
        let lock = format!("BEGIN; LOCK TABLE \"{}\".jobs", world.schema);
        let mut blocker = <PgConnection as sqlx::Connection>::connect(&world.url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut blocker).await.unwrap();
        let backend = world.options().max_connections(1).connect(&world.url).await.unwrap();
        let all = rexecutor::backend::Filter::All(vec![]);
        let waiting = [0, 1].map(|_| {
            let (backend, all) = (backend.clone(), all.clone());
            tokio::spawn(async move { rexecutor::backend::Inspect::query(&backend, &all, 1).await })
        });
        world.clock.advance(chrono::TimeDelta::days(3_650)).await;
        assert!(waiting.iter().all(|call| !call.is_finished()), "they wait for the lock, and for each other");
        sqlx::raw_sql("ROLLBACK").execute(&mut blocker).await.unwrap();
        for call in waiting {
            call.await.unwrap().unwrap();
        }
    })
    .await;
}
