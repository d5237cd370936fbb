//! Enqueuing inside a transaction of the application's own.

use rexecutor::{
    backend::{Enqueued, NewJob, Result},
    clock::{Clock, SystemClock},
};
use sqlx::{Sqlite, Transaction};

use super::{enqueue, error::backend_error, work::Work};
use crate::transaction::StoreJobs;

impl StoreJobs for Transaction<'_, Sqlite> {
    async fn store_jobs(&mut self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>> {
        let mut work = Work::new(&mut *self, SystemClock.now());
        enqueue::store(&mut work, &jobs).await.map_err(backend_error)
    }
}
