//! Case 40: databases that lack characters, and outcomes that cannot be stored.

use rexecutor::{
    backend::{Enqueue, Filter, Inspect, JobRow, NewJob},
    prelude::*,
};
use rexecutor_sqlx::{ConnectError, PgOptions};
use rexecutor_testing::Faulty;
use sqlx::{AssertSqlSafe, PgPool};

use crate::support::{World, database_url, fresh_name, in_schema};

/// Runs a test with a database in this encoding.
async fn with_database(encoding: &str, test: impl AsyncFnOnce(String)) {
    let (url, name) = (database_url(), fresh_name("rexecutor_encoding"));
    let pool = PgPool::connect(&url).await.unwrap();
    let admin = |sql: String| sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool);
    admin(format!("CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"))
        .await
        .unwrap();
    let (address, parameters) = url.split_once('?').map_or((url.as_str(), ""), |(address, rest)| (address, rest));
    let (server, _) = address.rsplit_once('/').unwrap();
    let outcome = {
        use futures::FutureExt;
        let test = test(format!("{server}/{name}?{parameters}"));
        std::panic::AssertUnwindSafe(test).catch_unwind().await
    };
    admin(format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

#[tokio::test]
async fn case_40_a_database_that_lacks_characters_is_refused_with_what_to_do() {
    with_database("LATIN1", async |url| {
        let refused = PgOptions::new().connect(&url).await.unwrap_err();
        assert!(matches!(&refused, ConnectError::Encoding { encoding } if encoding == "LATIN1"), "{refused:?}");
        assert!(!refused.is_transient() && refused.to_string().contains("ENCODING 'UTF8' TEMPLATE template0"));
    })
    .await;
}

#[tokio::test]
async fn case_40_a_database_without_an_encoding_keeps_every_character() {
    with_database("SQL_ASCII", async |url| {
        let backend = PgOptions::new().connect(&url).await.unwrap();
        let text = r#""✓ é 日本 🦀""#;
        let new = NewJob::new("mail", text).with_metadata(text.to_owned()).with_tags(vec!["✓".to_owned()]);
        let _ = backend.enqueue(vec![new.clone(), new.with_executor("✓")]).await.unwrap();
        let rows = backend.query(&Filter::All(Vec::new()), 9).await.unwrap();
        assert_eq!((rows.len(), rows[1].executor.as_str()), (2, "✓"));
        assert!(rows.iter().all(|row| row.data == text && row.metadata.as_deref() == Some(text) && row.tags == ["✓"]));
        drop(backend);
    })
    .await;
}

struct Fails;

#[async_trait::async_trait]
impl Executor for Fails {
    type Data = u32;
    type Metadata = ();
    const NAME: &'static str = "fails";

    async fn execute(job: Job<u32, ()>) -> ExecutionResult {
        let failed = || JobFailure::retry_after(TimeDelta::hours(1), "sent ✓, and then not");
        match job.data {
            7 => rexecutor::executor::IntoExecutionResult::into_execution_result(Err::<(), _>(failed())),
            _ => ExecutionResult::Done,
        }
    }
}

/// Runs fifty jobs, where the database refuses what `sql` says.
async fn with_rule(sql: &str, test: impl AsyncFnOnce(&World)) {
    in_schema(async |world| {
        world.sql(sql).await;
        enqueue(world, 0..50).await;
        let faulty = Faulty::new(world.backend.clone()).with_clock(world.clock.clone());
        let node = Rexecutor::builder().with_backend(faulty).with_clock(world.clock.clone());
        let node = node.with_executor::<Fails>().start().await.unwrap();
        until_complete(world, 49).await;
        test(world).await;
        node.graceful_shutdown().await;
    })
    .await;
}

async fn enqueue(world: &World, data: std::ops::Range<u32>) {
    let jobs = data.map(|data| Fails::builder().with_data(data).encode().unwrap());
    let _ = rexecutor::enqueue_all_to_backend(jobs, &world.backend).await.unwrap();
}

async fn until_complete(world: &World, count: usize) {
    while world.rows().await.iter().filter(|row| row.status == JobStatus::Complete).count() < count {
        world.clock.advance(TimeDelta::milliseconds(10)).await;
    }
}

async fn seventh(world: &World) -> JobRow {
    world.rows().await.into_iter().find(|row| row.data == "7").unwrap()
}

async fn until_settled(world: &World) -> JobRow {
    while seventh(world).await.status == JobStatus::Executing {
        world.clock.advance(TimeDelta::milliseconds(100)).await;
    }
    seventh(world).await
}

#[tokio::test]
async fn case_40_text_that_cannot_be_stored_is_stored_in_ascii() {
    let rule = "ALTER TABLE {schema}.jobs
        ADD CONSTRAINT plain CHECK (array_to_string(errors, '') NOT LIKE '%✓%')";
    with_rule(rule, async |world| {
        let row = until_settled(world).await;
        assert_eq!((row.status, row.attempt), (JobStatus::Retryable, 1));
        assert_eq!(row.errors[0].details, "sent \\u{2713}, and then not");
    })
    .await;
}

#[tokio::test]
async fn case_40_an_outcome_that_cannot_be_stored_at_all_is_kept_and_tried_again_by_itself() {
    let rule = "CREATE FUNCTION {schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE check_violation USING MESSAGE = 'not this one'; END $$;
        CREATE TRIGGER refuse BEFORE UPDATE ON {schema}.jobs FOR EACH ROW
        WHEN (OLD.status = 'executing' AND NEW.data = '7') EXECUTE FUNCTION {schema}.refuse()";
    with_rule(rule, async |world| {
        // Later ones are not kept waiting either, and the job is neither given back nor run again.
        enqueue(world, 50..80).await;
        until_complete(world, 79).await;
        world.clock.advance(TimeDelta::minutes(1)).await;
        let row = seventh(world).await;
        assert_eq!((row.status, row.attempt, row.lease.0), (JobStatus::Executing, 1, 1));
        world.sql("DROP TRIGGER refuse ON {schema}.jobs").await;
        let row = until_settled(world).await;
        assert_eq!((row.status, row.attempt, row.lease.0), (JobStatus::Retryable, 1, 1));
    })
    .await;
}
