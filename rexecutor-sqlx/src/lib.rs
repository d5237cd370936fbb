//! Database backends of rexecutor.
//!
//! [`SqliteBackend`] keeps jobs in a file beside the program: no server, and nothing lost when the process dies.
//!
//! ```
//! use rexecutor::prelude::*;
//! use rexecutor_sqlx::SqliteBackend;
//! # struct Hello;
//! # #[async_trait::async_trait]
//! # impl Executor for Hello {
//! #     type Data = String; type Metadata = (); const NAME: &'static str = "hello";
//! #     async fn execute(_: Job<String, ()>) -> ExecutionResult { ExecutionResult::Done }
//! # }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("jobs.db");
//! let backend = SqliteBackend::open(path).await?;
//! let node = Rexecutor::builder().with_backend(backend).with_executor::<Hello>().start().await?;
//! Hello::builder().with_data("world".to_owned()).enqueue().await?;
//! node.graceful_shutdown().await;
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
mod transaction;

#[cfg(feature = "postgres")]
pub use self::postgres::{ConnectError, PgBackend, PgBackend as RexecutorPgBackend, PgOptions};

#[cfg(feature = "sqlite")]
pub use self::sqlite::{OpenError, SqliteBackend, SqliteOptions, Synchronous};
pub use self::transaction::EnqueueIn;
