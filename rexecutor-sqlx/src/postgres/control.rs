//! What the whole cluster keeps to: pausing executors, and all of it, and reading what is stored.
//!
//! # Invariant
//!
//! - Whoever changes the controls commits that, and then outdates every node, in a transaction of its own. An outdated node
//!   is given no job before its process has read of which executors anything is stored. So no claim that begins after the
//!   change is unaware of it, and one that has nothing to do with it pays nothing.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use rexecutor::{
    backend::{Backend, BackendError, Control, Pause, Paused, Result, Scope, admission::Controls},
    job::{ExecutorName, NodeId},
};
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{
    backend::{Database, PgBackend},
    row,
};

impl Backend for PgBackend {
    fn instance(&self) -> usize {
        std::sync::Arc::as_ptr(&self.0).addr()
    }

    fn ping(&self, timeout: Duration) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.ping(timeout))
    }

    fn node_problem(&self) -> Option<BackendError> {
        self.missing_grants()
    }

    fn control(&self) -> Option<&dyn Control> {
        Some(self)
    }
}

impl Control for PgBackend {
    fn pause<'a>(&'a self, scope: &'a Scope, pause: Pause) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            pause.check(scope)?;
            self.0.limited("could not store the pause", self.0.pause(scope, pause)).await
        })
    }

    fn resume<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let held = self.0.limited("could not end the pause", self.0.resume(scope)).await?;
            self.0.wake([scope.name().clone()].into());
            Ok(held)
        })
    }

    fn paused(&self) -> BoxFuture<'_, Result<Vec<Paused>>> {
        Box::pin(self.0.limited("could not read what is paused", self.0.paused()))
    }
}

/// What is stored about executors, and about the whole cluster by its name.
pub(super) struct Stored {
    pub(super) controls: HashMap<ExecutorName, Controls>,
    /// The present; before all times, if nothing is stored.
    pub(super) now: DateTime<Utc>,
}

impl Database {
    async fn pause(&self, scope: &Scope, pause: Pause) -> sqlx::Result<()> {
        let mut transaction = self.begin().await?;
        let store = self.query(&self.queries.store_pause).bind(self.now()).bind(scope.name().to_string());
        let store = store.bind(pause.until).bind(pause.by).bind(pause.reason);
        store.execute(&mut *transaction).await?;
        transaction.commit().await?;
        self.outdate_nodes().await
    }

    async fn resume(&self, scope: &Scope) -> sqlx::Result<bool> {
        let mut transaction = self.begin().await?;
        let delete = self.query(&self.queries.delete_pause).bind(self.now()).bind(scope.name().to_string());
        let deleted = delete.fetch_optional(&mut *transaction).await?;
        transaction.commit().await?;
        self.outdate_nodes().await?;
        deleted.map_or(Ok(false), |row| row.try_get("held"))
    }

    async fn outdate_nodes(&self) -> sqlx::Result<()> {
        let mut transaction = self.begin().await?;
        self.query(&self.queries.outdate_nodes).execute(&mut *transaction).await?;
        transaction.commit().await
    }

    async fn paused(&self) -> sqlx::Result<Vec<Paused>> {
        let mut session = self.session().await?;
        let query = self.query(&self.queries.find_controls).bind(self.now()).bind(None::<Vec<String>>);
        let rows = query.fetch_all(&mut *session).await?;
        session.end().await?;
        let mut paused = Vec::new();
        for row in &rows {
            let (now, since) = (row::instant(row, "now")?, row::optional_instant(row, "paused_at")?);
            if let Some((pause, since)) = pause(row)?.filter(|pause| pause.holds(now)).zip(since) {
                paused.push(Paused::new(Scope::of_name(executor(row)?), since, pause));
            }
        }
        Ok(paused)
    }

    /// Learns about which executors anything is stored, for this node.
    pub(super) async fn read_controls(&self, node: NodeId) -> sqlx::Result<()> {
        let _turn = self.reading_controls.lock().await;
        let mut transaction = self.begin().await?;
        self.query(&self.queries.update_node).bind(node.0).execute(&mut *transaction).await?;
        let rows = self.query(&self.queries.list_controls).fetch_all(&mut *transaction).await?;
        self.controls.set(rows.iter().map(executor).collect::<sqlx::Result<_>>()?);
        transaction.commit().await
    }

    /// What is stored about these executors and the whole cluster; `None`: about everything.
    pub(super) async fn find_controls(
        &self,
        connection: &mut PgConnection,
        executors: Option<Vec<String>>,
    ) -> sqlx::Result<Stored> {
        let query = self.query(&self.queries.find_controls).bind(self.now()).bind(executors);
        let mut stored = Stored { controls: HashMap::new(), now: DateTime::<Utc>::MIN_UTC };
        for row in &query.fetch_all(connection).await? {
            stored.now = row::instant(row, "now")?;
            let mut controls = Controls::default();
            controls.pause = pause(row)?;
            stored.controls.insert(executor(row)?, controls);
        }
        Ok(stored)
    }
}

fn executor(row: &PgRow) -> sqlx::Result<ExecutorName> {
    row.try_get::<String, _>("executor").map(ExecutorName::from)
}

fn pause(row: &PgRow) -> sqlx::Result<Option<Pause>> {
    if row::optional_instant(row, "paused_at")?.is_none() {
        return Ok(None);
    }
    let reason: Option<String> = row.try_get("pause_reason")?;
    let by: Option<String> = row.try_get("paused_by")?;
    // What somebody else wrote must not keep the other executors from being claimed from: it holds until it is resumed.
    let until = row::optional_instant(row, "paused_until").unwrap_or_default();
    let mut pause = Pause::new(reason.unwrap_or_default()).until(until);
    pause.by = by;
    Ok(Some(pause))
}
