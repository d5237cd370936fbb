//! Flows inside the application's transaction.

use std::collections::BTreeSet;

use futures::future::BoxFuture;
use rexecutor::{
    backend::{
        Enqueued, NewJob, Result,
        flows::{Created, FlowError, FlowsIn, StoredFlow},
    },
    job::{ExecutorName, FlowId},
};
use sqlx::{Postgres, Transaction};

use super::{
    backend::PgBackend,
    enqueue::executors,
    error::failed,
    notices::{NO_PROCESS, payloads},
    session::Progress,
    transaction::WHAT,
};

/// The row of a flow that jobs are added to is locked until the transaction ends.
impl<'t> FlowsIn<Transaction<'t, Postgres>> for PgBackend {
    fn create_in<'a>(
        &'a self,
        transaction: &'a mut Transaction<'t, Postgres>,
        flow: StoredFlow,
        jobs: Vec<NewJob>,
    ) -> BoxFuture<'a, Result<Created, FlowError>> {
        Box::pin(async move {
            self.0.announce(transaction, &jobs).await?;
            self.take_places(&jobs).await?;
            let id = self.0.insert_flow(transaction, &flow).await.map_err(failed(WHAT))?;
            Ok(Created::new(id, self.insert_in(transaction, id, None, jobs).await?))
        })
    }

    fn add_in<'a>(
        &'a self,
        transaction: &'a mut Transaction<'t, Postgres>,
        flow: FlowId,
        jobs: Vec<NewJob>,
    ) -> BoxFuture<'a, Result<Vec<Enqueued>, FlowError>> {
        Box::pin(async move {
            self.0.announce(transaction, &jobs).await?;
            let stored = self.0.lock_open(transaction, flow).await.map_err(failed(WHAT))??;
            self.take_places(&jobs).await?;
            self.insert_in(transaction, flow, Some(stored), jobs).await
        })
    }
}

impl PgBackend {
    async fn insert_in(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        flow: FlowId,
        stored: Option<StoredFlow>,
        jobs: Vec<NewJob>,
    ) -> Result<Vec<Enqueued>, FlowError> {
        let told = executors(&jobs);
        let inserted = self.0.insert_members(transaction, flow, stored, jobs, &Progress::default()).await;
        let (answers, follows) = inserted.map_err(failed(WHAT))??;
        let untold: BTreeSet<ExecutorName> = follows.woken.difference(&told).cloned().collect();
        if !untold.is_empty() && self.0.options.listens() && self.0.options.notify_in_transactions {
            let notify = self.0.query(&self.0.queries.notify_nodes).bind(self.0.queries.channel.clone());
            let notify = notify.bind(payloads(NO_PROCESS, untold, BTreeSet::new()));
            notify.execute(&mut **transaction).await.map_err(failed(WHAT))?;
        }
        Ok(answers)
    }
}
