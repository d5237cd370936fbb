//! Enqueuing inside a transaction of the application's own.

use std::path::{Path, PathBuf};

use futures::future::BoxFuture;
use rexecutor::backend::{BackendError, EnqueueIn, Enqueued, NewJob, Result};
use sqlx::{Sqlite, Transaction};

use super::{backend::SqliteBackend, error::backend_error, queries, store, work::Work};

/// The transaction must be on the file of the backend. Begin it with `BEGIN IMMEDIATE`: SQLite refuses to let a transaction
/// write that has read before, if another connection has written in between. Nodes see the jobs within their poll interval
/// after the commit.
impl<'t> EnqueueIn<Transaction<'t, Sqlite>> for SqliteBackend {
    fn enqueue_in<'a>(
        &'a self,
        transaction: &'a mut Transaction<'t, Sqlite>,
        jobs: Vec<NewJob>,
    ) -> BoxFuture<'a, Result<Vec<Enqueued>>> {
        Box::pin(async move {
            let file: Option<String> = sqlx::query_scalar(queries::find_file())
                .fetch_optional(&mut **transaction)
                .await
                .map_err(backend_error)?;
            check(self.0.path.as_deref(), file.filter(|file| !file.is_empty()).map(PathBuf::from))?;
            self.take_places_in(transaction, &jobs).await?;
            let jobs: Vec<&NewJob> = jobs.iter().collect();
            let mut work = Work::inside(&mut *transaction, &*self.0.clock, self.0.is_heard());
            store::store(&mut work, &jobs).await.map_err(backend_error)
        })
    }
}

/// Whether the transaction's file is the backend's.
pub(super) fn check(ours: Option<&Path>, theirs: Option<PathBuf>) -> Result<()> {
    let is_same = |one: &Path, other: &Path| {
        let whole = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        one == other || whole(one) == whole(other)
    };
    let shown = |path: Option<&Path>| match path {
        Some(path) => format!("`{}`", path.display()),
        None => "a database in memory".to_owned(),
    };
    match (ours, theirs.as_deref()) {
        (Some(ours), Some(theirs)) if is_same(ours, theirs) => Ok(()),
        (ours, theirs) => Err(BackendError::message(format!(
            "the transaction is on {} and the backend on {}: begin it on a connection to the backend's file",
            shown(theirs),
            shown(ours)
        ))),
    }
}
