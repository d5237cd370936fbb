//! Ending a run inside the application's transaction.

use std::any::Any;

use futures::future::BoxFuture;
use rexecutor::{
    backend::{BackendError, Marks, Result, SettleIn, Settlement, lifecycle},
    job::JobStatus,
};
use sqlx::{Postgres, Transaction};

use super::{
    backend::PgBackend,
    error::failed,
    notices::{NO_PROCESS, ends},
    session::Progress,
    write::Locked,
};

const WHAT: &str = "could not complete the job in the transaction";

/// The job's row is locked until the transaction ends, whose commit also tells those who wait for the job.
impl SettleIn for PgBackend {
    fn settle_in<'a>(
        &'a self,
        transaction: &'a mut (dyn Any + Send),
        settlement: Settlement,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let Some(transaction) = transaction.downcast_mut::<Transaction<'static, Postgres>>() else {
                return Err(BackendError::message(
                    "the job is completed in what is no `sqlx::Transaction<'static, Postgres>`: begin it on a `PgPool`",
                ));
            };
            self.0.announce(transaction, settlement.outcome.jobs()).await?;
            self.settle_locked(transaction, &settlement).await.map_err(failed(WHAT))
        })
    }
}

impl PgBackend {
    async fn settle_locked(
        &self,
        transaction: &mut Transaction<'static, Postgres>,
        settlement: &Settlement,
    ) -> sqlx::Result<bool> {
        let Settlement { id, lease, outcome, .. } = settlement;
        let Locked { mut jobs, now, .. } = self.0.lock_states(transaction, vec![id.as_i64()]).await?;
        let (Some(job), Some(now)) = (jobs.first_mut(), now) else { return Ok(false) };
        if job.marks.contains(Marks::STOPPING) {
            return Ok(false);
        }
        let Some(effects) = lifecycle::settle(job, *lease, outcome, now) else { return Ok(false) };
        let verdict = effects.verdict.filter(|verdict| verdict.is_heard(settlement));
        let heard = verdict.map(|verdict| (job.executor.clone(), verdict, settlement));
        // If the transaction is not committed, the run has failed, and its settlement says so.
        self.0.heed(transaction, &heard.into_iter().collect(), now).await?;
        let ended = match effects.delete {
            true => self.0.delete_jobs(transaction, &jobs).await?,
            false => self.0.store_states(transaction, &jobs).await?,
        };
        if jobs.first().is_some_and(|job| job.status == JobStatus::Complete) {
            self.0.insert_rows(transaction, outcome.jobs(), &Progress::default()).await?;
        }
        if !ended.is_empty() && self.0.options.listens() {
            let notify = self.0.query(&self.0.queries.notify_nodes).bind(self.0.queries.channel.clone());
            notify.bind(ends(NO_PROCESS, ended.into_iter().collect())).execute(&mut **transaction).await?;
        }
        Ok(true)
    }
}
