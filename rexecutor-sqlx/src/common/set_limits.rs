//! Limits that somebody has set, as numbers to be stored.

use std::time::Duration;

use rexecutor::backend::{Bucket, ClusterLimits, LimitChange, Rate};

/// Those of one executor. A rate is stored as it was given, and as claims go by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SetNumbers {
    pub(crate) running: Option<i64>,
    pub(crate) per_key: Option<i64>,
    pub(crate) jobs: Option<i64>,
    /// In nanoseconds.
    pub(crate) period: Option<i64>,
    pub(crate) interval: Option<i64>,
    pub(crate) burst: Option<i64>,
}

impl SetNumbers {
    pub(crate) fn of(limits: &ClusterLimits) -> Self {
        let number = |most: usize| i64::try_from(most).unwrap_or(i64::MAX);
        let (interval, burst) = limits.rate.map(Bucket::numbers).unzip();
        Self {
            running: limits.concurrency.map(number),
            per_key: limits.per_key.map(number),
            jobs: limits.rate.map(|rate| rate.jobs.into()),
            period: limits.rate.map(|rate| i64::try_from(rate.period.as_nanos()).unwrap_or(i64::MAX)),
            interval,
            burst,
        }
    }

    fn limits(self) -> ClusterLimits {
        let count = |number: i64| usize::try_from(number).unwrap_or_default();
        let small = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
        let rate = self.jobs.zip(self.period).zip(self.burst).map(|((jobs, period), burst)| {
            let period = Duration::from_nanos(u64::try_from(period).unwrap_or_default());
            Rate::new(small(jobs), period).with_burst(small(burst))
        });
        let limits = ClusterLimits::NONE.with_concurrency(self.running.map(count)).with_rate(rate);
        limits.with_per_key(self.per_key.map(count))
    }
}

/// What was set, by whom and why.
pub(crate) fn change_of(numbers: SetNumbers, reason: String, by: Option<String>) -> LimitChange {
    let mut change = LimitChange::new(reason);
    (change.limits, change.by) = (numbers.limits(), by);
    change
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_is_shown_as_it_was_given() {
        let rate = Rate::new(100, Duration::from_secs(60)).with_burst(7);
        let limits = ClusterLimits::NONE.with_concurrency(Some(3)).with_rate(Some(rate)).with_per_key(Some(1));
        for limits in [limits, ClusterLimits::NONE] {
            assert_eq!(SetNumbers::of(&limits).limits(), limits);
        }
    }
}
