//! Pausing executors, nodes and the whole cluster.

use std::time::Duration;

use futures::future::BoxFuture;
use rexecutor::{
    backend::{
        AuditLog, Backend, ChangedLimits, Control, Ends, Entries, EventRow, Events, Flows, History, LimitChange,
        Observe, Pause, Paused, Reports, Result, Scope, SettleIn, StepLog, Streams, Survey,
    },
    job::{ExecutorName, JobId},
};

use super::{admit, backend::SqliteBackend, breakers, core::Commit, queries, row::micros, set_limits, work::Work};

impl Backend for SqliteBackend {
    fn instance(&self) -> usize {
        std::sync::Arc::as_ptr(&self.0).addr()
    }

    fn ping(&self, timeout: Duration) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.ping(timeout))
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

    /// The writer's thread does it, before whatever else it has been asked for.
    fn is_membership_independent(&self) -> bool {
        true
    }
}

impl Control for SqliteBackend {
    fn pause<'a>(&'a self, scope: &'a Scope, pause: Pause) -> BoxFuture<'a, Result<()>> {
        if let Err(error) = pause.check(scope) {
            return Box::pin(std::future::ready(Err(error)));
        }
        let (query, name) = match scope {
            Scope::Node(label) => (queries::store_node_pause(), label.clone()),
            Scope::Tag(tag) => (queries::store_tag_pause(), tag.clone()),
            _ => (queries::store_pause(), scope.name().to_string()),
        };
        let scope = scope.clone();
        let step = async move |work: &mut Work<'_>| {
            let now = work.now;
            work.tell_of(|| EventRow::of_pause(now, &scope, Some(&pause)));
            let store = sqlx::query(query).bind(name).bind(micros(work.now));
            let store = store.bind(pause.until.map(micros)).bind(pause.by).bind(pause.reason);
            store.execute(&mut *work.conn).await?;
            outdate_nodes(work).await
        };
        Box::pin(self.0.writer.write(Commit::Promise, step))
    }

    fn resume<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<bool>> {
        let (query, name) = match scope {
            Scope::Node(label) => (queries::delete_node_pause(), label.clone()),
            Scope::Tag(tag) => (queries::end_tag_pause(), tag.clone()),
            _ => (queries::delete_pause(), scope.name().to_string()),
        };
        let (woken, is_executor) = (scope.name().clone(), matches!(scope, Scope::Executor(_)));
        let scope = scope.clone();
        let step = async move |work: &mut Work<'_>| {
            let was_open = is_executor && breakers::close(work, &name).await?;
            let delete = sqlx::query_scalar(query).bind(name);
            let held: Option<bool> = delete.bind(micros(work.now)).fetch_optional(&mut *work.conn).await?;
            outdate_nodes(work).await?;
            work.due.insert(woken);
            let (was_paused, now) = (was_open || held == Some(true), work.now);
            if was_paused {
                work.tell_of(|| EventRow::of_pause(now, &scope, None));
            }
            Ok(was_paused)
        };
        Box::pin(self.0.writer.write(Commit::Promise, step))
    }

    fn set_limits<'a>(
        &'a self,
        executor: &'a ExecutorName,
        change: Option<LimitChange>,
    ) -> BoxFuture<'a, Result<bool>> {
        if let Some(Err(error)) = change.as_ref().map(|change| change.check(executor)) {
            return Box::pin(std::future::ready(Err(error)));
        }
        let executor = executor.clone();
        let step = async move |work: &mut Work<'_>| set_limits::set(work, executor, change).await;
        Box::pin(self.0.writer.write(Commit::Promise, step))
    }

    fn limits(&self) -> BoxFuture<'_, Result<Vec<ChangedLimits>>> {
        Box::pin(self.0.writer.write(Commit::Progress, async |work: &mut Work<'_>| set_limits::list(work).await))
    }

    fn running<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<Vec<(ExecutorName, JobId)>>> {
        let (name, label, tag) = match scope {
            Scope::Executor(name) => (Some(name.to_string()), None, None),
            Scope::Node(label) => (None, Some(label.clone()), None),
            Scope::Tag(tag) => (None, None, Some(tag.clone())),
            _ => (None, None, None),
        };
        let step = async move |work: &mut Work<'_>| {
            work.open().await?;
            let find = sqlx::query_as(queries::find_running()).bind(name).bind(label).bind(tag);
            let rows: Vec<(String, i64)> = find.fetch_all(&mut *work.conn).await?;
            Ok(rows.into_iter().map(|(executor, id)| (executor.into(), JobId::from(id))).collect())
        };
        Box::pin(self.0.writer.write(Commit::Progress, step))
    }

    fn paused(&self) -> BoxFuture<'_, Result<Vec<Paused>>> {
        let step = async |work: &mut Work<'_>| {
            let mut paused = Vec::new();
            for row in &sqlx::query(queries::list_pauses()).fetch_all(&mut *work.conn).await? {
                let (_, one) = admit::read(row).map_err(sqlx::Error::Decode)?;
                paused.extend(one.filter(|one| one.pause.holds(work.now)));
            }
            Ok(paused)
        };
        Box::pin(self.0.writer.write(Commit::Progress, step))
    }
}

/// Every node must read the controls before it claims anything.
pub(super) async fn outdate_nodes(work: &mut Work<'_>) -> Result<(), sqlx::Error> {
    sqlx::query(queries::outdate_nodes()).execute(&mut *work.conn).await.map(drop)
}
