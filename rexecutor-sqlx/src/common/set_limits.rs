//! Limits that somebody has set, as numbers to be stored.

use std::time::Duration;

use rexecutor::backend::{Bucket, ClusterLimits, LimitChange, Rate};

/// Those of one executor. A rate is stored as it was given, and as claims go by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SetNumbers {
    pub(crate) running: Option<i64>,
    pub(crate) per_key: Option<i64>,
    pub(crate) rate: RateNumbers,
    /// That of each key.
    pub(crate) key_rate: RateNumbers,
}

/// A rate, as it was given, and as claims go by it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RateNumbers {
    pub(crate) jobs: Option<i64>,
    /// In nanoseconds.
    pub(crate) period: Option<i64>,
    pub(crate) interval: Option<i64>,
    pub(crate) burst: Option<i64>,
}

impl RateNumbers {
    fn of(rate: Option<Rate>) -> Self {
        let (interval, burst) = rate.map(Bucket::numbers).unzip();
        Self {
            jobs: rate.map(|rate| rate.jobs.into()),
            period: rate.map(|rate| i64::try_from(rate.period.as_nanos()).unwrap_or(i64::MAX)),
            interval,
            burst,
        }
    }

    fn rate(self) -> Option<Rate> {
        let small = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
        let ((jobs, period), burst) = self.jobs.zip(self.period).zip(self.burst)?;
        let period = Duration::from_nanos(u64::try_from(period).unwrap_or_default());
        Some(Rate::new(small(jobs), period).with_burst(small(burst)))
    }
}

impl SetNumbers {
    pub(crate) fn of(limits: &ClusterLimits) -> Self {
        let number = |most: usize| i64::try_from(most).unwrap_or(i64::MAX);
        Self {
            running: limits.concurrency.map(number),
            per_key: limits.per_key.map(number),
            rate: RateNumbers::of(limits.rate),
            key_rate: RateNumbers::of(limits.key_rate),
        }
    }

    fn limits(self) -> ClusterLimits {
        let count = |number: i64| usize::try_from(number).unwrap_or_default();
        let limits = ClusterLimits::NONE.with_concurrency(self.running.map(count)).with_rate(self.rate.rate());
        limits.with_per_key(self.per_key.map(count)).with_key_rate(self.key_rate.rate())
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
        let limits = limits.with_key_rate(Some(Rate::new(5, Duration::from_secs(1))));
        for limits in [limits, ClusterLimits::NONE] {
            assert_eq!(SetNumbers::of(&limits).limits(), limits);
        }
    }
}
