//! What runs say of themselves.

use futures::future::BoxFuture;
use rexecutor::{
    backend::{Report, Reports, Result},
    job::JobId,
};

use super::{
    backend::SqliteBackend,
    core::{Commit, Core},
    queries,
    row::micros,
    script::{Script, json},
    work::Work,
};

impl Reports for SqliteBackend {
    fn report(&self, reports: Vec<Report>) -> BoxFuture<'_, Result<()>> {
        let step = async move |work: &mut Work<'_>| {
            let runs: Vec<_> = reports.iter().map(|report| (report.job, report.lease.0, &report.progress)).collect();
            let script = Script::default().then(queries::report_progress());
            let script = if work.is_heard { script.then(queries::tell_progress()) } else { script };
            work.run(script.bind(json(&runs)?)?.bind(micros(work.now))?).await.map(drop)
        };
        Box::pin(self.0.writer.write(Commit::Progress, step))
    }

    fn reported(&self, job: JobId) -> BoxFuture<'_, Result<Option<String>>> {
        let look = async move |core: &mut Core| {
            sqlx::query_scalar(queries::find_progress()).bind(job.as_i64()).fetch_optional(&mut core.conn).await
        };
        Box::pin(self.0.writer.run(look))
    }

    fn sweep(&self) -> BoxFuture<'_, Result<()>> {
        let step =
            async |work: &mut Work<'_>| sqlx::query(queries::sweep_progress()).execute(&mut *work.conn).await.map(drop);
        Box::pin(self.0.writer.write(Commit::Progress, step))
    }
}
