//! The backend, and what all its clones share.

use std::sync::{Arc, OnceLock};

use rexecutor::backend::Listeners;
use sqlx::PgPool;

use super::{
    claim_cursors::ClaimCursors, connection_cache::ConnectionCache, failover::Failover, group_commit::GroupCommit,
    key_waiters::KeyWaiters, large::LargeJobs, member_connection::MemberConnection, notices::Notices,
    options::PgOptions, queries::Queries, reach::Reach, row_locations::RowLocations, runtime::Runtimes,
};
use crate::common::{Controlled, Room};

/// Keeps jobs in a PostgreSQL database, for any number of nodes on any number of machines.
///
/// Its tables stand in a schema of their own, `rexecutor` unless [`PgOptions::schema`](crate::PgOptions::schema) names another. The database's
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
pub struct PgBackend(pub(super) Arc<Database>);

/// Which database a session is on: the number of its cluster, and its own.
pub(super) type Identity = (i64, i64);

#[derive(Debug)]
pub(super) struct Database {
    pub(super) pool: PgPool,
    /// Connections of the pool for statements alone.
    pub(super) connections: ConnectionCache,
    /// The connection that no job can take, by which nodes stay members.
    pub(super) member_connection: MemberConnection,
    /// Who may wait for unique keys, each on a connection.
    pub(super) key_waiters: KeyWaiters,
    pub(super) queries: Queries,
    pub(super) options: PgOptions,
    pub(super) listeners: Listeners,
    /// About which executors anything is stored.
    pub(super) controls: Controlled,
    /// Held by who reads them: what was read first is kept first.
    pub(super) reading_controls: tokio::sync::Mutex<()>,
    /// On which database this is, once anybody has asked.
    pub(super) identity: OnceLock<Identity>,
    /// Jobs whose enqueuers wait for a transaction: whoever has its turn stores them all.
    pub(super) group_commit: GroupCommit,
    /// What other processes are to be told.
    pub(super) notices: Arc<Notices>,
    pub(super) failover: Failover,
    /// Whether the sessions have our settings by themselves, also outside of a transaction of ours.
    pub(super) has_settings: bool,
    /// What an administrator is to run before a node can work here.
    pub(super) missing_grants: OnceLock<String>,
    /// Whether the server could be reached of late.
    pub(super) reach: Reach,
    /// The runtimes on which calls were made.
    pub(super) runtimes: Runtimes,
    /// Which executors are claimed by bytes.
    pub(super) large: LargeJobs,
    /// How far claims have got.
    pub(super) cursors: ClaimCursors,
    /// Places in queues that were taken and not used yet.
    pub(super) room: Room,
    /// Where the rows of the claimed runs stand.
    pub(super) locations: RowLocations,
}
