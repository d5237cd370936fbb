//! Times, as they are told.

use std::fmt;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use crate::{
    backend::breaker::HeldByBreaker,
    model::{Paused, Scope},
};

/// An instant, to the second.
pub(super) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

pub(super) fn at_time(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    format!("{}, {}", instant(at), when(at, now))
}

pub(super) fn when(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    match at - now {
        left if left > TimeDelta::zero() => format!("in {}", span(left)),
        past => format!("{} ago", span(-past)),
    }
}

/// A time in its largest unit or two: `3 h 20 min`, say.
pub(super) fn span(time: TimeDelta) -> String {
    let seconds = time.num_seconds().max(0);
    let two = |large: i64, one: &str, small: i64, other: &str| match small {
        0 => format!("{large} {one}"),
        small => format!("{large} {one} {small} {other}"),
    };
    match seconds {
        0 => format!("{} ms", time.num_milliseconds().max(0)),
        1..60 => format!("{seconds} s"),
        60..3_600 => two(seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => two(seconds / 3_600, "h", seconds / 60 % 60, "min"),
        _ => two(seconds / 86_400, "d", seconds / 3_600 % 24, "h"),
    }
}

/// The tag that is paused, as it begins a sentence.
pub(super) fn tag(paused: &Paused) -> String {
    match &paused.scope {
        Scope::Tag(tag) => format!("Its tag `{tag}`"),
        scope => format!("What it belongs to, {scope},"),
    }
}

/// How a circuit breaker keeps a job.
pub(super) fn breaker(f: &mut fmt::Formatter<'_>, held: &HeldByBreaker, now: DateTime<Utc>) -> fmt::Result {
    write!(f, "Its executor is paused by its circuit breaker, for {}", span(now - held.open.since))?;
    match held.open.until {
        until if now < until => write!(f, ", until {}", at_time(until, now))?,
        _ => write!(f, ", and one job is let through to see whether attempts still fail")?,
    }
    match held.open.reason.trim() {
        "" => f.write_str("."),
        reason => write!(f, ": {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_its_largest_units() {
        let shown = [999, 1_000, 61_000, 3_600_000, 90_000_000, -5].map(|ms| span(TimeDelta::milliseconds(ms)));
        assert_eq!(shown, ["999 ms", "1 s", "1 min 1 s", "1 h", "1 d 1 h", "0 ms"]);
    }
}
