//! What is kept of how jobs went: counts and times by executor and by how runs ended, in steps of time.

use std::{fmt, time::Duration};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde::Serialize;

use super::{histogram::Histogram, id::ExecutorName, time::ago};

/// How a run has ended, in the word that the log, traces, metrics and the history have for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunEnd {
    /// The attempt succeeded.
    Completed,
    /// The attempt failed, and another one follows.
    Retried,
    /// The attempt failed, and none follows.
    Discarded,
    /// The job cancelled itself, or it ended after somebody cancelled it.
    Cancelled,
    /// The job runs again later.
    Snoozed,
    /// The job has learned of a quota, and runs later, as do others.
    Throttled,
    /// This version of the program cannot read the job, which waits for another one.
    Deferred,
    /// The job waits in one of its steps.
    Suspended,
    /// The node stopped the job through no fault of the job's.
    GivenBack,
}

impl RunEnd {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Completed,
        Self::Retried,
        Self::Discarded,
        Self::Cancelled,
        Self::Snoozed,
        Self::Throttled,
        Self::Deferred,
        Self::Suspended,
        Self::GivenBack,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Retried => "retried",
            Self::Discarded => "discarded",
            Self::Cancelled => "cancelled",
            Self::Snoozed => "snoozed",
            Self::Throttled => "throttled",
            Self::Deferred => "deferred",
            Self::Suspended => "suspended",
            Self::GivenBack => "given_back",
        }
    }

    /// The one with this word; `None`: a newer program has written it.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|end| end.as_str() == word)
    }

    /// Whether the attempt failed.
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Retried | Self::Discarded)
    }
}

impl fmt::Display for RunEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A step of time in which a history counts, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HistoryStep {
    /// A minute, which is kept for three hours, and then added to its hour.
    Minute,
    /// An hour, which is kept for 15 days, and then added to its day.
    Hour,
    /// A day, which is kept for 400 days.
    Day,
}

impl HistoryStep {
    /// From the shortest.
    pub const ALL: &[Self] = &[Self::Minute, Self::Hour, Self::Day];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// How long it is.
    pub const fn length(self) -> TimeDelta {
        match self {
            Self::Minute => TimeDelta::minutes(1),
            Self::Hour => TimeDelta::hours(1),
            Self::Day => TimeDelta::days(1),
        }
    }

    /// For how long it is kept.
    pub const fn kept(self) -> TimeDelta {
        match self {
            Self::Minute => TimeDelta::hours(3),
            Self::Hour => TimeDelta::days(15),
            Self::Day => TimeDelta::days(400),
        }
    }

    /// What it is added to after that; `None`: it is deleted.
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::Minute => Some(Self::Hour),
            Self::Hour => Some(Self::Day),
            Self::Day => None,
        }
    }

    /// In which steps the last `span` is told: minutes up to two hours, hours up to 14 days, and days beyond.
    pub fn for_span(span: Duration) -> Self {
        match span.as_secs() {
            0..=7_200 => Self::Minute,
            7_201..=1_209_600 => Self::Hour,
            _ => Self::Day,
        }
    }

    /// When the step began that an instant lies in.
    pub fn start(self, at: DateTime<Utc>) -> DateTime<Utc> {
        // It fails for instants that are thousands of years from 1970 alone.
        at.duration_trunc(self.length()).unwrap_or(at)
    }

    /// From when on a history is read that is to have the last `span`: the start of a step. No more is read than is kept.
    pub fn since(self, now: DateTime<Utc>, span: Duration) -> DateTime<Utc> {
        let span = TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX).min(Self::Day.kept());
        self.start(ago(now, span))
    }
}

/// What a node has counted of one executor's runs that ended alike.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Whose runs.
    pub executor: ExecutorName,
    /// How they ended.
    pub end: RunEnd,
    /// How long ago, on the node's clock that nobody can set: the backend knows what time it is.
    pub age: Duration,
    /// How long they ran.
    pub run: Histogram,
    /// How long they had waited, from when they were due to when they were claimed.
    pub wait: Histogram,
}

impl Tally {
    /// Runs that ended so long ago, without any yet.
    pub fn new(executor: impl Into<ExecutorName>, end: RunEnd, age: Duration) -> Self {
        Self { executor: executor.into(), end, age, run: Histogram::default(), wait: Histogram::default() }
    }

    /// Counts one.
    #[must_use]
    pub fn with(mut self, run: Duration, wait: Duration) -> Self {
        self.run.record(run);
        self.wait.record(wait);
        self
    }
}

/// What is kept of one executor's runs that ended alike within a step of time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// When the step began.
    pub at: DateTime<Utc>,
    /// Whose runs.
    pub executor: ExecutorName,
    /// How they ended.
    pub end: RunEnd,
    /// How long they ran.
    pub run: Histogram,
    /// How long they had waited.
    pub wait: Histogram,
}

impl Record {
    /// What is kept of these.
    pub fn new(
        at: DateTime<Utc>,
        executor: impl Into<ExecutorName>,
        end: RunEnd,
        run: Histogram,
        wait: Histogram,
    ) -> Self {
        Self { at, executor: executor.into(), end, run, wait }
    }
}

/// What a backend has read of its history.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recorded {
    /// The backend's present.
    pub now: DateTime<Utc>,
    /// In no order. Some may be of shorter steps than others.
    pub records: Vec<Record>,
}

impl Recorded {
    /// These, at this present.
    pub fn new(now: DateTime<Utc>, records: Vec<Record>) -> Self {
        Self { now, records }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back_and_no_others() {
        assert!(RunEnd::ALL.iter().all(|end| RunEnd::of(end.as_str()) == Some(*end)));
        assert_eq!(RunEnd::of("exploded"), None);
    }

    #[test]
    fn a_step_is_read_for_as_long_as_it_is_kept() {
        for span in [0, 7_200, 7_201, 1_209_600, 1_209_601, u64::MAX] {
            let span = Duration::from_secs(span);
            let step = HistoryStep::for_span(span);
            let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(12_345);
            let since = step.since(now, span);
            assert_eq!(step.start(since), since);
            assert!(now - since <= step.kept() + step.length(), "{span:?}: {since}");
        }
        assert_eq!(HistoryStep::Minute.start(DateTime::UNIX_EPOCH - TimeDelta::seconds(1)).timestamp(), -60);
    }
}
