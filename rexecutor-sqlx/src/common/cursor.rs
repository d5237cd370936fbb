//! How far a listener has read numbers that are given in their order, and committed in any.

use std::time::Duration;

/// For how long a number is waited for that was not there when later ones were.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many ranges of such numbers are remembered.
const MOST: usize = 1_000;

/// How far a listener has read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    last: i64,
    /// In their order.
    gaps: Vec<Gap>,
}

/// Numbers that were not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gap {
    first: i64,
    last: i64,
    /// In the time that nobody can set.
    since: Duration,
}

impl Cursor {
    /// Everything up to this number is none of its.
    pub(crate) fn at(last: i64) -> Self {
        Self { last, gaps: Vec::new() }
    }

    /// The highest number that was there.
    pub(crate) fn last(&self) -> i64 {
        self.last
    }

    /// Up to which number nothing is waited for any more.
    pub(crate) fn seen(&self) -> i64 {
        self.gaps.first().map_or(self.last, |gap| gap.first - 1)
    }

    /// The first and the last numbers of the ranges that are waited for.
    #[cfg(any(feature = "postgres", test))]
    pub(crate) fn gaps(&self) -> (Vec<i64>, Vec<i64>) {
        self.gaps.iter().map(|gap| (gap.first, gap.last)).unzip()
    }

    /// Takes in a number that is there; whether it is one that was waited for.
    pub(crate) fn read(&mut self, number: i64, now: Duration) -> bool {
        if number > self.last {
            self.skip_to(number - 1, now);
            self.last = number;
            return false;
        }
        let Ok(place) = self.gaps.binary_search_by(|gap| match gap {
            gap if gap.last < number => std::cmp::Ordering::Less,
            gap if gap.first > number => std::cmp::Ordering::Greater,
            _ => std::cmp::Ordering::Equal,
        }) else {
            return false;
        };
        let gap = self.gaps.remove(place);
        let parts = [Gap { last: number - 1, ..gap }, Gap { first: number + 1, ..gap }];
        let left = parts.into_iter().filter(|part| part.first <= part.last);
        self.gaps.splice(place..place, left.collect::<Vec<_>>());
        true
    }

    /// Nothing is there up to this number but what was read.
    pub(crate) fn skip_to(&mut self, number: i64, now: Duration) {
        if number > self.last {
            self.gaps.push(Gap { first: self.last + 1, last: number, since: now });
            self.last = number;
            let too_many = self.gaps.len().saturating_sub(MOST);
            self.gaps.drain(..too_many);
        }
    }

    /// Waits no longer for what was not there for a while: most of that was rolled back.
    pub(crate) fn forget(&mut self, now: Duration) {
        self.gaps.retain(|gap| now.saturating_sub(gap.since) < PATIENCE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_comes_late_is_waited_for_and_read_once() {
        let mut cursor = Cursor::at(10);
        assert!(!cursor.read(11, seconds(0)) && !cursor.read(15, seconds(0)));
        assert_eq!((cursor.last(), cursor.seen(), cursor.gaps()), (15, 11, (vec![12], vec![14])));
        assert!(cursor.read(13, seconds(1)) && !cursor.read(13, seconds(1)), "once");
        assert_eq!(cursor.gaps(), (vec![12, 14], vec![12, 14]));
        assert!(!cursor.read(11, seconds(1)) && !cursor.read(3, seconds(1)), "it was read, or is from before");
        assert!(cursor.read(12, seconds(1)));
        assert_eq!((cursor.seen(), cursor.gaps()), (13, (vec![14], vec![14])));
        assert!(cursor.read(14, seconds(1)));
        assert_eq!((cursor.seen(), cursor.gaps()), (15, (vec![], vec![])));
    }

    #[test]
    fn nothing_is_waited_for_for_ever() {
        let mut cursor = Cursor::at(0);
        cursor.read(5, seconds(0));
        cursor.skip_to(9, seconds(30));
        cursor.forget(seconds(59));
        assert_eq!(cursor.gaps(), (vec![1, 6], vec![4, 9]));
        cursor.forget(seconds(60));
        assert_eq!((cursor.seen(), cursor.gaps()), (5, (vec![6], vec![9])));
        cursor.forget(seconds(90));
        assert_eq!((cursor.last(), cursor.seen()), (9, 9));
        for number in 0..2 * i64::try_from(MOST).unwrap() {
            cursor.read(10 + 2 * number + 1, seconds(90));
        }
        assert_eq!(cursor.gaps().0.len(), MOST, "the oldest are given up");
    }
}
