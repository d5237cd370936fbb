//! Times and numbers as people read them.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use maud::{Markup, html};

/// A time in its largest unit: `3.4 s`, `12 min`, `5 h`.
pub fn span(time: TimeDelta) -> String {
    let ms = time.num_milliseconds().max(0);
    let tenths = |ms: i64, unit: i64| format!("{}.{}", ms / unit, ms % unit * 10 / unit);
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..10_000 => format!("{} s", tenths(ms, 1_000)),
        10_000..60_000 => format!("{} s", ms / 1_000),
        60_000..3_600_000 => format!("{} min", ms / 60_000),
        3_600_000..172_800_000 => format!("{} h", ms / 3_600_000),
        _ => format!("{} d", ms / 86_400_000),
    }
}

/// How long ago, or in how long.
pub fn relative(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    match at - now {
        left if left > TimeDelta::zero() => format!("in {}", span(left)),
        past if past > TimeDelta::milliseconds(-1_000) => "just now".to_owned(),
        past => format!("{} ago", span(-past)),
    }
}

/// An instant: how long ago, with the instant itself for who wants it. The script shows it in the viewer's time zone.
pub(crate) fn ago(at: DateTime<Utc>, now: DateTime<Utc>) -> Markup {
    html! { time datetime=(iso(at)) title=(absolute(at)) { (relative(at, now)) } }
}

/// An instant to the millisecond.
pub(crate) fn instant(at: DateTime<Utc>) -> Markup {
    html! { time.absolute datetime=(iso(at)) title=(iso(at)) { (at.format("%Y-%m-%d %H:%M:%S%.3f")) " UTC" } }
}

pub(crate) fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn absolute(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// With a comma between thousands.
pub(crate) fn number(number: usize) -> String {
    rexecutor::backend::observe::Count::exact(number).to_string()
}

/// `1 job`, `2 jobs`.
pub(crate) fn jobs(count: usize) -> String {
    if count == 1 { "1 job".to_owned() } else { format!("{} jobs", number(count)) }
}

/// A name, which may be broken behind its underscores, points and dashes.
pub(crate) fn name(name: &str) -> Markup {
    let parts = name.split_inclusive(['_', '.', '-', ':', '/']);
    html! { @for part in parts { (part) wbr; } }
}

/// At most so many characters of one line.
pub fn short(text: &str, most: usize) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_one_unit() {
        let shown = [0, 999, 1_250, 59_000, 60_000, 7_200_000, 200_000_000].map(|ms| span(TimeDelta::milliseconds(ms)));
        assert_eq!(shown, ["0 ms", "999 ms", "1.2 s", "59 s", "1 min", "2 h", "2 d"]);
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(short("\n  äöü\nmore", 2), "äö…");
        assert_eq!([short("abc", 3), short("", 3)], ["abc", ""]);
    }
}
