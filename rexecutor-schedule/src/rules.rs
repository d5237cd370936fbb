//! What can be read, and would surprise whoever wrote it.
//!
//! Each problem is told with what it would do, and with how to write each thing that may have been meant.

use chrono::{Datelike, NaiveDate};

use crate::{
    days::Joined,
    describe,
    expression::Expression,
    field::{DAYS_OF_MONTH, Field, Item, Kind, MONTHS_OF_YEAR, WEEKDAYS},
    parse::Fields,
};

/// Where the fields of the days stand.
const DAY: usize = 3;
const MONTH: usize = 4;
const WEEKDAY: usize = 5;

/// The year for which it is told how often something comes: a year to come, when this was written, so that what is said does not
/// depend on the day.
const YEAR: i32 = 2026;

/// What is surprising about an expression, to stand after it.
pub(crate) fn problem(words: &[&str], fields: &Fields) -> Option<String> {
    let Fields { seconds, minutes, hours, days, months, weekdays, .. } = fields;
    let uneven = [seconds, minutes, hours, days, months, weekdays].into_iter().find_map(uneven_step);
    uneven.or_else(|| two_readings(words, fields)).or_else(|| missing_day(words, fields))
}

/// A step that leaves a gap of another size.
fn uneven_step(field: &Field) -> Option<String> {
    field.items.iter().find_map(|item| uneven_item(field, item))
}

fn uneven_item(field: &Field, item: &Item) -> Option<String> {
    let (unit, step) = (field.unit, item.step.filter(|step| *step > 1)?);
    let values: Vec<u32> = item.values(unit).collect();
    let (first, last) = (values.first()?, values.last()?);
    let list = values.iter().map(|value| unit.written(*value)).collect::<Vec<_>>().join(",");
    if let Kind::Range(from, to) = item.kind
        && (from, to) != (unit.least, unit.most)
    {
        let shorter = format!("{}-{}/{step}", unit.written(from), unit.written(*last));
        return (*last != to).then(|| {
            format!(
                "has a step that does not meet the end of its range: `{}`, in {}, is {list}; write `{shorter}`, or the list",
                item.text, unit.name
            )
        });
    }
    let cycle = unit.most - unit.least + 1;
    let within = values.windows(2).filter_map(|pair| Some(pair.last()? - pair.first()?));
    // Months are of several lengths.
    let lengths = if unit.name == DAYS_OF_MONTH.name { 28..=31 } else { cycle..=cycle };
    let over = lengths.rev().filter_map(|length| {
        let last = values.iter().rfind(|value| **value - unit.least < length)?;
        Some(length - last + first)
    });
    let mut gaps: Vec<u32> = within.chain(over).collect();
    if gaps.iter().all(|gap| *gap == step) {
        return None;
    }
    let mut seen = Vec::new();
    gaps.retain(|gap| {
        !seen.contains(gap) && {
            seen.push(*gap);
            true
        }
    });
    let gaps: Vec<_> = gaps.iter().map(u32::to_string).collect();
    let even = match unit.name == DAYS_OF_MONTH.name {
        true => String::new(),
        false => format!(", or take a step that divides {cycle}"),
    };
    Some(format!(
        "has a step that leaves uneven gaps: `{}`, in {}, is {list}, with gaps of {} {}; write the list if you mean that{even}",
        item.text,
        unit.name,
        describe::and(&gaps),
        unit.name
    ))
}

/// Day of the month and weekday, without a word on whether both are to match.
fn two_readings(words: &[&str], fields: &Fields) -> Option<String> {
    if fields.joined.is_some() || fields.days.is_all() || fields.weekdays.is_all() {
        return None;
    }
    let expression = |joined| Fields { joined: Some(joined), ..fields.clone() }.expression();
    let (both, either) = (expression(Joined::Both), expression(Joined::Either));
    let year = if both.years.contains(YEAR) { YEAR } else { both.years.first()? };
    let once = [both.seconds, both.minutes, both.hours].iter().all(|mask| mask.count_ones() == 1);
    let times = |expression: &Expression| match (count(expression, year), once) {
        (1, true) => "once".to_owned(),
        (count, true) => format!("{count} times"),
        (1, false) => "on 1 day".to_owned(),
        (count, false) => format!("on {count} days"),
    };
    let written = |before: &str| with(words, WEEKDAY, &format!("{before}{}", fields.weekdays));
    let nth = nth(words, fields).map_or_else(String::new, |nth| format!(", or `{nth}`"));
    Some(format!(
        "has two readings: the {} if it is {}, {} in {year}, is `{}`{nth}; every {} and every {}, {}, is `{}`",
        describe::days_of_month(&both.days),
        describe::a_weekday(&both.days),
        times(&both),
        written("&"),
        describe::days_of_month(&either.days),
        describe::weekdays(&either.days),
        times(&either),
        written("|"),
    ))
}

/// On how many days of a year it comes.
fn count(expression: &Expression, year: i32) -> usize {
    let days = NaiveDate::from_ymd_opt(year, 1, 1).into_iter().flat_map(|first| first.iter_days().take(366));
    days.filter(|day| day.year() == year && expression.matches_date(*day)).count()
}

/// `MON#1` for `1-7` and `MON`.
fn nth(words: &[&str], fields: &Fields) -> Option<String> {
    let ([days], [weekday]) = (fields.days.items.as_slice(), fields.weekdays.items.as_slice()) else { return None };
    let (Kind::Range(first, last), Kind::One(day)) = (days.kind, weekday.kind) else { return None };
    let nth = (1..=5).find(|nth| (first, last) == (7 * nth - 6, (7 * nth).min(31)))?;
    let words = with(words, DAY, "*");
    Some(with(&words.split(' ').collect::<Vec<_>>(), WEEKDAY, &format!("{}#{nth}", WEEKDAYS.written(day))))
}

/// A day that some of the months do not have.
fn missing_day(words: &[&str], fields: &Fields) -> Option<String> {
    let Fields { days, months, .. } = fields;
    // Whoever names the last day has thought of short months.
    if days.items.iter().any(|item| item.kind == Kind::LastDay) {
        return None;
    }
    days.items.iter().find_map(|item| {
        let (day, last) = match item.kind {
            Kind::One(day) if item.step.is_none() => (day, "L"),
            Kind::NearestWorkday(day) => (day, "LW"),
            _ => return None,
        };
        let given = months.mask();
        let having = MONTHS.iter().filter(|(month, length)| given & (1 << month) != 0 && *length >= day);
        let having = having.fold(0_u64, |mask, (month, _)| mask | 1 << month);
        // February the 29th is meant by whoever names the month.
        if having == given || having == 0 {
            return None;
        }
        let leap = if day == 29 { ", and in February in leap years" } else { "" };
        let others = days.items.iter().map(|other| if other.text == item.text { last } else { &other.text });
        let mut told = format!(
            "leaves months out: the {} comes in {} of {}{leap}; for the last {} of every month write `{}`",
            describe::ordinal(day),
            months_in_words(having),
            given.count_ones(),
            if last == "L" { "day" } else { "weekday" },
            with(words, DAY, &others.collect::<Vec<_>>().join(",")),
        );
        if days.items.len() == 1 {
            let only = with(words, MONTH, &MONTHS_OF_YEAR.list(having));
            told += &format!(", for those {} alone `{only}`", months_in_words(having));
        }
        Some(told)
    })
}

fn months_in_words(mask: u64) -> String {
    match mask.count_ones() {
        1 => "1 month".to_owned(),
        count => format!("{count} months"),
    }
}

/// The months, and how many days each has at least.
const MONTHS: [(u32, u32); 12] =
    [(1, 31), (2, 28), (3, 31), (4, 30), (5, 31), (6, 30), (7, 31), (8, 31), (9, 30), (10, 31), (11, 30), (12, 31)];

/// The expression with another word in a place.
fn with(words: &[&str], place: usize, word: &str) -> String {
    let words = words.iter().enumerate().map(|(at, was)| if at == place { word } else { was });
    words.collect::<Vec<_>>().join(" ")
}
