//! `Import01`, as a program uses it. Tables that rexecutor 0.1.1 has made itself are tested with the command `import-0-1`.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use rexecutor::clock::{Clock, SystemClock};
use rexecutor_sqlx::{Import01, ImportError, ImportProgress};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::{mpsc::unbounded_channel, oneshot};

use crate::support::{World, in_schema};

/// A table as 0.1.1 makes it, in the schema of the test.
pub(crate) async fn with_table(world: &World) {
    world
        .sql(
            "CREATE TYPE {schema}.rexecutor_job_state AS ENUM
                 ('scheduled', 'executing', 'retryable', 'complete', 'cancelled', 'discarded');
             CREATE TABLE {schema}.rexecutor_jobs (
                 id SERIAL PRIMARY KEY, status {schema}.rexecutor_job_state NOT NULL DEFAULT 'scheduled', executor VARCHAR NOT NULL,
                 data JSONB NOT NULL DEFAULT '{}', errors JSONB [] NOT NULL DEFAULT '{}', attempt INTEGER NOT NULL DEFAULT 0,
                 max_attempts INTEGER NOT NULL DEFAULT 5, attempted_by VARCHAR [], tags VARCHAR [] NOT NULL DEFAULT '{}',
                 metadata JSONB, priority INTEGER NOT NULL DEFAULT 0, uniqueness_key BIGINT,
                 inserted_at TIMESTAMPTZ NOT NULL DEFAULT now(), scheduled_at TIMESTAMPTZ NOT NULL DEFAULT now(),
                 attempted_at TIMESTAMPTZ, completed_at TIMESTAMPTZ, cancelled_at TIMESTAMPTZ, discarded_at TIMESTAMPTZ
             )",
        )
        .await;
}

async fn insert(world: &World, executor: &str, jobs: usize) {
    world
        .sql(&format!(
            "INSERT INTO {{schema}}.rexecutor_jobs (executor) SELECT '{executor}' FROM generate_series(1, {jobs})"
        ))
        .await;
}

/// Other tests have sessions of their own in this database.
fn import(world: &World) -> Import01 {
    Import01::new(world.backend.clone()).from_schema(&world.schema).assume_stopped(true)
}

async fn one(world: &World, sql: &str) -> i64 {
    let sql = sql.replace("{schema}", &format!("\"{}\"", world.schema));
    let mut connection = PgConnection::connect(&world.url).await.unwrap();
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap()
}

/// How many jobs there are in the old table, and in ours.
async fn counts(world: &World) -> (i64, i64) {
    let old = one(world, "SELECT count(*) FROM {schema}.rexecutor_jobs").await;
    (old, one(world, "SELECT count(*) FROM {schema}.jobs").await)
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn there_is_nothing_to_import_on_sqlite() {
    let backend = rexecutor_sqlx::connect("sqlite::memory:").await.unwrap();
    let error = Import01::new(backend).run().await.unwrap_err();
    assert!(matches!(error, ImportError::NotPostgres) && !error.is_transient(), "{error}");
}

#[tokio::test]
async fn a_table_that_is_missing_or_other_is_told() {
    in_schema(async |world| {
        let error = import(world).run().await.unwrap_err();
        assert!(matches!(&error, ImportError::NoTable { schema } if *schema == world.schema), "{error}");
        with_table(world).await;
        world.sql("ALTER TABLE {schema}.rexecutor_jobs ALTER COLUMN priority TYPE BIGINT").await;
        let error = import(world).dry_run().await.unwrap_err();
        assert!(
            error.to_string().ends_with("its column `priority` has the type int8, and there it has int4"),
            "{error}"
        );
    })
    .await;
}

#[tokio::test]
async fn it_follows_what_comes_until_it_is_stopped() {
    in_schema(async |world| {
        with_table(world).await;
        world
            .sql("INSERT INTO {schema}.rexecutor_jobs (executor, status) VALUES ('a', 'executing'), ('a', 'complete')")
            .await;
        insert(world, "a", 1).await;
        let (tell, mut told) = unbounded_channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let import = import(world).on_progress(move |progress| {
            if let ImportProgress::Moved { moved, .. } = progress {
                let _ = tell.send(moved);
            }
        });
        let following = tokio::spawn(import.follow(async {
            let _ = stopped.await;
        }));
        while told.recv().await.unwrap() < 1 {}
        insert(world, "b", 2).await;
        while told.recv().await.unwrap() < 3 {}
        stop.send(()).unwrap();
        let report = following.await.unwrap().unwrap();
        let moved: Vec<_> = report.moved.iter().map(|one| (&*one.executor, &*one.status, one.jobs)).collect();
        assert_eq!(moved, [("a", "scheduled", 1), ("b", "scheduled", 2)]);
        let left: Vec<_> = report.left.iter().map(|one| (&*one.executor, &*one.status, one.jobs)).collect();
        assert_eq!(left, [("a", "complete", 1), ("a", "executing", 1)]);
        assert_eq!(report.drop_sql(), None);
    })
    .await;
}

#[tokio::test]
async fn a_job_that_an_old_program_has_locked_is_skipped_and_waited_for_once_those_are_stopped() {
    in_schema(async |world| {
        with_table(world).await;
        insert(world, "a", 3).await;
        let mut other = PgConnection::connect(&world.url).await.unwrap();
        let lock = format!("BEGIN; SELECT FROM \"{}\".rexecutor_jobs WHERE id = 2 FOR UPDATE", world.schema);
        sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut other).await.unwrap();
        let report = import(world).live(true).run().await.unwrap();
        assert_eq!((report.moved_jobs(), report.left_jobs(), counts(world).await), (2, 1, (1, 2)));
        let waiting = tokio::spawn(import(world).run());
        let waits = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%\"{}\".rexecutor_jobs%'",
            world.schema
        );
        while one(world, &waits).await == 0 {}
        sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
        assert_eq!((waiting.await.unwrap().unwrap().moved_jobs(), counts(world).await), (1, (0, 3)));
    })
    .await;
}

#[tokio::test]
async fn only_jobs_of_the_executors_that_are_named_are_moved() {
    in_schema(async |world| {
        with_table(world).await;
        for executor in ["a", "b", "c"] {
            insert(world, executor, 2).await;
        }
        let would = import(world).executors(["a", "c"]).dry_run().await.unwrap();
        let report = import(world).executors(["a", "c"]).run().await.unwrap();
        assert_eq!((&would.moved, report.moved_jobs(), report.left_jobs()), (&report.moved, 4, 2));
        assert_eq!(report.left[0].executor, "b");
    })
    .await;
}

#[tokio::test]
async fn a_future_that_is_dropped_loses_nothing_and_the_next_call_goes_on() {
    in_schema(async |world| {
        with_table(world).await;
        insert(world, "a", 500).await;
        let (tell, stored) = oneshot::channel();
        let (tell, seen) = (Mutex::new(Some(tell)), Arc::new(Mutex::new(0)));
        let count = seen.clone();
        let import_once = import(world).on_progress(move |progress| {
            if let ImportProgress::Stored { .. } = progress {
                *count.lock().unwrap() += 1;
                // The second one.
                if *count.lock().unwrap() == 2 {
                    let _ = tell.lock().unwrap().take().unwrap().send(());
                }
            }
        });
        tokio::select! {
            biased;
            _ = stored => {}
            _ = import_once.run() => panic!("it was to be dropped"),
        }
        // The commit of the second step may be on its way.
        let both = "SELECT (SELECT count(*) FROM {schema}.rexecutor_jobs) + (SELECT count(*) FROM {schema}.jobs)";
        assert_eq!(one(world, both).await, 500);
        let report = import(world).run().await.unwrap();
        assert_eq!(counts(world).await, (0, 500));
        assert!((100..=300).contains(&report.moved_jobs()), "{report:?}");
    })
    .await;
}

#[tokio::test]
async fn two_imports_at_once_move_each_job_once() {
    in_schema(async |world| {
        with_table(world).await;
        insert(world, "a", 1_000).await;
        let (one, other) = tokio::join!(import(world).run(), import(world).run());
        assert_eq!(one.unwrap().moved_jobs() + other.unwrap().moved_jobs(), 1_000);
        let rows = world.rows().await;
        let ids: BTreeSet<_> = rows.iter().map(|job| job.extras.headers.get(Import01::OLD_ID).unwrap()).collect();
        assert_eq!((rows.len(), ids.len()), (1_000, 1_000));
    })
    .await;
}

#[tokio::test]
async fn a_job_that_ran_is_due_by_the_clock_of_the_backend() {
    in_schema(async |world| {
        with_table(world).await;
        world.sql("INSERT INTO {schema}.rexecutor_jobs (executor, status, attempt) VALUES ('a', 'executing', 1)").await;
        world.clock.advance(chrono::TimeDelta::days(700)).await;
        import(world).run().await.unwrap();
        assert_eq!(world.rows().await[0].scheduled_at, rexecutor::backend::in_micros(world.clock.now()));
        assert!(SystemClock.now() < world.clock.now());
    })
    .await;
}

/// SQL alone can make such arrays. One row of them kept all others where they were.
#[tokio::test]
async fn arrays_of_other_shapes_are_lists() {
    in_schema(async |world| {
        with_table(world).await;
        let odd = "INSERT INTO {schema}.rexecutor_jobs (executor, tags, errors) VALUES
            ('a', ARRAY[['a', 'b'], ['c', 'd']], '{}'), ('a', '[2:3]={e,f}', '{}'), ('a', '{}', ARRAY[ARRAY[
                '{\"attempt\": 1, \"error_type\": \"x\", \"details\": \"y\", \"recorded_at\": \"2024-01-01T00:00:00Z\"}'::JSONB]])";
        world.sql(odd).await;
        let report = import(world).run().await.unwrap();
        assert_eq!((report.moved_jobs(), report.refused_jobs, counts(world).await), (3, 0, (0, 3)), "{report:?}");
        let tags = one(world, "SELECT count(*) FROM {schema}.jobs WHERE tags IN ('{a,b,c,d}', '{e,f}')").await;
        let errors = one(world, "SELECT count(*) FROM {schema}.jobs WHERE cardinality(errors) = 1").await;
        assert_eq!((tags, errors), (2, 1));
    })
    .await;
}
