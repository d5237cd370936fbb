//! Enqueuing inside a transaction of the application's own.

use rexecutor::{
    backend::{Enqueued, NewJob, Result},
    clock::SystemClock,
};
use sqlx::{Sqlite, Transaction};

use super::{enqueue, error::backend_error, work::Work};
use crate::transaction::StoreJobs;

impl StoreJobs for Transaction<'_, Sqlite> {
    async fn store_jobs(&mut self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>> {
        let mut work = Work::inside(&mut *self, &SystemClock);
        enqueue::store(&mut work, &jobs).await.map_err(backend_error)
    }
}
