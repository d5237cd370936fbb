//! How long things took: counts in fixed buckets.

use std::time::Duration;

/// How many runs took how long, in buckets that are the same everywhere and for ever, so that histograms of different nodes and hours can
/// be added up.
///
/// The buckets are four to a doubling: 0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 10 ms and so on, up to 24
/// days, beyond which all times are in the last one. So a bucket is at most a quarter as wide as the times in it, whether they are
/// milliseconds or hours, and that is how exact a [quantile](Self::quantile) is. What is shorter than a quarter of a millisecond is not
/// told apart.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rexecutor::history::Histogram;
///
/// let mut times = Histogram::default();
/// (1..=100).for_each(|ms| times.record(Duration::from_millis(ms)));
/// let p95 = times.p95().expect("it is not empty").as_millis();
/// assert!((90..=100).contains(&p95), "{p95}");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// How many are in each bucket. Empty ones at the end are left out.
    counts: Vec<u64>,
}

/// The width of the first buckets, in microseconds.
const UNIT: u64 = 250;

impl Histogram {
    /// How many buckets there are.
    pub const BUCKETS: usize = 128;

    /// One with these counts, from the first bucket on. Those beyond the last bucket are left out.
    pub fn from_counts(counts: impl IntoIterator<Item = u64>) -> Self {
        let mut counts: Vec<u64> = counts.into_iter().take(Self::BUCKETS).collect();
        let length = counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
        counts.truncate(length);
        Self { counts }
    }

    /// The counts, from the first bucket to the last one that is not empty.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many times it has.
    pub fn count(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Counts a time.
    pub fn record(&mut self, time: Duration) {
        let bucket = bucket(time);
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(bucket) {
            *count = count.saturating_add(1);
        }
    }

    /// Adds what another one has.
    pub fn add(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*more);
        }
    }

    /// The time that this share of all times is below, as 0.95; it lies somewhere in the bucket of the true one. `None`, if there are none.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let all = self.count();
        if all == 0 {
            return None;
        }
        let target = share.clamp(0.0, 1.0) * float(all);
        let mut below = 0.0;
        let last = self.counts.len() - 1;
        for (bucket, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let count = float(*count);
            if below + count >= target || bucket == last {
                let (from, to) = (lower(bucket), lower(bucket + 1));
                return Some(from + (to - from).mul_f64(((target - below) / count).clamp(0.0, 1.0)));
            }
            below += count;
        }
        None
    }

    /// The median.
    pub fn p50(&self) -> Option<Duration> {
        self.quantile(0.5)
    }

    /// What 95 of a hundred are below.
    pub fn p95(&self) -> Option<Duration> {
        self.quantile(0.95)
    }

    /// What 99 of a hundred are below.
    pub fn p99(&self) -> Option<Duration> {
        self.quantile(0.99)
    }
}

/// The bucket of a time. From the fifth on, the place of the highest bit says which doubling it is, and the two bits behind it which
/// quarter of that.
fn bucket(time: Duration) -> usize {
    let units = u64::try_from(time.as_micros()).unwrap_or(u64::MAX) / UNIT;
    let bucket = match units {
        0..4 => units,
        _ => {
            let doubling = u64::from(units.ilog2());
            4 * (doubling - 1) + ((units >> (doubling - 2)) & 3)
        }
    };
    usize::try_from(bucket).unwrap_or(usize::MAX).min(Histogram::BUCKETS - 1)
}

/// The shortest time in a bucket.
fn lower(bucket: usize) -> Duration {
    let bucket = u32::try_from(bucket).unwrap_or(u32::MAX).min(132);
    let units = match bucket {
        0..4 => u64::from(bucket),
        _ => u64::from(4 + bucket % 4) << (bucket / 4 - 1),
    };
    Duration::from_micros(units.saturating_mul(UNIT))
}

#[expect(clippy::cast_precision_loss, reason = "nobody counts as far")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_and_are_a_quarter_wide_at_most() {
        for place in 0..Histogram::BUCKETS {
            let (from, to) = (lower(place), lower(place + 1));
            assert!(from < to, "{place}");
            assert_eq!([bucket(from), bucket(to - Duration::from_micros(1))], [place; 2], "{from:?} to {to:?}");
            assert!(place < 4 || (to - from) * 4 <= from, "{from:?} to {to:?}");
        }
        let bounds: Vec<u128> = (0..18).map(|place| lower(place).as_micros()).collect();
        let expected = [
            0, 250, 500, 750, 1_000, 1_250, 1_500, 1_750, 2_000, 2_500, 3_000, 3_500, 4_000, 5_000, 6_000, 7_000,
            8_000, 10_000,
        ];
        assert_eq!(bounds, expected);
        assert!(lower(Histogram::BUCKETS) > Duration::from_secs(24 * 24 * 3_600));
        assert_eq!([bucket(Duration::MAX), bucket(lower(500))], [Histogram::BUCKETS - 1; 2]);
    }

    #[test]
    fn quantiles_lie_within_the_bucket_of_the_true_one() {
        let mut times = Histogram::default();
        assert_eq!((times.p50(), times.count(), times.is_empty()), (None, 0, true));
        (1..=1_000).for_each(|ms| times.record(Duration::from_millis(ms)));
        for (share, exact) in [(0.0, 1.0), (0.5, 500.0), (0.95, 950.0), (0.99, 990.0), (1.0, 1_000.0), (7.0, 1_000.0)] {
            let found = times.quantile(share).unwrap().as_secs_f64() * 1_000.0;
            assert!((found - exact).abs() <= exact / 4.0, "{share}: {found}");
        }
        assert_eq!(times.count(), 1_000);
    }

    #[test]
    fn histograms_are_added_up_whatever_their_lengths() {
        let (mut short, mut long) = (Histogram::default(), Histogram::default());
        short.record(Duration::ZERO);
        long.record(Duration::from_secs(1));
        let mut both = short.clone();
        both.add(&long);
        long.add(&short);
        assert_eq!(both, long);
        assert_eq!(both.count(), 2);
        assert_eq!(Histogram::from_counts(both.counts().iter().copied().chain([0; 500])), both);
        assert_eq!(Histogram::from_counts([u64::MAX, u64::MAX]).count(), u64::MAX);
    }
}
