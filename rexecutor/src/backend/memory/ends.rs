//! Telling of the ends of jobs that somebody waits for.

use futures::future::BoxFuture;

use super::{backend::InMemoryBackend, roles::ready};
use crate::{
    backend::ends::Ends,
    model::{JobId, Marks, Result},
};

impl Ends for InMemoryBackend {
    fn await_ends(&self, jobs: Vec<JobId>) -> BoxFuture<'_, Result<()>> {
        let (mut store, _) = self.store();
        for job in jobs {
            let _ = store.change(job, |row| {
                if !row.status.is_finished() {
                    row.marks = row.marks.with(Marks::AWAITED);
                }
            });
        }
        ready(Ok(()))
    }
}

impl InMemoryBackend {
    /// Tells those who wait of the ends of these jobs.
    pub(super) fn tell_ends(&self, ended: &[JobId]) {
        if !ended.is_empty() {
            self.listeners.each(|wakeup| wakeup.end(ended));
        }
    }
}
