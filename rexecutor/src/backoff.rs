//! How long a failed job waits for its next attempt.
//!
//! # Examples
//!
//! ```
//! use rexecutor::{backoff::{BackoffStrategy, Strategy}, TimeDelta};
//!
//! const BACKOFF: BackoffStrategy = BackoffStrategy::linear(TimeDelta::seconds(20)).with_max(TimeDelta::seconds(50));
//!
//! assert_eq!(BACKOFF.backoff(1), TimeDelta::seconds(20));
//! assert_eq!(BACKOFF.backoff(2), TimeDelta::seconds(40));
//! assert_eq!(BACKOFF.backoff(3), TimeDelta::seconds(50));
//! ```

use chrono::TimeDelta;
use rand::RngExt;

use crate::limits::MAX_DELAY;

/// Gives the delay before the next attempt.
pub trait Strategy {
    /// The delay after attempt number `attempt`, which counts from 1, has failed.
    fn backoff(&self, attempt: u16) -> TimeDelta;
}

/// What [`Executor::backoff`](crate::executor::Executor::backoff) uses unless it is overridden: exponential from
/// 4 seconds, at most 7 days, spread by a tenth either way.
pub const DEFAULT_BACKOFF: BackoffStrategy =
    BackoffStrategy::exponential(TimeDelta::seconds(4)).with_max(TimeDelta::days(7)).with_jitter(Jitter::Relative(0.1));

/// The common backoffs, usable in constants.
///
/// The delay is computed by the curve, capped by [`with_max`](Self::with_max), spread by
/// [`with_jitter`](Self::with_jitter), and raised to [`with_min`](Self::with_min): jitter may thus pass the maximum,
/// and never the minimum. No input overflows: a delay is never negative and never over 1,000 years. Delays are whole
/// microseconds; what is over zero is one at least, before jitter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BackoffStrategy {
    curve: Curve,
    max: TimeDelta,
    min: TimeDelta,
    jitter: Option<Jitter>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Curve {
    Constant(TimeDelta),
    Linear(TimeDelta),
    Exponential(TimeDelta),
    Polynomial(TimeDelta, u32),
}

/// A random change of a delay, so that jobs which failed together do not come back together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Jitter {
    /// Up to this much earlier or later.
    Absolute(TimeDelta),
    /// Up to this part of the delay earlier or later: `0.1` is a tenth. Not a number counts as 0.
    Relative(f64),
}

impl BackoffStrategy {
    const fn new(curve: Curve) -> Self {
        Self { curve, max: MAX_DELAY, min: TimeDelta::zero(), jitter: None }
    }

    /// The same `delay` after each attempt.
    pub const fn constant(delay: TimeDelta) -> Self {
        Self::new(Curve::Constant(delay))
    }

    /// `step` × attempt: 10 s, 20 s, 30 s, …
    pub const fn linear(step: TimeDelta) -> Self {
        Self::new(Curve::Linear(step))
    }

    /// `base` × 2^(attempt − 1): 4 s, 8 s, 16 s, …
    pub const fn exponential(base: TimeDelta) -> Self {
        Self::new(Curve::Exponential(base))
    }

    /// `factor` × attempt^`power`: with a power of 2, 10 s, 40 s, 90 s, …
    pub const fn polynomial(factor: TimeDelta, power: u32) -> Self {
        Self::new(Curve::Polynomial(factor, power))
    }

    /// Caps the delay, before jitter. The default is 1,000 years.
    pub const fn with_max(mut self, max: TimeDelta) -> Self {
        self.max = max;
        self
    }

    /// The least delay, after jitter. The default is zero.
    pub const fn with_min(mut self, min: TimeDelta) -> Self {
        self.min = min;
        self
    }

    /// Spreads the delay at random. The default is none.
    pub const fn with_jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = Some(jitter);
        self
    }
}

impl Strategy for BackoffStrategy {
    fn backoff(&self, attempt: u16) -> TimeDelta {
        let attempt = attempt.max(1);
        let (base, factor) = match self.curve {
            Curve::Constant(delay) => (delay, 1.0),
            Curve::Linear(step) => (step, f64::from(attempt)),
            Curve::Exponential(base) => (base, 2_f64.powi(i32::from(attempt) - 1)),
            Curve::Polynomial(base, power) => (base, f64::from(attempt).powf(f64::from(power))),
        };
        let delay = scale(base, factor).min(self.max);
        self.jitter.map_or(delay, |jitter| jitter.spread(delay)).max(self.min).clamp(TimeDelta::zero(), MAX_DELAY)
    }
}

impl Jitter {
    fn spread(self, delay: TimeDelta) -> TimeDelta {
        let width = match self {
            Self::Absolute(width) => width.abs(),
            Self::Relative(part) => scale(delay, part.abs()),
        };
        let Some(micros) = width.num_microseconds() else { return delay };
        let shift = rand::rng().random_range(-micros..=micros);
        delay.checked_add(&TimeDelta::microseconds(shift)).unwrap_or(delay)
    }
}

/// `delay` × `factor` in microseconds, at most [`MAX_DELAY`]; doubles lose nothing that matters to a delay, and saturate. What
/// is over zero is at least one microsecond, which is the least that backends can tell apart.
fn scale(delay: TimeDelta, factor: f64) -> TimeDelta {
    const LIMIT: i64 = MAX_DELAY.num_seconds() * 1_000_000;
    let micros = match delay > TimeDelta::zero() {
        true => delay.num_microseconds().map_or(LIMIT, |micros| micros.clamp(1, LIMIT)),
        false => 0,
    };
    #[expect(clippy::cast_precision_loss, reason = "a delay needs no more than 53 bits")]
    let scaled = micros as f64 * factor;
    #[expect(clippy::cast_possible_truncation, reason = "a float saturates when it is cast, and not a number is 0")]
    let micros = if scaled > 0.0 { (scaled + 0.5).max(1.0) as i64 } else { 0 };
    TimeDelta::microseconds(micros.min(LIMIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(strategy: BackoffStrategy, seconds: [i64; 4]) {
        assert_eq!([1, 2, 3, 4].map(|attempt| strategy.backoff(attempt).num_seconds()), seconds);
    }

    #[test]
    fn curves_grow_as_documented() {
        check(BackoffStrategy::constant(TimeDelta::seconds(7)), [7, 7, 7, 7]);
        check(BackoffStrategy::linear(TimeDelta::seconds(10)), [10, 20, 30, 40]);
        check(BackoffStrategy::exponential(TimeDelta::seconds(4)), [4, 8, 16, 32]);
        check(BackoffStrategy::polynomial(TimeDelta::seconds(10), 2), [10, 40, 90, 160]);
        check(BackoffStrategy::linear(TimeDelta::seconds(10)).with_max(TimeDelta::seconds(25)), [10, 20, 25, 25]);
        check(BackoffStrategy::linear(TimeDelta::seconds(10)).with_min(TimeDelta::seconds(15)), [15, 20, 30, 40]);
    }

    /// Trap 27: backoff overflows and panics, or wraps to "at once"; negative jitter.
    #[test]
    fn trap_27_no_input_overflows_or_is_negative() {
        let bases =
            [TimeDelta::MIN, TimeDelta::seconds(-1), TimeDelta::zero(), TimeDelta::days(400_000), TimeDelta::MAX];
        let jitters = [
            Jitter::Relative(f64::NAN),
            Jitter::Relative(f64::INFINITY),
            Jitter::Relative(-3.0),
            Jitter::Absolute(TimeDelta::MIN + TimeDelta::milliseconds(1)),
            Jitter::Absolute(TimeDelta::MAX),
        ];
        for base in bases {
            for strategy in [
                BackoffStrategy::constant(base),
                BackoffStrategy::linear(base),
                BackoffStrategy::exponential(base),
                BackoffStrategy::polynomial(base, u32::MAX),
            ] {
                for attempt in [0, 1, 2, 63, 64, 1_000, u16::MAX] {
                    for jitter in jitters {
                        let delay = strategy.with_jitter(jitter).backoff(attempt);
                        assert!(delay >= TimeDelta::zero() && delay <= MAX_DELAY, "{strategy:?} {attempt} {delay}");
                    }
                }
            }
        }
        let grown = BackoffStrategy::exponential(TimeDelta::seconds(1)).backoff(u16::MAX);
        assert_eq!(grown, MAX_DELAY, "a huge attempt waits longest, not shortest");
    }

    /// Case 21: what is below a millisecond was no delay at all.
    #[test]
    fn case_21_a_short_delay_is_not_zero() {
        let micros = |base| BackoffStrategy::constant(base).backoff(1).num_microseconds();
        assert_eq!(micros(TimeDelta::microseconds(900)), Some(900));
        assert_eq!(micros(TimeDelta::microseconds(1_500)), Some(1_500));
        assert_eq!(micros(TimeDelta::nanoseconds(1)), Some(1), "rounded up");
        assert_eq!(micros(TimeDelta::zero()), Some(0));
        let grown = BackoffStrategy::exponential(TimeDelta::microseconds(10)).backoff(11);
        assert_eq!(grown, TimeDelta::microseconds(10_240));
    }

    #[test]
    fn jitter_stays_within_its_width() {
        let strategy = BackoffStrategy::constant(TimeDelta::seconds(100)).with_jitter(Jitter::Relative(0.1));
        let delays: Vec<_> = (0..1_000).map(|_| strategy.backoff(1)).collect();
        assert!(delays.iter().all(|delay| (90_000..=110_000).contains(&delay.num_milliseconds())));
        assert!(delays.iter().any(|delay| delay != &delays[0]), "it is random");
    }
}
