//! Enqueuing inside the application's transaction.

use futures::future::BoxFuture;
use rexecutor::backend::{BackendError, EnqueueIn, Enqueued, NewJob, Result};
use sqlx::{Postgres, Row, Transaction};

use super::{
    backend::{Database, Identity, PgBackend},
    enqueue::executors,
    error::failed,
    notices::{NO_PROCESS, payloads},
    session::Progress,
};

pub(super) const WHAT: &str = "could not store jobs in the transaction";

/// Other transactions that enqueue a job with the same unique key wait until the transaction ends. Nodes are notified by its
/// commit, unless [`PgOptions::notify_in_transactions`](crate::PgOptions::notify_in_transactions) is off.
impl<'t> EnqueueIn<Transaction<'t, Postgres>> for PgBackend {
    fn enqueue_in<'a>(
        &'a self,
        transaction: &'a mut Transaction<'t, Postgres>,
        jobs: Vec<NewJob>,
    ) -> BoxFuture<'a, Result<Vec<Enqueued>>> {
        Box::pin(async move {
            self.0.announce(transaction, &jobs).await?;
            self.take_places(&jobs).await?;
            self.0.insert(transaction, jobs, &Progress::default()).await.map_err(failed(WHAT))
        })
    }
}

impl Database {
    /// On which database this backend is.
    pub(super) async fn identify(&self) -> Result<Identity> {
        if let Some(identity) = self.identity.get() {
            return Ok(*identity);
        }
        let work = async {
            let mut session = self.session().await?;
            let query = self.query(&self.queries.announce_jobs).bind(self.queries.channel.clone());
            let row = query.bind(Vec::<String>::new()).fetch_one(&mut *session).await?;
            session.end().await?;
            Ok((row.try_get("cluster")?, row.try_get("database")?))
        };
        let identity = self.limited("could not ask which database this is", work).await?;
        Ok(*self.identity.get_or_init(|| identity))
    }

    /// Has nodes notified when the transaction commits, if it is on this backend's database.
    pub(super) async fn announce(&self, transaction: &mut Transaction<'_, Postgres>, jobs: &[NewJob]) -> Result<()> {
        let identity = self.identify().await?;
        // Nobody's own: this process, too, hears of it when the transaction commits.
        let payloads = match self.options.listens() && self.options.notify_in_transactions {
            true => payloads(NO_PROCESS, executors(jobs), Default::default()),
            false => Vec::new(),
        };
        let query = self.query(&self.queries.announce_jobs).bind(self.queries.channel.clone()).bind(payloads);
        let row = query.fetch_one(&mut **transaction).await.map_err(failed(WHAT))?;
        let found = (row.try_get("cluster"), row.try_get("database"));
        match found {
            (Ok(cluster), Ok(database)) if (cluster, database) == identity => Ok(()),
            _ => Err(elsewhere()),
        }
    }
}

pub(super) fn elsewhere() -> BackendError {
    BackendError::message(
        "the transaction is on another database than the backend: begin it on a connection to the database that the \
         `PgBackend` is connected to",
    )
}
