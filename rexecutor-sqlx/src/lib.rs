//! Database backends of rexecutor.
//!
//! | backend | feature | for |
//! | --- | --- | --- |
//! | `SqliteBackend` | `sqlite`, on by default | one machine: a file beside the program, no server |
//! | `PgBackend` | `postgres` | many machines that share one PostgreSQL database |
//!
//! [`connect`] opens either by its address, `sqlite:jobs.db` or `postgres://…`, as one type: a program moves from the one to
//! the other by a change of its configuration.
//!
//! `SqliteBackend` keeps jobs in one SQLite file: durable, and no server to run. Several processes of one machine may
//! work on the file at once.
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

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod any;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod any_flows;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod any_options;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod any_transaction;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod common;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod copy;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod doctor;
#[cfg(feature = "postgres")]
mod import;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(all(feature = "schema", any(feature = "postgres", feature = "sqlite")))]
mod schema_command;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod scratch;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod url;

#[cfg(feature = "postgres")]
pub use self::import::{Import01, ImportError, ImportProgress, ImportReport, OldJobs, RefusedJob};
#[cfg(feature = "postgres")]
pub use self::postgres::{ConnectError, PgBackend, PgBackend as RexecutorPgBackend, PgOptions};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use self::{
    any::AnyBackend,
    any_options::AnyOptions,
    common::SchemaVersion,
    copy::{CheckedRows, CopyError, CopyProgress, CopyReport, DatabaseCopy, LeftBehind, LiveCopy, WholeCopy},
    doctor::{Doctor, Finding, Level, Repair},
    scratch::Scratch,
};

#[cfg(all(feature = "schema", any(feature = "postgres", feature = "sqlite")))]
pub use self::schema_command::schema_command;
#[cfg(all(feature = "schema", any(feature = "postgres", feature = "sqlite")))]
#[doc(hidden)]
pub use self::schema_command::{SchemaAnswer, schema_answer};
#[cfg(feature = "sqlite")]
pub use self::sqlite::{Durability, OpenError, SqliteBackend, SqliteOptions};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use self::url::{UrlError, connect};
pub use rexecutor::backend::{EnqueueIn, flows::FlowsIn};
