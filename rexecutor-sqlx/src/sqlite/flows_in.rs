//! Flows inside a transaction of the application's own.

use std::path::PathBuf;

use futures::future::BoxFuture;
use rexecutor::{
    backend::{
        Enqueued, NewJob, Result,
        flows::{Created, FlowError, FlowsIn, StoredFlow},
    },
    job::FlowId,
};
use sqlx::{Sqlite, Transaction};

use super::{backend::SqliteBackend, error::backend_error, flows, queries, transaction::check, work::Work};

/// Begin the transaction with `BEGIN IMMEDIATE`. Nodes see the jobs within their poll interval after the commit.
impl<'t> FlowsIn<Transaction<'t, Sqlite>> for SqliteBackend {
    fn create_in<'a>(
        &'a self,
        transaction: &'a mut Transaction<'t, Sqlite>,
        flow: StoredFlow,
        jobs: Vec<NewJob>,
    ) -> BoxFuture<'a, Result<Created, FlowError>> {
        Box::pin(async move {
            self.check_place(transaction).await?;
            self.take_places_in(transaction, &jobs).await?;
            let mut work = Work::inside(&mut *transaction, &*self.0.clock, self.0.is_heard());
            let placed = flows::placed(jobs)?;
            Ok(flows::create(&mut work, &flow, placed).await.map_err(backend_error)?)
        })
    }

    fn add_in<'a>(
        &'a self,
        transaction: &'a mut Transaction<'t, Sqlite>,
        flow: FlowId,
        jobs: Vec<NewJob>,
    ) -> BoxFuture<'a, Result<Vec<Enqueued>, FlowError>> {
        Box::pin(async move {
            self.check_place(transaction).await?;
            self.take_places_in(transaction, &jobs).await?;
            let mut work = Work::inside(&mut *transaction, &*self.0.clock, self.0.is_heard());
            flows::add(&mut work, flow, jobs).await.map_err(backend_error)?
        })
    }
}

impl SqliteBackend {
    /// Whether the transaction is on the backend's file.
    async fn check_place(&self, transaction: &mut Transaction<'_, Sqlite>) -> Result<()> {
        let find = sqlx::query_scalar::<_, Option<String>>(queries::find_file());
        let file = find.fetch_optional(&mut **transaction).await.map_err(backend_error)?.flatten();
        check(self.0.path.as_deref(), file.filter(|file| !file.is_empty()).map(PathBuf::from))
    }
}
