//! Intervals: `@every 90s`.

use chrono::{DateTime, Utc};

/// A length of time after which something is due again, counted from a Monday's midnight in UTC. So all nodes tick at the same
/// instants, and neither a late tick nor a restart moves them.
#[derive(Debug, Clone)]
pub(crate) struct Interval {
    /// As it was written.
    pub(crate) source: String,
    /// At least 1.
    pub(crate) seconds: i64,
}

/// 1970-01-05T00:00:00Z.
const MONDAY: i64 = 4 * 86_400;
/// 366 days.
const LONGEST: i64 = 366 * 86_400;

impl Interval {
    /// Reads `@every 90s`; else says what is wrong with it. `None` if it is not an interval at all.
    pub(crate) fn read(text: &str) -> Option<Result<Self, String>> {
        let length = text.trim().strip_prefix("@every ")?.trim();
        let seconds = duration_millis(length)
            .filter(|millis| millis.is_multiple_of(1_000))
            .and_then(|millis| i64::try_from(millis / 1_000).ok())
            .filter(|seconds| (1..=LONGEST).contains(seconds));
        Some(seconds.map(|seconds| Self { source: text.trim().to_owned(), seconds }).ok_or_else(|| {
            format!(
                "`{length}` is not an interval; write whole seconds, from \"1s\" to \"366d\", as \"90s\" or \"1h30m\""
            )
        }))
    }

    /// The first tick after an instant.
    pub(crate) fn after(&self, instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let passed = instant.timestamp().checked_sub(MONDAY)?.div_euclid(self.seconds);
        DateTime::from_timestamp(passed.checked_add(1)?.checked_mul(self.seconds)?.checked_add(MONDAY)?, 0)
    }
}

const UNITS: [(&str, u64); 6] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];

/// The milliseconds of a duration such as `30s` or `1h30m`.
pub fn duration_millis(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = 0_u64;
    let mut smallest = u64::MAX;
    while !rest.is_empty() || smallest == u64::MAX {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let millis = UNITS.iter().find(|(name, _)| *name == unit)?.1;
        // From the largest unit to the smallest, each once: `30m1h` and `5s5s` are slips.
        if millis >= smallest {
            return None;
        }
        smallest = millis;
        total = total.saturating_add(number.parse::<u64>().ok()?.saturating_mul(millis));
        rest = tail;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::duration_millis as parse;

    #[test]
    fn units_add_up() {
        assert_eq!(parse("250ms"), Some(250));
        assert_eq!(parse("1h30m"), Some(5_400_000));
        assert_eq!(parse("2w1d"), Some(15 * 86_400_000));
        assert_eq!(parse("99999999999999999999s"), None);
        assert_eq!(parse("9999999999999999999s"), Some(u64::MAX));
    }

    #[test]
    fn slips_are_no_durations() {
        for slip in ["", "s", "30", "30 s", "-5s", "1.5h", "30m1h", "5s5s", "5S", "5sec", "½h"] {
            assert_eq!(parse(slip), None, "{slip}");
        }
    }
}
