//! The bucket of tokens behind a rate.
//!
//! What is stored of it is one number: the instant at which it will be full again. So nothing has to be done as time passes, and
//! nothing drifts.
//!
//! # Invariant
//!
//! - In any window of time no more tokens are taken than the burst and those that the window's length brings, whoever takes
//!   them. If the clock steps back, or the rate changes, the bucket is filled again from then on.

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::Rate;

/// A bucket of tokens, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bucket {
    /// The time that brings one token, in nanoseconds, over zero.
    pub interval: i64,
    /// How many tokens it holds.
    pub burst: i64,
    /// When it is full again, in nanoseconds since 1970; it is full already, if that is past.
    pub full_at: i64,
}

/// For how long a node gathers tokens before it takes them, at most, in nanoseconds: one by one they would cost a claim each.
const GATHERING: i128 = 1_000_000_000;

impl Bucket {
    /// The bucket of a rate; `full_at` is what was stored of it, `None` if nothing has ever been taken.
    pub fn new(interval: i64, burst: i64, full_at: Option<i64>) -> Self {
        Self { interval: interval.max(1), burst: burst.max(0), full_at: full_at.unwrap_or(i64::MIN) }
    }

    /// The interval and the burst of a rate, as they are stored.
    pub fn numbers(rate: Rate) -> (i64, i64) {
        (i64::try_from(rate.interval()).unwrap_or(i64::MAX), rate.burst.into())
    }

    /// What keeps to two rates: the slower one, and the smaller burst.
    #[must_use]
    pub fn strictest(self, interval: i64, burst: i64) -> Self {
        Self { interval: self.interval.max(interval), burst: self.burst.min(burst), ..self }
    }

    /// The same bucket, but no emptier than empty. It would be where it has just become smaller or faster, and after the clock has
    /// stepped back: then it is filled from now on.
    #[must_use]
    pub fn at_least_empty(self, now: DateTime<Utc>) -> Self {
        let empty = instant(now) + i128::from(self.burst) * i128::from(self.interval);
        Self { full_at: i64::try_from(empty).unwrap_or(i64::MAX).min(self.full_at), ..self }
    }

    /// Whether nothing is missing.
    #[cfg(feature = "memory")]
    pub(super) fn is_full(&self, now: DateTime<Utc>) -> bool {
        i128::from(self.full_at) <= instant(now)
    }

    /// How many tokens are in it.
    pub fn tokens(&self, now: DateTime<Utc>) -> usize {
        let interval = i128::from(self.interval);
        let missing = (i128::from(self.full_at) - instant(now)).max(0);
        usize::try_from((i128::from(self.burst) * interval - missing).max(0) / interval).unwrap_or(usize::MAX)
    }

    /// The same bucket after so many have been taken.
    #[must_use]
    pub fn without(self, tokens: usize, now: DateTime<Utc>) -> Self {
        let taken = i128::from(self.interval).saturating_mul(i128::try_from(tokens).unwrap_or(i128::MAX));
        let full_at = i128::from(self.full_at).max(instant(now)).saturating_add(taken);
        Self { full_at: i64::try_from(full_at).unwrap_or(i64::MAX), ..self }
    }

    /// When there is enough in it for another claim: half of what it holds, or what a second brings if that is less, and one
    /// token at least.
    pub fn again_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let wanted = (GATHERING / i128::from(self.interval)).min(i128::from(self.burst) / 2).max(1);
        self.has_at(wanted, now)
    }

    /// When there is a token in it; now, if there is one.
    pub fn next_token_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.has_at(1, now)
    }

    /// When so many are in it.
    pub(super) fn has_at(&self, wanted: i128, now: DateTime<Utc>) -> DateTime<Utc> {
        let (interval, burst) = (i128::from(self.interval), i128::from(self.burst));
        // That many are in it when so much is still missing.
        let wait = i128::from(self.full_at) - (burst - wanted) * interval - instant(now);
        // To the next microsecond: databases count no finer.
        let micros = i64::try_from((wait.max(0) + 999) / 1_000).unwrap_or(i64::MAX / 1_000);
        now.checked_add_signed(TimeDelta::microseconds(micros)).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

/// Nanoseconds since 1970.
fn instant(at: DateTime<Utc>) -> i128 {
    i128::from(at.timestamp()) * 1_000_000_000 + i128::from(at.timestamp_subsec_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;
    const MILLISECOND: i64 = 1_000_000;

    fn after(milliseconds: i64) -> DateTime<Utc> {
        NOW + TimeDelta::milliseconds(milliseconds)
    }

    #[test]
    fn it_is_full_at_first_and_fills_evenly() {
        let full = Bucket::new(100 * MILLISECOND, 4, None);
        assert_eq!(full.tokens(NOW), 4);
        let empty = full.without(4, NOW);
        assert_eq!([0, 99, 100, 350, 400, 9_999].map(|at| empty.tokens(after(at))), [0, 0, 1, 3, 4, 4]);
        // A clock that steps back brings nothing.
        assert_eq!(empty.tokens(after(-5_000)), 0);
        assert_eq!(empty.without(0, after(-5_000)).tokens(after(100)), 1);
    }

    #[test]
    fn a_bucket_that_becomes_faster_is_filled_from_then_on() {
        let slow = Bucket::new(1_000 * MILLISECOND, 5, None).without(5, NOW);
        let fast = Bucket::new(MILLISECOND, 5, Some(slow.full_at));
        assert_eq!(fast.tokens(after(3)), 0);
        let settled = fast.at_least_empty(NOW);
        assert_eq!([0, 3, 9].map(|at| settled.tokens(after(at))), [0, 3, 5]);
        assert_eq!(settled.at_least_empty(NOW), settled);
        // As after a clock that was years ahead.
        assert_eq!(Bucket::new(MILLISECOND, 5, Some(i64::MAX)).at_least_empty(NOW).tokens(after(5)), 5);
    }

    #[test]
    fn a_node_comes_back_when_there_is_enough_for_a_claim() {
        let again = |milliseconds: i64, burst| {
            let full = Bucket::new(milliseconds * MILLISECOND, burst, None);
            let tokens = usize::try_from(burst).unwrap_or_default();
            (full.again_at(NOW) - NOW, full.without(tokens, NOW).again_at(NOW) - NOW)
        };
        let zero = TimeDelta::zero();
        assert_eq!(again(1_000, 1), (zero, TimeDelta::seconds(1)), "one token");
        assert_eq!(again(100, 10), (zero, TimeDelta::milliseconds(500)), "half of what it holds");
        assert_eq!(again(100, 600), (zero, TimeDelta::seconds(1)), "a second's worth");
        assert_eq!(again(20_000, 3), (zero, TimeDelta::seconds(20)), "one token");
    }

    /// However often and when it is asked, and for however many.
    #[test]
    fn no_window_gives_more_than_the_burst_and_what_its_length_brings() {
        const INTERVAL: i64 = 143 * MILLISECOND;
        let (mut bucket, mut taken, mut at) = (Bucket::new(INTERVAL, 5, None), Vec::new(), 0);
        for step in 0..2_000_i64 {
            at += (step * step) % 173;
            let count = bucket.tokens(after(at)).min(usize::try_from(step % 4).unwrap_or_default());
            bucket = bucket.without(count, after(at));
            taken.extend(std::iter::repeat_n(at, count));
        }
        for (first, start) in taken.iter().enumerate() {
            for (count, end) in (1_i64..).zip(&taken[first..]) {
                assert!((count - 5) * 143 <= end - start, "{count} from {start} to {end}");
            }
        }
        let brought = at / 143;
        assert!(i64::try_from(taken.len()).is_ok_and(|taken| taken > brought * 9 / 10), "{} of {brought}", taken.len());
    }
}
