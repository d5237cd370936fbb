//! A small shop: a web program that takes orders, and a worker that does what need not be done while a customer waits.
//!
//! ```sh
//! cargo run -p example-shop --bin web -- sqlite:shop.db
//! cargo run -p example-shop --bin worker -- sqlite:shop.db # or postgres://..., in both
//! curl -d '{"email":"ada@example.com"}' -H 'content-type: application/json' http://localhost:3000/customers
//! ```

pub mod jobs;
pub mod web;

use rexecutor::prelude::*;
use rexecutor_sqlx::AnyBackend;
use sqlx::AnyPool;

/// Any error at all.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What both programs work with: the jobs and the shop's own tables, in one database.
#[derive(Debug, Clone)]
pub struct Shop {
    /// Where the jobs are.
    pub jobs: AnyBackend,
    /// Connections for the shop's own tables.
    pub db: AnyPool,
}

/// A real shop has migrations.
const TABLES: [&str; 4] = [
    "CREATE TABLE IF NOT EXISTS customers (email TEXT PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS orders (id BIGINT PRIMARY KEY, card TEXT NOT NULL, paid BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS pictures (name TEXT PRIMARY KEY, width BIGINT NOT NULL, pixels TEXT NOT NULL, small TEXT)",
    "CREATE TABLE IF NOT EXISTS reports (day TEXT PRIMARY KEY, customers BIGINT NOT NULL, paid BIGINT NOT NULL)",
];

impl Shop {
    /// Opens the database that a program was started with: its first argument, or else the variable `DATABASE_URL`.
    pub async fn of_this_program() -> Result<Self, BoxError> {
        tracing_subscriber::fmt::init();
        let url = std::env::args().nth(1).or_else(|| std::env::var("DATABASE_URL").ok());
        Self::open(&url.unwrap_or_else(|| "sqlite:shop.db".to_owned())).await
    }

    /// Opens the database of this URL: `sqlite:shop.db` or `postgres://…`.
    pub async fn open(url: &str) -> Result<Self, BoxError> {
        sqlx::any::install_default_drivers();
        let jobs = rexecutor_sqlx::connect(url).await?;
        let db = AnyPool::connect(url).await?;
        for table in TABLES {
            sqlx::query(table).execute(&db).await?;
        }
        Ok(Self { jobs, db })
    }

    /// A node that runs every job of the shop, ready to be started.
    pub fn worker(&self) -> rexecutor::node::NodeBuilder {
        Rexecutor::from_registry().with_backend(self.jobs.clone()).with_state(self.clone())
    }
}
