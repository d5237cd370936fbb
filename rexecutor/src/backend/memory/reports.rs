//! What runs say of themselves.

use futures::future::BoxFuture;

use super::{backend::InMemoryBackend, events, roles::ready};
use crate::{
    backend::reports::Reports,
    model::{JobId, Report, Result},
};

impl Reports for InMemoryBackend {
    fn report(&self, reports: Vec<Report>) -> BoxFuture<'_, Result<()>> {
        let (mut store, now) = self.store();
        let store = &mut *store;
        for report in reports {
            if let Some(stored) = store.rows.get(&report.job).filter(|stored| stored.row.lease == report.lease) {
                store.log.tell(|| events::progress(&stored.row, &report.progress, now));
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
