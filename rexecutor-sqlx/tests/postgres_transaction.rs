//! Enqueuing in transactions of the application's.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use rexecutor::{backend::Inspect, prelude::*};
use rexecutor_sqlx::{EnqueueIn, PgOptions};
use tokio::sync::mpsc;

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

/// Reads the row that was written in the transaction that enqueued it.
struct Ship;

#[async_trait::async_trait]
impl Executor for Ship {
    type Data = i64;
    type Metadata = ();
    const NAME: &'static str = "ship";

    async fn execute(job: Job<i64, ()>) -> ExecutionResult {
        let (pool, found) = job.context().state::<(sqlx::PgPool, mpsc::UnboundedSender<Option<String>>)>().unwrap();
        let query = sqlx::query_scalar("SELECT address FROM transaction_orders WHERE id = $1").bind(job.data);
        found.send(query.fetch_optional(&pool).await.unwrap()).unwrap();
        ExecutionResult::Done
    }
}

/// A node works meanwhile, and is woken by every commit: it never meets a job whose row is not there.
#[tokio::test(flavor = "multi_thread")]
async fn trap_16_a_job_reads_the_row_that_was_written_in_its_transaction() {
    let url =
        std::env::var("DATABASE_URL").expect("run `scripts/postgres cargo test -p rexecutor-sqlx --all-features`");
    let pool = sqlx::PgPool::connect(&url).await.unwrap();
    sqlx::raw_sql("CREATE TABLE transaction_orders (id BIGINT PRIMARY KEY, address TEXT)")
        .execute(&pool)
        .await
        .unwrap();
    let schema = format!("rexecutor_ship_{}", std::process::id());
    let backend = PgOptions::new().schema(&schema).connect(&url).await.unwrap();
    let (sender, mut found) = mpsc::unbounded_channel::<Option<String>>();
    let node = Rexecutor::builder().with_backend(backend.clone()).with_state((pool.clone(), sender));
    let node = node.with_executor::<Ship>().start().await.unwrap();
    for id in 0..40_i64 {
        let mut transaction = pool.begin().await.unwrap();
        let jobs = vec![Ship::builder().with_data(id).encode().unwrap()];
        // The job first, so that it would be there before the row if it could be seen.
        let _ = backend.enqueue_in(&mut transaction, jobs).await.unwrap();
        let insert = sqlx::query("INSERT INTO transaction_orders VALUES ($1, 'Main Street')").bind(id);
        insert.execute(&mut *transaction).await.unwrap();
        match id % 2 {
            0 => transaction.commit().await.unwrap(),
            _ => transaction.rollback().await.unwrap(),
        }
    }
    for _ in 0..20 {
        assert_eq!(found.recv().await.unwrap().as_deref(), Some("Main Street"));
    }
    node.graceful_shutdown().await;
    let rows = backend.query(&rexecutor::backend::Filter::All(vec![]), 100).await.unwrap();
    let drop = sqlx::AssertSqlSafe(format!("DROP SCHEMA {schema} CASCADE; DROP TABLE transaction_orders"));
    sqlx::raw_sql(drop).execute(&pool).await.unwrap();
    assert_eq!(rows.len(), 20);
    assert!(rows.iter().all(|row| row.status == JobStatus::Complete && row.attempt == 1));
}

#[tokio::test]
async fn a_job_is_built_and_enqueued_in_the_applications_transaction() {
    let url =
        std::env::var("DATABASE_URL").expect("run `scripts/postgres cargo test -p rexecutor-sqlx --all-features`");
    let pool = sqlx::PgPool::connect(&url).await.unwrap();
    let schema = format!("rexecutor_transaction_{}", std::process::id());
    let backend = PgOptions::new().schema(&schema).connect(&url).await.unwrap();
    let enqueue = async |text: &str| {
        let mut transaction = pool.begin().await.unwrap();
        let enqueued = Mail::builder().with_data(text.to_owned()).enqueue_in(&backend, &mut transaction).await.unwrap();
        (transaction, enqueued.id())
    };
    enqueue("undone").await.0.rollback().await.unwrap();
    let (transaction, id) = enqueue("done").await;
    transaction.commit().await.unwrap();
    let rows = backend.query(&rexecutor::backend::Filter::All(vec![]), 10).await.unwrap();
    let drop = sqlx::AssertSqlSafe(format!("DROP SCHEMA {schema} CASCADE"));
    sqlx::raw_sql(drop).execute(&pool).await.unwrap();
    assert_eq!(rows.iter().map(|row| (row.id, row.data.as_str())).collect::<Vec<_>>(), [(id, r#""done""#)]);
}

/// Two backends of one process, on two databases, each with the tables: a transaction goes to the one that is named, and is
/// refused by the other.
#[tokio::test]
async fn the_transaction_of_another_database_is_refused() {
    let url =
        std::env::var("DATABASE_URL").expect("run `scripts/postgres cargo test -p rexecutor-sqlx --all-features`");
    let pool = sqlx::PgPool::connect(&url).await.unwrap();
    let name = format!("rexecutor_other_{}", std::process::id());
    let admin = |sql: String| sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&pool);
    admin(format!("CREATE DATABASE {name}")).await.unwrap();
    let options = (*pool.connect_options()).clone().database(&name);
    let other_pool = sqlx::PgPool::connect_with(options).await.unwrap();
    let (here, there) = (
        PgOptions::new().schema(&name).connect(&url).await.unwrap(),
        PgOptions::new().schema(&name).from_pool(other_pool.clone()).await.unwrap(),
    );
    let job = || Mail::builder().with_data("who takes it?".to_owned());
    let mut transaction = other_pool.begin().await.unwrap();
    let error = job().enqueue_in(&here, &mut transaction).await.unwrap_err();
    let many = vec![job().encode().unwrap(); 3];
    let enqueued = there.enqueue_in(&mut transaction, many).await.unwrap();
    transaction.commit().await.unwrap();
    let all = rexecutor::backend::Filter::All(vec![]);
    let counts = (here.query(&all, 9).await.unwrap().len(), there.query(&all, 9).await.unwrap().len());
    drop(there);
    other_pool.close().await;
    admin(format!("DROP SCHEMA {name} CASCADE")).await.unwrap();
    admin(format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
    let said = std::error::Error::source(&error).unwrap().to_string();
    assert!(said.contains("the transaction is on another database"), "{said}");
    assert_eq!((enqueued.len(), counts), (3, (0, 3)));
}

/// Case 43: a transaction's jobs went to the newest backend of the process, so that tests beside each other took each other's.
#[tokio::test(flavor = "multi_thread")]
async fn case_43_backends_beside_each_other_get_the_jobs_that_are_theirs() {
    let url =
        std::env::var("DATABASE_URL").expect("run `scripts/postgres cargo test -p rexecutor-sqlx --all-features`");
    let pool = sqlx::PgPool::connect(&url).await.unwrap();
    let schema = |nth: usize| format!("rexecutor_beside_{nth}_{}", std::process::id());
    let mut backends = Vec::new();
    for nth in 0..6 {
        backends.push(PgOptions::new().schema(schema(nth)).max_connections(2).connect(&url).await.unwrap());
    }
    let tests = backends.iter().enumerate().map(|(nth, backend)| {
        let (backend, pool) = (backend.clone(), pool.clone());
        tokio::spawn(async move {
            let mut transaction = pool.begin().await.unwrap();
            let mail = |text: String| Mail::builder().with_data(text);
            let many = (0..50).map(|job| mail(format!("{nth}: {job}")).encode().unwrap()).collect();
            let _ = backend.enqueue_in(&mut transaction, many).await.unwrap();
            let _ = mail(format!("{nth}: alone")).enqueue_in(&backend, &mut transaction).await.unwrap();
            transaction.commit().await.unwrap();
        })
    });
    for test in tests.collect::<Vec<_>>() {
        test.await.unwrap();
    }
    let mut found = Vec::new();
    for backend in &backends {
        found.push(Mail::query_jobs_on_backend(Where::any(), backend).await.unwrap());
    }
    let drop = (0..6).map(|nth| format!("DROP SCHEMA {} CASCADE;", schema(nth))).collect::<String>();
    sqlx::raw_sql(sqlx::AssertSqlSafe(drop)).execute(&pool).await.unwrap();
    for (nth, jobs) in found.iter().enumerate() {
        assert_eq!(jobs.len(), 51);
        assert!(jobs.iter().all(|job| job.data.starts_with(&format!("{nth}: "))));
    }
}
