//! The SQL files against the tables.

use sqlx::{AssertSqlSafe, Column, Executor, PgConnection, SqlSafeStr, Statement};

use crate::support::in_schema;

/// What the statements know of the table of rexecutor 0.1.
const OLD_TABLE: &str = "CREATE TYPE {schema}.rexecutor_job_state AS ENUM ('scheduled');
    CREATE TABLE {schema}.rexecutor_jobs (
        id SERIAL, status {schema}.rexecutor_job_state, executor VARCHAR, data JSONB, errors JSONB [], attempt INTEGER,
        max_attempts INTEGER, tags VARCHAR [], metadata JSONB, priority INTEGER, inserted_at TIMESTAMPTZ, scheduled_at TIMESTAMPTZ,
        attempted_at TIMESTAMPTZ, completed_at TIMESTAMPTZ, cancelled_at TIMESTAMPTZ, discarded_at TIMESTAMPTZ
    )";

#[tokio::test]
async fn every_statement_is_prepared_and_those_that_give_jobs_give_their_columns_first_and_in_order() {
    in_schema(async |world| {
        let mut connection = <PgConnection as sqlx::Connection>::connect(&world.url).await.unwrap();
        world.sql(OLD_TABLE).await;
        let old_schema = format!("\"{}\"", world.schema);
        let statements = world.backend.statements();
        let mut giving: Vec<(&str, Vec<String>)> = Vec::new();
        for (name, sql) in &statements {
            let sql = AssertSqlSafe(
                sql.replace("{filter}", "TRUE")
                    .replace("{within}", "status = 'complete'")
                    .replace("{beyond}", "<")
                    .replace("{direction}", "DESC")
                    // Of a table that is copied.
                    .replace("{table}", "limits")
                    .replace("{row}", "executor")
                    .replace("{key}", "executor")
                    .replace("{range}", "executor > $2")
                    .replace("{values}", "new.executor")
                    .replace("{arrays}", "$1::TEXT []")
                    .replace("{otherwise}", "NOTHING")
                    .replace("{job}", "length(executor)")
                    // Of the table of rexecutor 0.1.
                    .replace("{old_schema}", &old_schema)
                    .replace("{lock}", "FOR UPDATE SKIP LOCKED"),
            )
            .into_sql_str();
            let statement = connection.prepare(sql).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            let columns: Vec<String> = statement.columns().iter().map(|column| column.name().to_owned()).collect();
            if columns.iter().any(|column| column == "scheduled_at") {
                giving.push((name, columns));
            }
        }
        let job = giving.iter().find(|(name, _)| *name == "query_jobs").unwrap().1.clone();
        for (name, columns) in &giving {
            assert!(columns.starts_with(&job), "{name}: {columns:?}");
        }
        assert!(statements.len() > 30 && giving.len() > 4, "{} of {} give jobs", giving.len(), statements.len());
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
