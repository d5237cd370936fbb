//! Telling of the ends of jobs that somebody waits for.

use std::{collections::BTreeSet, sync::Arc};

use futures::future::BoxFuture;
use rexecutor::{
    backend::{Ends, Result},
    job::JobId,
};
use sqlx::PgConnection;

use super::{
    backend::{Database, PgBackend},
    notices::{NO_PROCESS, ends},
};

impl Ends for PgBackend {
    fn await_ends(&self, jobs: Vec<JobId>) -> BoxFuture<'_, Result<()>> {
        let ids: Vec<i64> = jobs.into_iter().map(JobId::as_i64).collect();
        let work = async {
            let mut session = self.0.session().await?;
            self.0.query(&self.0.queries.await_jobs).bind(ids).execute(&mut *session).await?;
            session.end().await
        };
        Box::pin(self.0.limited("could not wait for jobs", work))
    }
}

impl Database {
    /// Tells those who wait, here at once and in other processes soon.
    pub(super) fn tell_ends(self: &Arc<Self>, ended: &[JobId]) {
        if !ended.is_empty() {
            self.listeners.each(|wakeup| wakeup.end(ended));
            let _ = self.tell(BTreeSet::new(), None, ended);
        }
    }

    /// … without a connection of the pool.
    pub(super) async fn tell_ends_on(&self, connection: &mut PgConnection, ended: &[JobId]) -> sqlx::Result<()> {
        self.listeners.each(|wakeup| wakeup.end(ended));
        if ended.is_empty() || !self.options.listens() {
            return Ok(());
        }
        let notify = self.query(&self.queries.notify_nodes).bind(self.queries.channel.clone());
        let notify = notify.bind(ends(NO_PROCESS, ended.iter().copied().collect()));
        self.alone(connection, async |connection| notify.execute(connection).await).await.map(drop)
    }
}
