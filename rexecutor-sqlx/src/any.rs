//! A backend of either database, as the configuration says.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use rexecutor::{
    backend::{
        AmendError, AuditLog, Backend, BackendError, Claim, Claimed, Control, Demand, Ends, Enqueue, Enqueued, Entries,
        Events, Filter, Flows, Heartbeat, History, Inspect, JobChange, JobRow, Maintain, Member, NewJob, Node, Observe,
        Reports, Result, ScheduleKey, Settle, SettleIn, Settlement, StepLog, Streams, Survey, Tick, Ticks, Wakeup,
    },
    each_role,
    job::{ExecutorName, JobId, Lease, NodeId},
    pruner::PruneSpec,
};

#[cfg(feature = "postgres")]
use crate::PgBackend;
#[cfg(feature = "sqlite")]
use crate::SqliteBackend;

/// A backend on SQLite or PostgreSQL: what [`connect`](crate::connect) returns.
///
/// It does what the backend in it does. It is cheap to clone: all clones share the same connections. A `SqliteBackend` or a
/// `PgBackend` becomes one with `into()`.
#[derive(Debug, Clone)]
pub struct AnyBackend(pub(crate) Kind);

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteBackend),
    #[cfg(feature = "postgres")]
    Postgres(PgBackend),
}

impl AnyBackend {
    fn inner(&self) -> &dyn Backend {
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(backend) => backend,
            #[cfg(feature = "postgres")]
            Kind::Postgres(backend) => backend,
        }
    }

    /// Checks within `timeout` that the database answers, for health checks.
    ///
    /// # Errors
    ///
    /// When the database has not answered by then, or fails; the causes say why. It is safe to call it again.
    pub async fn ping(&self, timeout: Duration) -> Result<()> {
        self.inner().ping(timeout).await
    }

    /// Ends the use of the database by this clone. If it is the last one, an SQLite file is closed when this returns, and
    /// PostgreSQL's connections soon afterwards.
    pub async fn close(self) {
        match self.0 {
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(backend) => backend.close().await,
            #[cfg(feature = "postgres")]
            Kind::Postgres(backend) => drop(backend),
        }
    }
}

#[cfg(feature = "sqlite")]
impl From<SqliteBackend> for AnyBackend {
    fn from(backend: SqliteBackend) -> Self {
        Self(Kind::Sqlite(backend))
    }
}

#[cfg(feature = "postgres")]
impl From<PgBackend> for AnyBackend {
    fn from(backend: PgBackend) -> Self {
        Self(Kind::Postgres(backend))
    }
}

macro_rules! forward {
    ($(trait $role:ident {
        $($operation:ident => fn $method:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*
    })*) => {
        $(impl $role for AnyBackend {
            $(fn $method<'a>(&'a self, $($argument: $type),*) -> BoxFuture<'a, $answer> {
                self.inner().$method($($argument),*)
            })*
        })*
    };
}

each_role!(forward);

impl Backend for AnyBackend {
    fn name(&self) -> &str {
        self.inner().name()
    }

    fn instance(&self) -> usize {
        self.inner().instance()
    }

    fn ping(&self, timeout: Duration) -> BoxFuture<'_, Result<()>> {
        self.inner().ping(timeout)
    }

    fn node_problem(&self) -> Option<BackendError> {
        self.inner().node_problem()
    }

    fn control(&self) -> Option<&dyn Control> {
        self.inner().control()
    }

    fn survey(&self) -> Option<&dyn Survey> {
        self.inner().survey()
    }

    fn entries(&self) -> Option<&dyn Entries> {
        self.inner().entries()
    }

    fn step_log(&self) -> Option<&dyn StepLog> {
        self.inner().step_log()
    }

    fn history(&self) -> Option<&dyn History> {
        self.inner().history()
    }

    fn audit_log(&self) -> Option<&dyn AuditLog> {
        self.inner().audit_log()
    }

    fn flows(&self) -> Option<&dyn Flows> {
        self.inner().flows()
    }

    fn observe(&self) -> Option<&dyn Observe> {
        self.inner().observe()
    }

    fn ends(&self) -> Option<&dyn Ends> {
        self.inner().ends()
    }

    fn events(&self) -> Option<&dyn Events> {
        self.inner().events()
    }

    fn reports(&self) -> Option<&dyn Reports> {
        self.inner().reports()
    }

    fn streams(&self) -> Option<&dyn Streams> {
        self.inner().streams()
    }

    fn settle_in(&self) -> Option<&dyn SettleIn> {
        self.inner().settle_in()
    }

    fn is_membership_independent(&self) -> bool {
        self.inner().is_membership_independent()
    }
}
