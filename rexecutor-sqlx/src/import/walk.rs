//! Going over the old table, batch by batch.

use std::{pin::pin, time::Duration};

use futures::FutureExt;
use rexecutor::clock::{Clock, SystemClock};

use super::{Batch, Import01, ImportProgress, ImportReport, Result};
use crate::PgBackend;

/// How many jobs one transaction moves at most.
const MOST_JOBS: usize = 200;

/// About how many bytes it moves at most, as they are stored.
const BYTES: i64 = 4 << 20;

/// How many numbers of old jobs are read at once.
const PAGE: usize = 100_000;

/// How long after one look for jobs the next one follows.
const PAUSE: Duration = Duration::from_secs(1);

impl Import01 {
    pub(super) async fn run_until<S: Future<Output = ()> + Send>(self, stop: Option<S>) -> Result<ImportReport> {
        let backend = self.open().await?;
        if self.must_be_alone() {
            backend.find_old_programs().await?;
        }
        let (statuses, follows) = (self.statuses(), stop.is_some());
        let mut stop = pin!(async move {
            match stop {
                Some(stop) => stop.await,
                None => std::future::pending().await,
            }
        });
        let mut report = ImportReport::new(&self.schema);
        let mut is_over = false;
        loop {
            report.forget_refused();
            let before = report.moved_jobs();
            let mut ends = || {
                is_over = is_over || stop.as_mut().now_or_never().is_some();
                is_over
            };
            self.walk(backend, &statuses, false, &mut report, &mut ends).await?;
            if is_over {
                break;
            }
            match (follows, report.moved_jobs() > before) {
                // Behind those that were locked, or have come to wait meanwhile, there may be more.
                (_, true) => {}
                (false, false) => break,
                (true, false) => {
                    tokio::select! {
                        biased;
                        () = &mut stop => break,
                        () = SystemClock.sleep(PAUSE) => {}
                    }
                }
            }
        }
        report.left = backend.count_old_jobs(&self.schema).await?;
        Ok(report)
    }

    /// Goes once over what there is, by number.
    pub(super) async fn walk(
        &self,
        backend: &PgBackend,
        statuses: &[&'static str],
        is_dry: bool,
        report: &mut ImportReport,
        ends: &mut (dyn FnMut() -> bool + Send),
    ) -> Result<()> {
        let stored = |jobs| self.tell(ImportProgress::Stored { jobs });
        let mut after = i32::MIN;
        loop {
            let page = backend.list_old_jobs(&self.schema, statuses, &self.executors, (after, PAGE)).await?;
            let mut rest = &page[..];
            while !rest.is_empty() {
                if ends() {
                    return Ok(());
                }
                let (now, later) = rest.split_at(batch_size(rest));
                rest = later;
                let batch = Batch {
                    schema: &self.schema,
                    statuses,
                    ids: now.iter().map(|(id, _)| *id).collect(),
                    max_data_bytes: self.max_data_bytes,
                    lock: self.lock(),
                    must_be_alone: self.must_be_alone(),
                    stored: &stored,
                };
                let moved = match is_dry {
                    true => backend.try_old_jobs(&batch).await?,
                    false => backend.move_old_jobs(&batch).await?,
                };
                let jobs = moved.jobs.len() as u64;
                report.add(moved);
                self.tell(ImportProgress::Moved { jobs, moved: report.moved_jobs() });
            }
            match page.last() {
                Some((last, _)) if page.len() == PAGE => after = *last,
                _ => return Ok(()),
            }
        }
    }
}

/// How many of the first ones go into one transaction.
fn batch_size(jobs: &[(i32, i64)]) -> usize {
    let mut bytes = 0;
    let fits = |(_, size): &&(i32, i64)| {
        bytes += size;
        bytes <= BYTES
    };
    jobs.iter().take(MOST_JOBS).take_while(fits).count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_bounded_by_jobs_and_by_bytes_and_has_one_at_least() {
        let jobs = |count: i32, bytes: i64| (0..count).map(|id| (id, bytes)).collect::<Vec<_>>();
        assert_eq!(batch_size(&jobs(1_000, 100)), MOST_JOBS);
        assert_eq!(batch_size(&jobs(3, 100)), 3);
        assert_eq!(batch_size(&jobs(1_000, 1 << 20)), 4);
        assert_eq!(batch_size(&jobs(1_000, 1 << 30)), 1);
    }
}
