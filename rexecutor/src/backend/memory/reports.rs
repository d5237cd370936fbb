//! What runs say of themselves.

use futures::future::BoxFuture;

use super::{backend::InMemoryBackend, roles::ready};
use crate::{
    backend::reports::Reports,
    model::{JobId, Report, Result},
};

impl Reports for InMemoryBackend {
    fn report(&self, reports: Vec<Report>) -> BoxFuture<'_, Result<()>> {
        let (mut store, _) = self.store();
        for report in reports {
            if store.rows.get(&report.job).is_some_and(|stored| stored.row.lease == report.lease) {
                store.reports.insert(report.job, report.progress);
            }
        }
        ready(Ok(()))
    }

    fn reported(&self, job: JobId) -> BoxFuture<'_, Result<Option<String>>> {
        ready(Ok(self.store().0.reports.get(&job).cloned()))
    }

    fn sweep(&self) -> BoxFuture<'_, Result<()>> {
        // They are deleted with their jobs.
        ready(Ok(()))
    }
}
