//! Times as they are given on a command line, and shown.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use rexecutor_web::views;

/// A time span: `500ms`, `30s`, `10m`, `2h`, `7d`.
pub(crate) fn span(text: &str) -> Result<TimeDelta, String> {
    let problem = || format!("`{text}` is no time span; write 30s, 10m, 2h or 7d");
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let unit = text.get(digits.len()..).unwrap_or_default();
    let too_long = || format!("`{text}` is too long: 365000d, which is 1,000 years, is the longest");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(problem());
    }
    let count: i64 = digits.parse().map_err(|_| too_long())?;
    let span = match unit {
        "ms" => TimeDelta::try_milliseconds(count),
        "s" => TimeDelta::try_seconds(count),
        "m" | "min" => TimeDelta::try_minutes(count),
        "h" => TimeDelta::try_hours(count),
        "d" => TimeDelta::try_days(count),
        _ => return Err(problem()),
    };
    span.filter(|span| *span <= rexecutor::limits::MAX_DELAY).ok_or_else(too_long)
}

/// A [span] over zero.
pub(crate) fn some_time(text: &str) -> Result<TimeDelta, String> {
    match span(text)? {
        time if time > TimeDelta::zero() => Ok(time),
        _ => Err("over zero, as 30s, 10m, 2h or 7d".to_owned()),
    }
}

/// When something is to be: now, after a span, or at an instant in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Now,
    In(TimeDelta),
    At(DateTime<Utc>),
}

impl When {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text == "now" {
            return Ok(Self::Now);
        }
        match span(text) {
            Ok(span) => return Ok(Self::In(span)),
            Err(problem) if problem.contains("too long") => return Err(problem),
            Err(_) => {}
        }
        let instant = DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc());
        let local = |format| NaiveDateTime::parse_from_str(text, format).ok().map(|at| at.and_utc());
        let day = || Some(text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0)?.and_utc());
        let instant = instant.or_else(|| local("%Y-%m-%dT%H:%MZ")).or_else(|| local("%Y-%m-%dT%H:%M:%S"));
        let instant = instant.or_else(|| local("%Y-%m-%dT%H:%M")).or_else(day);
        instant
            .map(Self::At)
            .ok_or_else(|| format!("`{text}` is no time; write now, 10m, 2026-01-31 or 2026-01-31T09:30Z (all in UTC)"))
    }

    pub(crate) fn at(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Now => now,
            Self::In(span) => now.checked_add_signed(span).unwrap_or(now),
            Self::At(at) => at,
        }
    }
}

/// An instant, with how long ago it was.
pub(crate) fn instant(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    format!("{} ({})", at.format("%Y-%m-%d %H:%M:%S UTC"), views::relative(at, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_instants_are_read() {
        assert_eq!(span("90s"), Ok(TimeDelta::seconds(90)));
        assert_eq!(span("7d"), Ok(TimeDelta::days(7)));
        for wrong in ["", "s", "-1s", "+1s", "1", "1w", "1.5h", "ä"] {
            assert_eq!(span(wrong), Err(format!("`{wrong}` is no time span; write 30s, 10m, 2h or 7d")));
        }
        for long in ["99999999999s", "99999999d", "9999999999999999999999d", "365001d"] {
            assert!(span(long).unwrap_err().starts_with(&format!("`{long}` is too long: 365000d")), "{long}");
        }
        let at = "2026-01-31T09:30:00Z".parse().unwrap();
        assert_eq!(When::parse("2026-01-31T09:30Z"), Ok(When::At(at)));
        assert_eq!(When::parse("2026-01-31T10:30:00+01:00"), Ok(When::At(at)));
        assert_eq!(When::parse("10m").map(|when| when.at(at)), Ok(at + TimeDelta::minutes(10)));
        assert!(When::parse("tomorrow").is_err());
    }
}
