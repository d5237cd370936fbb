//! A job that exists if and only if the order exists for which it was enqueued.
//!
//! Run it with `cargo run --example transaction`. It uses a SQLite file of its own, and removes it.

use rexecutor::prelude::*;
use rexecutor_sqlx::SqliteBackend;
use sqlx::{SqlitePool, sqlite::SqliteConnectOptions};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Reads the order that was written in the transaction that enqueued this job. It is always there.
#[job]
async fn send_receipt(
    order: i64,
    State(pool): State<SqlitePool>,
    State(sent): State<UnboundedSender<i64>>,
) -> Result<(), BoxError> {
    let item: String = sqlx::query_scalar("SELECT item FROM orders WHERE id = ?").bind(order).fetch_one(&pool).await?;
    println!("receipt for order {order}: {item}");
    sent.send(order)?;
    Ok(())
}

/// Takes an order: the row and the job together, or neither of them.
async fn order(backend: &SqliteBackend, pool: &SqlitePool, item: &str) -> Result<i64, BoxError> {
    // IMMEDIATE: this transaction writes, and says so from the start.
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let insert = sqlx::query_scalar("INSERT INTO orders (item) VALUES (?) RETURNING id").bind(item);
    let id: i64 = insert.fetch_one(&mut *transaction).await?;
    SendReceipt::builder().with_data(id).enqueue_in(backend, &mut transaction).await?;
    if item == "a unicorn" {
        // Leaving without a commit undoes all of it.
        return Err("there are no unicorns".into());
    }
    transaction.commit().await?;
    Ok(id)
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let path = std::env::temp_dir().join(format!("rexecutor-transaction-{}.db", std::process::id()));
    // The application's tables and the jobs live in one file.
    let backend = SqliteBackend::open(&path).await?;
    let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(&path)).await?;
    sqlx::query("CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT NOT NULL)").execute(&pool).await?;

    let (sent, mut receipts) = unbounded_channel::<i64>();
    let node = Rexecutor::builder().with_backend(backend.clone()).with_state(pool.clone()).with_state(sent);
    let node = node.with_executor::<SendReceipt>().start().await?;

    for item in ["a lamp", "a unicorn", "a chair"] {
        match order(&backend, &pool, item).await {
            Ok(id) => println!("order {id} was taken"),
            Err(error) => println!("the order of {item} was not: {error}"),
        }
    }
    for _ in 0..2 {
        receipts.recv().await;
    }
    node.graceful_shutdown().await;

    let jobs = SendReceipt::query_jobs_on_backend(Where::any(), &backend).await?;
    println!("two orders, {} jobs", jobs.len());
    assert_eq!(jobs.len(), 2);
    pool.close().await;
    drop(backend);
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
    Ok(())
}
