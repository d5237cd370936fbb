//! Schedules in words.

use crate::{
    days::{Days, Joined},
    expression::Expression,
};

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// From Monday to Friday, and the other two.
const WORKDAYS: u64 = 0b0111_1100;
const WEEKEND: u64 = 0b1000_0010;

/// When an expression is due: `at 09:30 on weekdays`.
pub(crate) fn expression(expression: &Expression) -> String {
    let (time, date) = (time(expression), date(expression));
    match date.is_empty() {
        true if time.starts_with("at ") && !time.ends_with("hour") => format!("{time} every day"),
        true => time,
        false => format!("{time} {date}"),
    }
}

/// How long an interval is: `90 seconds`, `2 hours`.
pub(crate) fn duration(seconds: u64) -> String {
    let units = [(604_800, "week"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let (length, name) = units.into_iter().find(|(length, _)| seconds.is_multiple_of(*length)).unwrap_or((1, "second"));
    counted(seconds / length, name)
}

fn counted(count: u64, name: &str) -> String {
    if count == 1 { name.to_owned() } else { format!("{count} {name}s") }
}

fn time(expression: &Expression) -> String {
    let [seconds, minutes, hours] = [expression.seconds, expression.minutes, expression.hours].map(values);
    let few = seconds.len() * minutes.len() * hours.len();
    if few <= 6 && hours.len() < 24 {
        let clock = |hour, minute, second| match seconds.as_slice() {
            [0] => format!("{hour:02}:{minute:02}"),
            _ => format!("{hour:02}:{minute:02}:{second:02}"),
        };
        let minutes = |hour: u32| minutes.iter().map(move |minute| (hour, *minute));
        let all = hours.iter().flat_map(|hour| minutes(*hour));
        let all = all.flat_map(|(hour, minute)| seconds.iter().map(move |second| clock(hour, minute, *second)));
        return format!("at {}", and(&all.collect::<Vec<_>>()));
    }
    if let ([0], [minute], [first, .., last]) = (seconds.as_slice(), minutes.as_slice(), hours.as_slice())
        && u32::try_from(hours.len()) == Ok(last - first + 1)
        && hours.len() < 24
    {
        return format!("every hour from {first:02}:{minute:02} to {last:02}:{minute:02}");
    }
    // At the full minute and the full hour the smaller units are not spoken of.
    let mut parts = vec![unit("second", &seconds, 60), unit("minute", &minutes, 60), unit("hour", &hours, 24)];
    if seconds == [0] {
        parts.remove(0);
        if minutes == [0] {
            parts.remove(0);
        }
    }
    // What is done every five minutes of every hour is done every five minutes.
    while parts.len() > 1
        && let [.., before, last] = parts.as_slice()
        && (last == "every hour" || last == "every minute")
        && before.starts_with("every ")
    {
        parts.pop();
    }
    let words = parts.join(" of ");
    if words.starts_with("every ") { words } else { format!("at {words}") }
}

/// Values of a unit, of which there are so many.
fn unit(name: &str, values: &[u32], count: u32) -> String {
    match (step(values, count), values) {
        (Some(step), _) => format!("every {}", counted(step.into(), name)),
        (None, [only]) => format!("{name} {only}"),
        (None, [first, .., last]) if values.len() > 2 && u32::try_from(values.len()) == Ok(last - first + 1) => {
            format!("{name}s {first} to {last}")
        }
        (None, _) => format!("{name}s {}", and(&values.iter().map(u32::to_string).collect::<Vec<_>>())),
    }
}

/// How far apart values are that begin with zero and leave even gaps.
fn step(values: &[u32], count: u32) -> Option<u32> {
    let step = count.checked_div(u32::try_from(values.len()).ok()?)?;
    let is_even = values.iter().zip(0..).all(|(value, place)| *value == place * step);
    (is_even && values.len() > 1 && count.is_multiple_of(step)).then_some(step)
}

fn date(expression: &Expression) -> String {
    let Expression { days, months, years, .. } = expression;
    let (has_days, has_weekdays) = (days.has_days(), days.has_weekdays());
    let names: Vec<_> =
        values(*months).into_iter().filter_map(|month| named(&MONTHS, month)).map(ToOwned::to_owned).collect();
    let day = match (has_days, has_weekdays, days.joined) {
        (false, false, _) => String::new(),
        (true, false, _) => format!("on the {}", days_of_month(days)),
        (false, true, _) => on_weekdays(days),
        (true, true, Joined::Both) => format!("on the {} if it is {}", days_of_month(days), a_weekday(days)),
        (true, true, Joined::Either) => format!("on the {} and {}", days_of_month(days), on_weekdays(days)),
    };
    let month = match (names.len(), has_days && !has_weekdays) {
        (12, true) => "of every month".to_owned(),
        (12, false) => String::new(),
        (_, true) => format!("of {}", and(&names)),
        (_, false) => format!("in {}", and(&names)),
    };
    let year = match (years.first(), years.last()) {
        _ if years.is_all() => String::new(),
        (Some(first), Some(last)) if first == last => format!("in {first}"),
        (Some(first), Some(last)) if years.iter().eq(first..=last) => format!("from {first} to {last}"),
        _ => format!("in {}", and(&years.iter().map(|year| year.to_string()).collect::<Vec<_>>())),
    };
    let words = [day, month, year].into_iter().filter(|words| !words.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// Days of a month: `1st and 15th`, to stand after `the`.
pub(crate) fn days_of_month(days: &Days) -> String {
    let mut words = ranges(&values(days.numbers), ordinal);
    words.extend(values(days.nearest).into_iter().map(|day| format!("weekday nearest to the {}", ordinal(day))));
    words.extend(days.last_workday.then(|| "last weekday".to_owned()));
    words.extend(days.last.then(|| "last day".to_owned()));
    and(&words)
}

/// Weekdays, to stand after `every`: `Monday and Friday`.
pub(crate) fn weekdays(days: &Days) -> String {
    and(&weekday_words(days))
}

/// … as one of them: `a Monday or Friday`.
pub(crate) fn a_weekday(days: &Days) -> String {
    let words = weekday_words(days);
    let is_nth = days.weekdays == 0;
    format!("{} {}", if is_nth { "the" } else { "a" }, joined(&words, "or"))
}

fn on_weekdays(days: &Days) -> String {
    let plain = match days.weekdays {
        0 => None,
        WORKDAYS => Some("on weekdays".to_owned()),
        WEEKEND => Some("on weekends".to_owned()),
        mask => {
            let days = ranges(&values(mask), |day| format!("{}s", weekday(day)));
            Some(format!("on {}", and(&days)))
        }
    };
    let special = nth_words(days);
    let special = (!special.is_empty()).then(|| format!("on the {} of the month", and(&special)));
    and(&plain.into_iter().chain(special).collect::<Vec<_>>())
}

fn weekday_words(days: &Days) -> Vec<String> {
    let mut words = match days.weekdays {
        WORKDAYS => vec!["weekday".to_owned()],
        mask => ranges(&values(mask), |day| weekday(day).to_owned()),
    };
    words.iter_mut().filter(|words| words.contains(" to ")).for_each(|words| *words = format!("day from {words}"));
    words.extend(nth_words(days));
    words
}

/// `second Friday`, `last Monday`.
fn nth_words(days: &Days) -> Vec<String> {
    const PLACES: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];
    let nths = (1..).zip(days.nth).flat_map(|(day, nths)| {
        values(nths.into())
            .into_iter()
            .filter_map(move |nth| Some(format!("{} {}", named(&PLACES, nth)?, weekday(day))))
    });
    let last = values(days.last_of).into_iter().map(|day| format!("last {}", weekday(day)));
    nths.chain(last).collect()
}

/// Values, three and more that follow each other as a range.
fn ranges(values: &[u32], word: impl Fn(u32) -> String) -> Vec<String> {
    let chunks = values.chunk_by(|value, next| value + 1 == *next);
    chunks
        .flat_map(|chunk| match chunk {
            [first, _, .., last] => vec![format!("{} to {}", word(*first), word(*last))],
            few => few.iter().map(|value| word(*value)).collect(),
        })
        .collect()
}

fn weekday(day: u32) -> &'static str {
    named(&WEEKDAYS, day).unwrap_or_default()
}

fn named(names: &[&'static str], value: u32) -> Option<&'static str> {
    names.get(usize::try_from(value.checked_sub(1)?).ok()?).copied()
}

/// `1st`, `22nd`.
pub(crate) fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// Words with commas, and `and` before the last.
pub(crate) fn and(words: &[String]) -> String {
    joined(words, "and")
}

fn joined(words: &[String], last_by: &str) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [before @ .., last] => format!("{} {last_by} {last}", before.join(", ")),
    }
}

fn values(mask: u64) -> Vec<u32> {
    (0..64).filter(|value| mask & (1 << value) != 0).collect()
}
