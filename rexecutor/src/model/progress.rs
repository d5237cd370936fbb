//! How far a run has got, as it says itself.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::id::{JobId, Lease};

/// What runs have said of themselves, to be stored: of each the newest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The job.
    pub job: JobId,
    /// The run: stored only while the job still has this lease.
    pub lease: Lease,
    /// A [`Progress`], as JSON.
    pub progress: String,
}

impl Report {
    /// What the run that holds this lease says.
    pub fn new(job: JobId, lease: Lease, progress: impl Into<String>) -> Self {
        Self { job, lease, progress: progress.into() }
    }
}

/// How far an attempt has got, and what it has logged: what the job said with
/// [`progress`](crate::JobContext::progress) and [`log`](crate::JobContext::log).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Progress {
    /// The attempt that says so.
    pub attempt: u16,
    /// How much is done, of `total`.
    #[serde(default)]
    pub done: u64,
    /// How much there is to do; 0 before the job has said so.
    #[serde(default)]
    pub total: u64,
    /// What it is doing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// What it has logged, oldest first: the last 100 lines, and 64 KiB of them at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<LogLine>,
    /// When it last said anything, by its node's clock.
    pub reported_at: DateTime<Utc>,
}

impl Progress {
    /// The part that is done, from 0 to 1; `None` before the job has said how much there is to do.
    pub fn fraction(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a bar has fewer pixels")]
        (self.total > 0).then(|| (self.done as f64 / self.total as f64).min(1.0))
    }
}

/// A line that a job has logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogLine {
    /// When, by its node's clock.
    pub at: DateTime<Utc>,
    /// What.
    pub text: String,
}

impl LogLine {
    /// A line that was logged then.
    pub fn new(at: DateTime<Utc>, text: impl Into<String>) -> Self {
        Self { at, text: text.into() }
    }
}
