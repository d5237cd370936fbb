//! What runs say of themselves while they run, gathered in their node until it is stored.
//!
//! # Invariants
//!
//! - A job never waits for it: it changes a value in memory, whatever the backend does.
//! - Of each run the newest value alone is kept, and it has a bound.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tokio::sync::Notify;

use crate::{
    backend::{Backend, reports},
    model::{JobId, Lease, LogLine, Progress, Report, Result},
    validate,
};

/// How many lines of its log a run keeps, and how many bytes of them.
const MOST_LINES: usize = 100;
const MOST_BYTES: usize = 64 << 10;

/// How many bytes a line, or a text about the progress, has at most.
const MOST_LINE_BYTES: usize = 4 << 10;

/// What the runs of a node have said that is not stored yet.
#[derive(Debug, Default)]
pub(crate) struct Reporter {
    unstored: Mutex<Vec<Arc<RunReport>>>,
    /// Fires when there is something.
    news: Notify,
}

/// What a run has said.
#[derive(Debug)]
pub(crate) struct RunReport {
    job: JobId,
    lease: Lease,
    said: Mutex<Said>,
}

#[derive(Debug)]
struct Said {
    progress: Progress,
    log_bytes: usize,
    /// Whether it waits to be stored.
    is_unstored: bool,
}

impl RunReport {
    pub(crate) fn new(job: JobId, lease: Lease, attempt: u16) -> Self {
        let progress = Progress { attempt, ..Progress::default() };
        Self { job, lease, said: Mutex::new(Said { progress, log_bytes: 0, is_unstored: false }) }
    }

    pub(crate) fn progress(
        self: &Arc<Self>,
        reporter: &Reporter,
        done: u64,
        total: u64,
        text: &str,
        now: DateTime<Utc>,
    ) {
        let text = cut(text);
        self.say(reporter, |said| {
            let progress = &mut said.progress;
            (progress.done, progress.total, progress.text, progress.reported_at) = (done, total, text, now);
        });
    }

    pub(crate) fn log(self: &Arc<Self>, reporter: &Reporter, text: &str, now: DateTime<Utc>) {
        let text = cut(text);
        self.say(reporter, |said| {
            said.progress.reported_at = now;
            said.log_bytes += text.len();
            let log = &mut said.progress.log;
            log.push(LogLine::new(now, text));
            let mut left_out = log.len().saturating_sub(MOST_LINES);
            let mut bytes: usize = log.iter().take(left_out).map(|line| line.text.len()).sum();
            while said.log_bytes - bytes > MOST_BYTES {
                bytes += log.get(left_out).map_or(said.log_bytes, |line| line.text.len());
                left_out += 1;
            }
            log.drain(..left_out);
            said.log_bytes -= bytes;
        });
    }

    /// What it has said so far.
    #[cfg(any(test, feature = "__testing"))]
    pub(crate) fn said(&self) -> Progress {
        self.lock().progress.clone()
    }

    fn say(self: &Arc<Self>, reporter: &Reporter, change: impl FnOnce(&mut Said)) {
        let mut said = self.lock();
        change(&mut said);
        if !std::mem::replace(&mut said.is_unstored, true) {
            reporter.unstored().push(self.clone());
            reporter.news.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Report {
        let mut said = self.lock();
        said.is_unstored = false;
        // It consists of nothing that could not be encoded.
        Report::new(self.job, self.lease, serde_json::to_string(&said.progress).unwrap_or_default())
    }
}

impl Reporter {
    fn unstored(&self) -> MutexGuard<'_, Vec<Arc<RunReport>>> {
        self.unstored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is something to store.
    pub(crate) async fn news(&self) {
        while self.unstored().is_empty() {
            self.news.notified().await;
        }
    }

    /// Stores what there is; returns whether there was anything. What could not be stored waits for the next time.
    pub(crate) async fn store(&self, backend: &dyn Backend) -> Result<bool> {
        let runs = std::mem::take(&mut *self.unstored());
        if runs.is_empty() || backend.reports().is_none() {
            return Ok(false);
        }
        let result = reports(backend)?.report(runs.iter().map(|run| run.take()).collect()).await;
        if result.is_err() {
            for run in runs {
                run.say(self, |_| {});
            }
        }
        result.map(|()| true)
    }
}

/// A text that fits.
fn cut(text: &str) -> String {
    let end = (0..=MOST_LINE_BYTES.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    validate::text(&text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_15_2_a_run_that_says_too_much_is_cut() {
        let (reporter, run) = (Reporter::default(), Arc::new(RunReport::new(JobId::from(1), Lease(1), 1)));
        let now = DateTime::UNIX_EPOCH;
        (0..1_000).for_each(|line| run.log(&reporter, &line.to_string(), now));
        let log = run.said().log;
        assert_eq!((log.len(), &*log[0].text, &*log[99].text), (100, "900", "999"));
        (0..100).for_each(|_| run.log(&reporter, &"é".repeat(5_000), now));
        run.progress(&reporter, 1, 2, "a\0b", now);
        let said = run.said();
        assert_eq!((said.log.len(), said.log[0].text.len()), (16, 4 << 10));
        assert_eq!((&*said.text, said.fraction()), ("a\u{fffd}b", Some(0.5)));
        assert_eq!(reporter.unstored().len(), 1, "of each run the newest alone");
    }
}
