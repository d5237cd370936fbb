//! Database backends of rexecutor.
//!
//! [`SqliteBackend`] keeps jobs in one SQLite file: durable, and no server to run. Several processes of one machine may
//! work on the file at once.

#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(feature = "sqlite")]
pub use self::sqlite::{Durability, EnqueueIn, OpenError, SqliteBackend, SqliteOptions};
