//! Circuit breakers, as they are stored.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use rexecutor::{
    backend::{
        Settlement,
        breaker::{Breaker, BreakerNotice, OpenBreaker, Verdict},
    },
    job::ExecutorName,
};

/// What ends of runs say about executors, in the order in which they were settled.
pub(crate) type Heard<'s> = Vec<(ExecutorName, Verdict, &'s Settlement)>;

/// Takes in what was heard; returns what has become of the breakers.
pub(crate) fn heed(
    breakers: &mut BTreeMap<ExecutorName, Breaker>,
    heard: &Heard<'_>,
    now: DateTime<Utc>,
) -> Vec<BreakerNotice> {
    let heed = |(executor, verdict, settlement): &(ExecutorName, Verdict, &Settlement)| {
        breakers.entry(executor.clone()).or_default().heed(executor, *verdict, settlement, now)
    };
    heard.iter().filter_map(heed).collect()
}

/// The stored columns of a breaker.
pub(crate) struct BreakerColumns {
    pub(crate) failures: String,
    pub(crate) opened_at: Option<DateTime<Utc>>,
    pub(crate) open_until: Option<DateTime<Utc>>,
    /// In microseconds.
    pub(crate) pause: Option<i64>,
    pub(crate) reason: Option<String>,
}

impl BreakerColumns {
    pub(crate) fn of(breaker: &Breaker) -> Self {
        let failures: Vec<i64> = breaker.failures.iter().map(DateTime::timestamp_micros).collect();
        let open = breaker.open.as_ref();
        Self {
            failures: serde_json::json!(failures).to_string(),
            opened_at: open.map(|open| open.since),
            open_until: open.map(|open| open.until),
            pause: open.and_then(|open| open.pause.num_microseconds()),
            reason: open.map(|open| open.reason.clone()),
        }
    }

    /// What somebody else wrote counts for nothing.
    pub(crate) fn breaker(self) -> Breaker {
        let failures: Vec<i64> = serde_json::from_str(&self.failures).unwrap_or_default();
        let mut breaker = Breaker::default();
        breaker.failures = failures.into_iter().filter_map(DateTime::from_timestamp_micros).collect();
        breaker.open = self.open();
        breaker
    }

    /// How it is open. One that somebody else has written lets a job through now.
    pub(crate) fn open(self) -> Option<OpenBreaker> {
        let since = self.opened_at?;
        let pause = TimeDelta::microseconds(self.pause.unwrap_or_default().max(0));
        Some(OpenBreaker::new(since, self.open_until.unwrap_or(since), pause, self.reason.unwrap_or_default()))
    }
}
