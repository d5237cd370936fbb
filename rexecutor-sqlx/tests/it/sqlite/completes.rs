//! Jobs that complete themselves in a transaction on their own file.

use rexecutor_sqlx::SqliteBackend;
use sqlx::{SqlitePool, sqlite::SqliteConnectOptions};

use super::File;

completes!(sqlx::Sqlite, "BEGIN IMMEDIATE", on_a_file);
batches_in_transactions!(sqlx::Sqlite, "BEGIN IMMEDIATE", on_a_file);

async fn on_a_file(test: impl AsyncFnOnce(SqliteBackend, SqlitePool)) {
    let file = File::new();
    let backend = file.open().await;
    let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(file.path())).await.unwrap();
    sqlx::query("CREATE TABLE payments (job INTEGER)").execute(&pool).await.unwrap();
    test(backend, pool.clone()).await;
    pool.close().await;
}

/// Another file's transaction is refused before it has written anything.
#[tokio::test]
async fn case_15_4_a_transaction_on_another_file_is_refused() {
    let (file, other) = (File::new(), File::new());
    let (backend, _other) = (file.open().await, other.open().await);
    let _ = backend.enqueue(vec![NewJob::new("pays", "1")]).await.unwrap();
    let node = backend.join(&Node::new("test", Duration::from_secs(60))).await.unwrap();
    let run = backend.claim(node, [Demand::new("pays", 1)].into()).await.unwrap().jobs.remove(0);
    let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(other.path())).await.unwrap();
    let mut transaction = pool.begin().await.unwrap();
    let settlement = Settlement::new(run.id, run.lease, End::complete(true));
    let error = settle_in(&backend).unwrap().settle_in(&mut transaction, settlement).await.unwrap_err();
    assert!(error.to_string().contains("the backend's file"), "{error}");
}
