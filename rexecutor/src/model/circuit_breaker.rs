//! When an executor is paused by itself.

use std::time::Duration;

/// Pauses an executor by itself, on all nodes, when its attempts keep failing.
///
/// It opens once `after` attempts have failed within `within`: then no job of the executor is claimed for the time `pause`.
/// After that one job is let through, one in the whole cluster. If its attempt succeeds, the breaker closes and all go on; if it
/// fails, the breaker stays open for another `pause`.
///
/// An attempt fails by an error, a panic or a timeout. Snoozes, throttles, cancels and jobs that were given back do not count,
/// nor do data that do not decode, deadlines that have passed, and nodes that died: they say nothing about the work. Successes
/// do not reset the count: an executor that fails nine times out of ten is stopped as well, and a success costs nothing. So
/// choose an `after` that is above what fails within `within` on a normal day.
///
/// ```
/// use std::time::Duration;
/// use rexecutor::executor::CircuitBreaker;
///
/// // Twenty failures within a minute pause the executor for five.
/// const BREAKER: CircuitBreaker = CircuitBreaker::new(20, Duration::from_secs(60), Duration::from_secs(300));
/// assert_eq!(BREAKER.check(), Ok(()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CircuitBreaker {
    /// How many failed attempts open it, 1 to [`MAX_FAILURES`](Self::MAX_FAILURES).
    pub after: u32,
    /// Within which time they must have failed, over zero.
    pub within: Duration,
    /// How long the executor is paused before one job is let through, over zero.
    pub pause: Duration,
}

/// The longest times: 366 days.
const MAX_TIME: Duration = Duration::from_secs(366 * 24 * 60 * 60);

impl CircuitBreaker {
    /// The most failed attempts that can be counted, because the instant of each is stored.
    pub const MAX_FAILURES: u32 = 1_000;

    /// Opens after so many failed attempts within a time, and pauses the executor for another one.
    pub const fn new(after: u32, within: Duration, pause: Duration) -> Self {
        Self { after, within, pause }
    }

    /// Refuses what could never open, or never close.
    ///
    /// # Errors
    ///
    /// Says what is wrong: `after` is not 1 to 1,000, or one of the times is zero or longer than 366 days.
    pub fn check(self) -> Result<(), &'static str> {
        match self {
            Self { after: 0, .. } => Err("it opens after 0 failures, before anything has failed; the least is 1"),
            Self { after, .. } if after > Self::MAX_FAILURES => Err("it counts more than 1,000 failures"),
            Self { within, .. } if within.is_zero() => Err("its `within` is zero, so nothing would ever count"),
            Self { pause, .. } if pause.is_zero() => Err("its `pause` is zero"),
            Self { within, pause, .. } if within > MAX_TIME || pause > MAX_TIME => {
                Err("one of its times is longer than 366 days")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_never_open_or_close_is_refused() {
        let (second, zero) = (Duration::from_secs(1), Duration::ZERO);
        let breaker = CircuitBreaker::new;
        let long = MAX_TIME + second;
        for wrong in [
            breaker(0, second, second),
            breaker(1_001, second, second),
            breaker(1, zero, second),
            breaker(1, second, zero),
            breaker(1, long, second),
            breaker(1, second, long),
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
        assert_eq!(breaker(1, second, MAX_TIME).check(), Ok(()));
        assert_eq!(breaker(1_000, MAX_TIME, second).check(), Ok(()));
    }
}
