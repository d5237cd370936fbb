//! Ending a run inside the application's transaction.

use std::{any::Any, path::PathBuf};

use futures::future::BoxFuture;
use rexecutor::{
    backend::{BackendError, Marks, NewJob, Result, SettleIn, Settlement, flows::FlowEnds, lifecycle},
    job::JobStatus,
};
use sqlx::{Sqlite, Transaction};

use super::{
    backend::SqliteBackend, breakers, error::backend_error, flows, queries, store, transaction, work::Work, write,
};

/// Nodes, and those who wait, hear of it within the poll interval after the commit.
impl SettleIn for SqliteBackend {
    fn settle_in<'a>(
        &'a self,
        transaction: &'a mut (dyn Any + Send),
        settlement: Settlement,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let Some(transaction) = transaction.downcast_mut::<Transaction<'static, Sqlite>>() else {
                return Err(BackendError::message(
                    "the job is completed in what is no `sqlx::Transaction<'static, Sqlite>`: begin it on a `SqlitePool`",
                ));
            };
            let file: Option<String> = sqlx::query_scalar(queries::find_file())
                .fetch_optional(&mut **transaction)
                .await
                .map_err(backend_error)?;
            transaction::check(self.0.path.as_deref(), file.filter(|file| !file.is_empty()).map(PathBuf::from))?;
            let mut work = Work::inside(&mut *transaction, &*self.0.clock, self.0.is_heard());
            settle(&mut work, &settlement).await.map_err(backend_error)
        })
    }
}

async fn settle(work: &mut Work<'_>, settlement: &Settlement) -> sqlx::Result<bool> {
    let Settlement { id, lease, outcome, .. } = settlement;
    let mut jobs = write::lock(work, &[*id]).await?;
    let Some(job) = jobs.first_mut().filter(|job| !job.marks.contains(Marks::STOPPING)) else { return Ok(false) };
    let Some(effects) = lifecycle::settle(job, *lease, outcome, work.now) else { return Ok(false) };
    let is_complete = job.status == JobStatus::Complete;
    let verdict = effects.verdict.filter(|verdict| verdict.is_heard(settlement));
    let heard = verdict.map(|verdict| (job.executor.clone(), verdict, settlement));
    match effects.delete {
        true => write::delete_jobs(work, &jobs).await?,
        false => write::store_states(work, &jobs).await?,
    }
    if is_complete {
        store::store(work, &outcome.jobs().iter().collect::<Vec<&NewJob>>()).await?;
    }
    breakers::take_in(work, &heard.into_iter().collect()).await?;
    flows::advance_if_any(work, FlowEnds::of(&jobs)).await?;
    Ok(true)
}
