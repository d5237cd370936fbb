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
//! - Bells are rung, and other processes notified, after the commit.

mod claim;
mod connect;
mod enqueue;
mod error;
mod failover;
mod filter;
mod gathering;
mod inspect;
mod maintain;
mod migrate;
mod notices;
mod options;
mod places;
mod positions;
mod queries;
mod row;
mod session;
mod settle;
mod transaction;
mod unique;
mod warm;
mod watch;
mod write;

use std::sync::Arc;

use rexecutor::backend::Bells;
use sqlx::PgPool;

pub use self::{error::ConnectError, options::PgOptions};
use self::{
    failover::Failover, gathering::Gathering, notices::Notices, places::Places, positions::Positions, queries::Queries,
    warm::Warm,
};

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
    warm: Warm,
    queries: Queries,
    options: PgOptions,
    bells: Bells,
    /// Jobs whose enqueuers wait for a transaction: whoever has its turn stores them all.
    gathering: Gathering,
    /// What other processes are to be told.
    notices: Notices,
    failover: Failover,
    /// Whether the sessions have our settings by themselves, also outside of a transaction of ours.
    has_settings: bool,
    /// How far claims have got.
    positions: Positions,
    /// Where the rows of the claimed runs stand.
    places: Places,
}
