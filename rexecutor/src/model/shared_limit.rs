//! A limit that several executors share.

use std::time::Duration;

use super::{id::ExecutorName, rate::Rate};

/// A limit that the jobs of several executors share, on all nodes together: an API with a quota, a database, a scanner.
///
/// ```
/// use rexecutor::prelude::*;
///
/// static STRIPE: Limit = Limit::new("stripe").rate("10/s").cluster_concurrency(4);
///
/// #[job(limit = STRIPE)]
/// async fn charge(order: u32) {
///     println!("order {order} is charged");
/// }
///
/// #[job(limit = STRIPE)]
/// async fn refund(order: u32) {
///     println!("order {order} is refunded");
/// }
/// ```
///
/// It is as exact as [`CLUSTER_CONCURRENCY`](crate::Executor::CLUSTER_CONCURRENCY) and [`RATE_LIMIT`](crate::Executor::RATE_LIMIT),
/// and what is said there holds here. The executors that share it take turns. It is known by its name: a program that declares
/// one name in two ways does not start, and of programs of two versions the strictest values hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    name: &'static str,
    concurrency: Option<usize>,
    rate: Option<Rate>,
}

impl Limit {
    /// What the stored names of all of them begin with, so that no executor has such a name.
    pub const PREFIX: &'static str = "limit:";

    /// The most bytes that a name may have.
    pub const MAX_NAME_BYTES: usize = ExecutorName::MAX_BYTES - Self::PREFIX.len();

    /// A limit with a name of 1 to 249 bytes, that allows everything as yet.
    ///
    /// # Panics
    ///
    /// When the name is empty or longer: in a `static`, the compiler tells so.
    pub const fn new(name: &'static str) -> Self {
        assert!(!name.is_empty(), "the name of a limit must not be empty");
        assert!(name.len() <= Self::MAX_NAME_BYTES, "the name of a limit has at most 249 bytes");
        Self { name, concurrency: None, rate: None }
    }

    /// How many of the jobs may run at once, at least 1.
    ///
    /// # Panics
    ///
    /// When it is 0: in a `static`, the compiler tells so.
    #[must_use]
    pub const fn cluster_concurrency(self, most: usize) -> Self {
        assert!(most > 0, "a limit of 0 jobs at once lets none start; the least is 1");
        Self { concurrency: Some(most), ..self }
    }

    /// How many of the jobs may start in how much time, as `"10/s"` or `"100/1m"`, all of them at once if none has for so long.
    ///
    /// # Panics
    ///
    /// When it is not written so, or is no [rate](Rate::check): in a `static`, the compiler tells so.
    #[must_use]
    pub const fn rate(self, rate: &str) -> Self {
        match parse(rate.as_bytes()) {
            Some(rate) => Self { rate: Some(rate), ..self },
            None => panic!("a rate is a number of jobs and a time, as \"10/s\" or \"100/1m\""),
        }
    }

    /// How many jobs of the rate may start at once when none has for a while, at least 1.
    ///
    /// # Panics
    ///
    /// When it is 0, or there is no rate: in a `static`, the compiler tells so.
    #[must_use]
    pub const fn burst(self, burst: u32) -> Self {
        assert!(burst > 0, "with a burst of 0 no job could ever start; the least is 1");
        match self.rate {
            Some(rate) => Self { rate: Some(rate.with_burst(burst)), ..self },
            None => panic!("a burst without a rate: call `.rate(\"100/1m\")` before"),
        }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// How many of the jobs may run at once; `None`: any number.
    pub const fn max_running(&self) -> Option<usize> {
        self.concurrency
    }

    /// How many of the jobs may start in how much time; `None`: any number.
    pub const fn max_rate(&self) -> Option<Rate> {
        self.rate
    }

    /// Under which name a backend stores what it keeps of it, among those of executors.
    pub fn stored_name(&self) -> ExecutorName {
        format!("{}{}", Self::PREFIX, self.name).into()
    }
}

/// The milliseconds of each unit of a time, the longer name of two first.
const UNITS: [(&[u8], u64); 5] = [(b"ms", 1), (b"s", 1_000), (b"m", 60_000), (b"h", 3_600_000), (b"d", 86_400_000)];

/// Reads `10/s`, `1_000/1m30s`.
const fn parse(text: &[u8]) -> Option<Rate> {
    let Some((jobs, mut at)) = number(text, 0) else { return None };
    if jobs == 0 || jobs > u32::MAX as u64 || at == text.len() || text[at] != b'/' {
        return None;
    }
    at += 1;
    let mut millis = 0_u64;
    let mut is_first = true;
    while at < text.len() || is_first {
        let count = match number(text, at) {
            Some((count, next)) => {
                at = next;
                count
            }
            None if is_first => 1,
            None => return None,
        };
        let Some((unit, next)) = unit(text, at) else { return None };
        // 366 days are few milliseconds: no sum of what is accepted is too large.
        if count > 366 * 86_400_000 {
            return None;
        }
        millis += count * unit;
        if millis > 366 * 86_400_000 {
            return None;
        }
        at = next;
        is_first = false;
    }
    if millis == 0 {
        return None;
    }
    // Under 2^32 by the check before.
    #[expect(clippy::cast_possible_truncation, reason = "it was compared with the largest one")]
    Some(Rate::new(jobs as u32, Duration::from_millis(millis)))
}

/// A number of at most 18 digits, in groups of any length, and where it ends.
const fn number(text: &[u8], from: usize) -> Option<(u64, usize)> {
    let (mut at, mut sum, mut digits) = (from, 0_u64, 0);
    while at < text.len() && (text[at].is_ascii_digit() || (digits > 0 && text[at] == b'_')) {
        if text[at] != b'_' {
            sum = sum * 10 + (text[at] - b'0') as u64;
            digits += 1;
        }
        if digits > 18 {
            return None;
        }
        at += 1;
    }
    if digits == 0 { None } else { Some((sum, at)) }
}

const fn unit(text: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut nth = 0;
    while nth < UNITS.len() {
        let (name, millis) = UNITS[nth];
        let is_it =
            at + name.len() <= text.len() && text[at] == name[0] && (name.len() == 1 || text[at + 1] == name[1]);
        if is_it {
            return Some((millis, at + name.len()));
        }
        nth += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_as_the_attribute_reads_them() {
        let read = |text: &str| parse(text.as_bytes()).map(|rate| (rate.jobs, rate.period.as_millis(), rate.burst));
        assert_eq!(read("10/s"), Some((10, 1_000, 10)));
        assert_eq!(read("1_000/1m30s"), Some((1_000, 90_000, 1_000)));
        assert_eq!(read("5/250ms"), Some((5, 250, 5)));
        assert_eq!(read("1/366d"), Some((1, 366 * 86_400_000, 1)));
        for text in ["", "10", "10/", "/s", "0/s", "10/0s", "10/x", "10/s ", "10/1", "4294967296/s", "1/367d", "1/s1"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_lets_nothing_start_is_refused() {
        let fails = |make: fn() -> Limit| std::panic::catch_unwind(make).is_err();
        assert!(
            fails(|| Limit::new("")) && fails(|| Limit::new("a").rate("often")) && fails(|| Limit::new("a").burst(1))
        );
        assert!(fails(|| Limit::new("a").cluster_concurrency(0)) && fails(|| Limit::new("a").rate("1/s").burst(0)));
        const STRIPE: Limit = Limit::new("stripe").rate("10/s").burst(3).cluster_concurrency(4);
        assert_eq!((STRIPE.stored_name().as_str(), STRIPE.max_running()), ("limit:stripe", Some(4)));
        assert_eq!(STRIPE.max_rate().map(|rate| (rate.jobs, rate.burst)), Some((10, 3)));
    }
}
