//! What runs say of themselves: a table of its own, so that the row of a job that runs stays where its claim left it.

use futures::future::BoxFuture;
use rexecutor::{
    backend::{Report, Reports, Result},
    job::JobId,
};
use sqlx::Row;

use super::backend::PgBackend;

impl Reports for PgBackend {
    fn report(&self, reports: Vec<Report>) -> BoxFuture<'_, Result<()>> {
        let ids: Vec<i64> = reports.iter().map(|report| report.job.as_i64()).collect();
        let leases: Vec<i64> = reports.iter().map(|report| report.lease.0).collect();
        let said: Vec<String> = reports.into_iter().map(|report| report.progress).collect();
        let work = async {
            let mut session = self.0.session().await?;
            let report = self.0.query(&self.0.queries.report_progress).bind(ids).bind(leases).bind(said);
            let report = report.bind(self.0.now());
            report.execute(&mut *session).await?;
            session.end().await
        };
        Box::pin(async move {
            self.0.limited("could not store the progress of jobs", work).await?;
            self.0.tell_events();
            Ok(())
        })
    }

    fn reported(&self, job: JobId) -> BoxFuture<'_, Result<Option<String>>> {
        let work = async move {
            let mut session = self.0.session().await?;
            let find = self.0.query(&self.0.queries.find_progress).bind(job.as_i64());
            let found = find.fetch_optional(&mut *session).await?;
            session.end().await?;
            found.map(|row| row.try_get("report")).transpose()
        };
        Box::pin(self.0.limited("could not read the progress of a job", work))
    }

    fn sweep(&self) -> BoxFuture<'_, Result<()>> {
        let work = async {
            let mut session = self.0.session().await?;
            self.0.query(&self.0.queries.sweep_progress).execute(&mut *session).await?;
            session.end().await
        };
        Box::pin(self.0.limited("could not delete the progress of jobs that are gone", work))
    }
}
