//! What was meant by somebody who writes as in a crontab.

use crate::{describe, parse::read};

/// Numbers count from 0 = Sunday in Unix cron.
const DAYS: [&str; 8] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

/// What to write for five fields.
pub(crate) fn translated(text: &str, [minute, hour, day, month, weekday]: [&str; 5]) -> String {
    // Where both are given, cron takes days that match either of them. What begins with a star does not count as given.
    let both = !day.starts_with('*') && !weekday.starts_with('*');
    let either = if both { "|" } else { "" };
    let six = format!("0 {minute} {hour} {day} {month} {either}{}", named_days(weekday, 0));
    let problem = format!("`{text}` has five fields, as in a crontab, and the first of six is seconds");
    match read(&six) {
        Ok(expression) => format!("{problem}: for \"{}\" write `{six}`", describe::expression(&expression)),
        Err(more) => format!("{problem}: it would be `{six}`, but {more}"),
    }
}

/// What is wrong with weekdays that are given by number; `None` if they are not.
pub(crate) fn numbered_weekdays(field: &str) -> Option<String> {
    let days = field.split(',').filter_map(|part| part.split(['/', '#']).next());
    days.into_iter().any(|days| days.contains(|c: char| c.is_ascii_digit())).then(|| {
        format!(
            "numbers of weekdays count from 1 = Sunday in one cron and from 0 = Sunday in another, so `{field}` could be `{}` or \
             `{}`; write the one that you mean",
            named_days(field, 1),
            named_days(field, 0),
        )
    })
}

/// A field of weekdays with names for numbers, which count from `first` = Sunday.
fn named_days(field: &str, first: usize) -> String {
    let name = |day: &str| {
        let (number, last) = day.strip_suffix('L').map_or((day, ""), |number| (number, "L"));
        let number = number.parse::<usize>().ok().and_then(|number| number.checked_sub(first));
        number.and_then(|day| DAYS.get(day)).map_or_else(|| day.to_owned(), |name| format!("{name}{last}"))
    };
    let named = field.split(',').map(|part| {
        let (days, rest) = part.find(['/', '#']).map_or((part, ""), |at| part.split_at(at));
        let days = days.split('-').map(name).collect::<Vec<_>>().join("-");
        format!("{days}{rest}")
    });
    named.collect::<Vec<_>>().join(",")
}
