//! How many jobs may start in how much time.

use std::time::Duration;

/// How many jobs of an executor start in how much time, on all nodes together.
///
/// Think of a bucket that holds `burst` tokens, and that `jobs` tokens fall into in each `period`, evenly. A job takes one as it
/// is claimed. So in any window of time no more jobs are claimed than `burst` and those that the window's length brings.
///
/// ```
/// use std::time::Duration;
/// use rexecutor::prelude::*;
///
/// // A hundred a minute, ten of them at once at most.
/// const RATE: Rate = Rate::new(100, Duration::from_secs(60)).with_burst(10);
/// assert_eq!(RATE.check(), Ok(()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rate {
    /// How many jobs, at least 1.
    pub jobs: u32,
    /// In how much time, over zero.
    pub period: Duration,
    /// How many may start at once when none has for a while, at least 1.
    pub burst: u32,
}

/// The longest time in which an empty bucket may fill.
const MAX_FILL: Duration = Duration::from_secs(366 * 24 * 60 * 60);

impl Rate {
    /// So many jobs in each period, all of them at once if none has started for so long.
    pub const fn new(jobs: u32, period: Duration) -> Self {
        Self { jobs, period, burst: jobs }
    }

    /// How many may start at once when none has for a while.
    #[must_use]
    pub const fn with_burst(self, burst: u32) -> Self {
        Self { burst, ..self }
    }

    /// Refuses what is no rate.
    ///
    /// # Errors
    ///
    /// Says what is wrong: a number or the period is zero, or an empty bucket would take more than 366 days to fill.
    pub fn check(self) -> Result<(), &'static str> {
        match self {
            Self { jobs: 0, .. } => Err("it lets no job start at all; the least is 1"),
            Self { burst: 0, .. } => Err("its burst is 0, so no job could ever start; the least is 1"),
            Self { period, .. } if period.is_zero() => Err("its period is zero"),
            rate if rate.interval().saturating_mul(i128::from(rate.burst)) > nanos(MAX_FILL) => {
                Err("its burst takes more than 366 days to gather")
            }
            _ => Ok(()),
        }
    }

    /// The time that brings one token, in nanoseconds, rounded up: rather a billionth too slow than too fast.
    pub fn interval(self) -> i128 {
        let jobs = i128::from(self.jobs.max(1));
        (nanos(self.period) + jobs - 1) / jobs
    }
}

fn nanos(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_rate_is_refused() {
        let second = Duration::from_secs(1);
        for rate in [Rate::new(0, second), Rate::new(1, second).with_burst(0), Rate::new(1, Duration::ZERO)] {
            assert!(rate.check().is_err(), "{rate:?}");
        }
        assert!(Rate::new(1, Duration::from_secs(u64::MAX)).check().is_err());
        assert!(Rate::new(1, Duration::from_secs(86_400)).with_burst(u32::MAX).check().is_err());
        assert_eq!(Rate::new(u32::MAX, second).check(), Ok(()));
        assert_eq!(Rate::new(1, Duration::from_secs(366 * 86_400)).check(), Ok(()));
    }
}
