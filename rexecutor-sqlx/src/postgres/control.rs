//! Pausing executors, nodes and the whole cluster.
//!
//! # Invariant
//!
//! - Whoever changes the controls commits that, and then outdates every node, in a transaction of its own. An outdated node
//!   is given no job before its process has read of which executors anything is stored. So no claim that begins after the
//!   change is unaware of it, and one that has nothing to do with it pays nothing.

use std::time::Duration;

use futures::future::BoxFuture;
use rexecutor::{
    backend::{
        AuditLog, Backend, BackendError, ChangedLimits, Control, Ends, Entries, Events, Flows, History, LimitChange,
        Observe, Pause, Paused, Reports, Result, Scope, SettleIn, StepLog, Streams, Survey,
    },
    job::{ExecutorName, JobId},
};
use sqlx::{Row, postgres::PgRow};

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

    fn survey(&self) -> Option<&dyn Survey> {
        Some(self)
    }

    fn entries(&self) -> Option<&dyn Entries> {
        Some(self)
    }

    fn ends(&self) -> Option<&dyn Ends> {
        Some(self)
    }

    fn events(&self) -> Option<&dyn Events> {
        Some(self)
    }

    fn streams(&self) -> Option<&dyn Streams> {
        Some(self)
    }

    fn reports(&self) -> Option<&dyn Reports> {
        Some(self)
    }

    fn settle_in(&self) -> Option<&dyn SettleIn> {
        Some(self)
    }

    fn step_log(&self) -> Option<&dyn StepLog> {
        Some(self)
    }

    fn history(&self) -> Option<&dyn History> {
        Some(self)
    }

    fn flows(&self) -> Option<&dyn Flows> {
        Some(self)
    }

    fn audit_log(&self) -> Option<&dyn AuditLog> {
        Some(self)
    }

    fn observe(&self) -> Option<&dyn Observe> {
        Some(self)
    }

    /// A thread and a connection of their own do it.
    fn is_membership_independent(&self) -> bool {
        true
    }
}

impl Control for PgBackend {
    fn pause<'a>(&'a self, scope: &'a Scope, pause: Pause) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            pause.check(scope)?;
            self.0.limited("could not store the pause", self.0.pause(scope, pause)).await?;
            self.0.tell_events();
            Ok(())
        })
    }

    fn resume<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let held = self.0.limited("could not end the pause", self.0.resume(scope)).await?;
            self.0.wake_and_tell([scope.name().clone()].into()).await;
            Ok(held)
        })
    }

    fn set_limits<'a>(
        &'a self,
        executor: &'a ExecutorName,
        change: Option<LimitChange>,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            change.as_ref().map_or(Ok(()), |change| change.check(executor))?;
            let were_set = self.0.limited("could not set limits", self.0.set_limits(executor, change)).await?;
            self.0.wake_and_tell([executor.clone()].into()).await;
            Ok(were_set)
        })
    }

    fn limits(&self) -> BoxFuture<'_, Result<Vec<ChangedLimits>>> {
        Box::pin(self.0.limited("could not read which limits were set", self.0.list_limits()))
    }

    fn running<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<Vec<(ExecutorName, JobId)>>> {
        Box::pin(self.0.limited("could not read what is running", self.0.running(scope)))
    }

    fn paused(&self) -> BoxFuture<'_, Result<Vec<Paused>>> {
        Box::pin(self.0.limited("could not read what is paused", self.0.paused()))
    }
}

impl Database {
    async fn pause(&self, scope: &Scope, pause: Pause) -> sqlx::Result<()> {
        let mut transaction = self.begin().await?;
        let store = match scope {
            Scope::Node(label) => self.query(&self.queries.store_node_pause).bind(self.now()).bind(label.clone()),
            Scope::Tag(tag) => self.query(&self.queries.store_tag_pause).bind(self.now()).bind(tag.clone()),
            _ => self.query(&self.queries.store_pause).bind(self.now()).bind(scope.name().to_string()),
        };
        let store = store.bind(pause.until).bind(pause.by.clone()).bind(pause.reason.clone());
        store.execute(&mut *transaction).await?;
        self.tell_pause(&mut transaction, scope, Some(&pause)).await?;
        transaction.commit().await?;
        self.outdate_nodes().await
    }

    async fn resume(&self, scope: &Scope) -> sqlx::Result<bool> {
        let mut transaction = self.begin().await?;
        let delete = match scope {
            Scope::Node(label) => self.query(&self.queries.delete_node_pause).bind(self.now()).bind(label.clone()),
            Scope::Tag(tag) => self.query(&self.queries.end_tag_pause).bind(self.now()).bind(tag.clone()),
            _ => self.query(&self.queries.delete_pause).bind(self.now()).bind(scope.name().to_string()),
        };
        let deleted = delete.fetch_optional(&mut *transaction).await?;
        let was_open = match scope {
            Scope::Executor(executor) => self.close_breaker(&mut transaction, executor).await?,
            _ => false,
        };
        let was_paused = was_open || deleted.map_or(Ok(false), |row| row.try_get("held"))?;
        if was_paused {
            self.tell_pause(&mut transaction, scope, None).await?;
        }
        transaction.commit().await?;
        self.outdate_nodes().await?;
        Ok(was_paused)
    }

    pub(super) async fn outdate_nodes(&self) -> sqlx::Result<()> {
        let mut transaction = self.begin().await?;
        self.query(&self.queries.outdate_nodes).execute(&mut *transaction).await?;
        transaction.commit().await
    }

    async fn paused(&self) -> sqlx::Result<Vec<Paused>> {
        let mut session = self.session().await?;
        let query = self.query(&self.queries.list_pauses).bind(self.now());
        let rows = query.fetch_all(&mut *session).await?;
        session.end().await?;
        let mut paused = Vec::new();
        for row in &rows {
            let (now, since) = (row::instant(row, "now")?, row::optional_instant(row, "paused_at")?);
            if let Some((pause, since)) = pause(row)?.filter(|pause| pause.holds(now)).zip(since) {
                let text = |column: &str| row.try_get::<Option<String>, _>(column);
                let scope = match (text("label")?, text("tag")?) {
                    (Some(label), _) => Scope::Node(label),
                    (None, Some(tag)) => Scope::Tag(tag),
                    (None, None) => Scope::of_name(executor(row)?),
                };
                paused.push(Paused::new(scope, since, pause));
            }
        }
        Ok(paused)
    }

    async fn running(&self, scope: &Scope) -> sqlx::Result<Vec<(ExecutorName, JobId)>> {
        let (name, label, tag) = match scope {
            Scope::Executor(name) => (Some(name.to_string()), None, None),
            Scope::Node(label) => (None, Some(label.clone()), None),
            Scope::Tag(tag) => (None, None, Some(tag.clone())),
            _ => (None, None, None),
        };
        let mut session = self.session().await?;
        let find = self.query(&self.queries.find_running).bind(name).bind(label).bind(tag);
        let rows = find.fetch_all(&mut *session).await?;
        session.end().await?;
        rows.iter().map(|row| Ok((executor(row)?, row.try_get::<i64, _>("id")?.into()))).collect()
    }
}

pub(super) fn executor(row: &PgRow) -> sqlx::Result<ExecutorName> {
    row.try_get::<String, _>("executor").map(ExecutorName::from)
}

pub(super) fn pause(row: &PgRow) -> sqlx::Result<Option<Pause>> {
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
