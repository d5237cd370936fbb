//! Enqueuing inside the application's transaction.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rexecutor::backend::{BackendError, Enqueued, NewJob, Result};
use sqlx::{Postgres, Transaction};

use super::{
    Database, PgBackend,
    enqueue::executors,
    error::failed,
    notices::{NO_PROCESS, payloads},
};
use crate::transaction::StoreJobs;

/// The backends of this process. None is held alive by being here.
static OPEN: Mutex<Vec<Weak<Database>>> = Mutex::new(Vec::new());

fn open() -> MutexGuard<'static, Vec<Weak<Database>>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a backend the one that transactions enqueue by.
pub(super) fn register(database: &Arc<Database>) {
    let mut open = open();
    open.retain(|known| known.strong_count() > 0);
    open.push(Arc::downgrade(database));
}

impl StoreJobs for Transaction<'_, Postgres> {
    async fn store_jobs(&mut self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>> {
        let newest = open().iter().rev().find_map(Weak::upgrade);
        let none = || BackendError::message("no `PgBackend` is open in this process: connect one first");
        PgBackend(newest.ok_or_else(none)?).enqueue_in(self, jobs).await
    }
}

impl PgBackend {
    /// Enqueues jobs in a transaction of the application's: they exist if and only if it commits. It must be on the
    /// database of this backend.
    ///
    /// Other transactions that enqueue a job with the same unique key wait until this one ends. Nodes are notified by
    /// the commit, unless [`PgOptions::notify_in_transactions`](super::PgOptions::notify_in_transactions) is off.
    ///
    /// # Errors
    ///
    /// When the database fails; then the transaction is of no more use.
    pub async fn enqueue_in(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        jobs: Vec<NewJob>,
    ) -> Result<Vec<Enqueued>> {
        const WHAT: &str = "could not store jobs in the transaction";
        let executors = executors(&jobs);
        let answers = self.0.insert(transaction, jobs).await.map_err(failed(WHAT))?;
        if self.0.options.listens() && self.0.options.notify_in_transactions {
            // Nobody's own: this process, too, hears of it when the transaction commits.
            let payloads = payloads(NO_PROCESS, executors, Default::default());
            let query = self.0.query(&self.0.queries.notify_nodes).bind(self.0.queries.channel.clone()).bind(payloads);
            query.execute(&mut **transaction).await.map_err(failed(WHAT))?;
        }
        Ok(answers)
    }
}
