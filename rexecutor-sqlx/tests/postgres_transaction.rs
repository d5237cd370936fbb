//! `enqueue_in` finds the backend of its process by itself; so this is a process of its own.

use rexecutor::{backend::Inspect, prelude::*};
use rexecutor_sqlx::{EnqueueIn, PgOptions};

struct Mail;

#[async_trait::async_trait]
impl Executor for Mail {
    type Data = String;
    type Metadata = ();
    const NAME: &'static str = "mail";

    async fn execute(_: Job<String, ()>) -> ExecutionResult {
        ExecutionResult::Done
    }
}

#[tokio::test]
async fn a_job_is_built_and_enqueued_in_the_applications_transaction() {
    let url =
        std::env::var("DATABASE_URL").expect("run `scripts/postgres cargo test -p rexecutor-sqlx --all-features`");
    let pool = sqlx::PgPool::connect(&url).await.unwrap();
    let enqueue = async |text: &str| {
        let mut transaction = pool.begin().await.unwrap();
        let answer = Mail::builder().with_data(text.to_owned()).enqueue_in(&mut transaction).await;
        answer.map(|enqueued| (transaction, enqueued.id()))
    };
    let error = enqueue("nobody is there").await.err().unwrap();
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("connect one first"), "{error:?}");

    let schema = format!("rexecutor_transaction_{}", std::process::id());
    let backend = PgOptions::new().schema(&schema).connect(&url).await.unwrap();
    enqueue("undone").await.unwrap().0.rollback().await.unwrap();
    let (transaction, id) = enqueue("done").await.unwrap();
    transaction.commit().await.unwrap();
    let rows = backend.query(&rexecutor::backend::Filter::All(vec![]), 10).await.unwrap();
    let drop = sqlx::AssertSqlSafe(format!("DROP SCHEMA {schema} CASCADE"));
    sqlx::raw_sql(drop).execute(&pool).await.unwrap();
    assert_eq!(rows.iter().map(|row| (row.id, row.data.as_str())).collect::<Vec<_>>(), [(id, r#""done""#)]);
}
