//! Jobs in a PostgreSQL database that many nodes on many machines share.
//!
//! Every call is one transaction, begun with the settings that it needs, or one statement on a connection that was opened
//! with them: where a pooler hands each transaction another session, nothing is kept in it. What a transition does to a
//! row is decided by [`rexecutor::backend::lifecycle`] wherever it is rare, under the row's lock; only claims and
//! completions, which are frequent, are statements of their own.
//!
//! # Invariants
//!
//! - The database's clock decides, unless the options have one.
//! - Locks on several rows are taken in ascending order, of numbers or of keys; by completions, of places. Two who want the
//!   same rows in different orders are a node and the one that took it for dead: then the server fails one of them, and
//!   that one tries again.
//! - Listeners are woken, and other processes notified, after the commit.

mod claim;
mod claim_cursors;
mod connect;
mod connection_cache;
mod enqueue;
mod error;
mod failover;
mod filter;
mod group_commit;
mod inspect;
mod maintain;
mod migrate;
mod notices;
mod options;
mod queries;
mod row;
mod row_locations;
mod session;
mod settle;
mod transaction;
mod unique;
mod watch;
mod write;

use std::sync::Arc;

use rexecutor::backend::Listeners;
use sqlx::PgPool;

use self::{
    claim_cursors::ClaimCursors, connection_cache::ConnectionCache, failover::Failover, group_commit::GroupCommit,
    notices::Notices, queries::Queries, row_locations::RowLocations,
};
pub use self::{error::ConnectError, options::PgOptions};

/// Keeps jobs in a PostgreSQL database, for any number of nodes on any number of machines.
///
/// Its tables stand in a schema of their own, `rexecutor` unless [`PgOptions::schema`] names another. The database's
/// clock decides what is due and who is alive.
///
/// It is cheap to clone: all clones share one pool of connections.
///
/// # Examples
///
/// ```no_run
/// use rexecutor::prelude::*;
/// use rexecutor_sqlx::PgBackend;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let backend = PgBackend::connect("postgres://app:secret@db.example.com/app").await?;
/// Rexecutor::builder().with_backend(backend).start().await?.run_until_signal().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct PgBackend(Arc<Database>);

#[derive(Debug)]
struct Database {
    pool: PgPool,
    /// Connections of the pool for statements alone.
    connections: ConnectionCache,
    queries: Queries,
    options: PgOptions,
    listeners: Listeners,
    /// Jobs whose enqueuers wait for a transaction: whoever has its turn stores them all.
    group_commit: GroupCommit,
    /// What other processes are to be told.
    notices: Notices,
    failover: Failover,
    /// Whether the sessions have our settings by themselves, also outside of a transaction of ours.
    has_settings: bool,
    /// How far claims have got.
    cursors: ClaimCursors,
    /// Where the rows of the claimed runs stand.
    locations: RowLocations,
}
