//! Telling of the ends of jobs that somebody waits for: those of this process by the writer, after its commits; those of others as
//! whatever they do is heard.

use futures::future::BoxFuture;
use rexecutor::{
    backend::{Ends, Result},
    job::JobId,
};

use super::{backend::SqliteBackend, core::Commit, queries, script::json, work::Work};

impl Ends for SqliteBackend {
    fn await_ends(&self, jobs: Vec<JobId>) -> BoxFuture<'_, Result<()>> {
        let step = async move |work: &mut Work<'_>| {
            sqlx::query(queries::await_jobs()).bind(json(&jobs)?).execute(&mut *work.conn).await.map(drop)
        };
        // Lost with the power, it is done again: nobody waits any more.
        Box::pin(self.0.writer.write(Commit::Progress, step))
    }
}
