//! Forty expressions in twelve zones over ten years, against a calculation that has nothing in common with ours.
//!
//! It walks through the minutes of ten years by `chrono`'s own conversion, notes what a clock shows, and looks at every local
//! minute, in order, with a matcher that is as simple as the definition.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone as _, Timelike, Utc, Weekday};
use chrono_tz::Tz;

use super::{Schedule, at};
use crate::{TimeZone, parse::rule};

/// Which days match.
type Day = fn(NaiveDate) -> bool;
/// Which minutes of a day match, by hour and minute.
type Minute = fn(u32, u32) -> bool;

fn every_day(_: NaiveDate) -> bool {
    true
}

fn midnight(hour: u32, minute: u32) -> bool {
    (hour, minute) == (0, 0)
}

fn nine(hour: u32, minute: u32) -> bool {
    (hour, minute) == (9, 0)
}

/// In the hours in which clocks change, nearly everywhere.
fn half_past_one_and_two(hour: u32, minute: u32) -> bool {
    (hour == 1 || hour == 2) && minute == 30
}

fn is_workday(date: NaiveDate) -> bool {
    !matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

fn is_last(date: NaiveDate) -> bool {
    date.succ_opt().unwrap().month() != date.month()
}

fn all_of_month(date: NaiveDate) -> Vec<NaiveDate> {
    (1..=31).filter_map(|day| date.with_day(day)).collect()
}

/// The nearest workday of the month: of all its workdays the one with the least distance. A Saturday and a Sunday have one that
/// is a day away, except at the ends of a month.
fn nearest(date: NaiveDate, day: u32) -> bool {
    let Some(wanted) = date.with_day(day) else { return false };
    let workdays = all_of_month(date).into_iter().filter(|date| is_workday(*date));
    workdays.min_by_key(|date| (*date - wanted).abs()) == Some(date)
}

fn last_workday(date: NaiveDate) -> bool {
    all_of_month(date).into_iter().rfind(|date| is_workday(*date)) == Some(date)
}

fn nth(date: NaiveDate, weekday: Weekday, nth: usize) -> bool {
    let mut days = all_of_month(date).into_iter().filter(|date| date.weekday() == weekday);
    days.nth(nth - 1) == Some(date)
}

fn last_of(date: NaiveDate, weekday: Weekday) -> bool {
    all_of_month(date).into_iter().rfind(|date| date.weekday() == weekday) == Some(date)
}

/// Forty expressions, and what they mean.
const EXPRESSIONS: [(&str, Day, Minute); 40] = [
    ("0 1-31/10 * * * *", every_day, |_, minute| [1, 11, 21, 31].contains(&minute)),
    ("0 */5 * * * *", every_day, |_, minute| minute % 5 == 0),
    ("0 0 * * * *", every_day, |_, minute| minute == 0),
    ("0 17 * * * *", every_day, |_, minute| minute == 17),
    ("0 0 */2 * * *", every_day, |hour, minute| hour % 2 == 0 && minute == 0),
    ("0 15,45 */6 * * *", every_day, |hour, minute| hour % 6 == 0 && (minute == 15 || minute == 45)),
    ("0 */30 1-3 * * *", every_day, |hour, minute| (1..=3).contains(&hour) && minute % 30 == 0),
    ("0 30 1,2 * * *", every_day, half_past_one_and_two),
    ("0 0 0 * * *", every_day, midnight),
    ("0 0 3 * * *", every_day, |hour, minute| (hour, minute) == (3, 0)),
    ("0 59 23 * * *", every_day, |hour, minute| (hour, minute) == (23, 59)),
    ("@daily", every_day, midnight),
    ("0 0 9 * * MON-FRI", is_workday, nine),
    ("0 0 9 * * SAT,SUN", |date| !is_workday(date), nine),
    ("0 30 1,2 * * SUN", |date| date.weekday() == Weekday::Sun, half_past_one_and_two),
    ("@weekly", |date| date.weekday() == Weekday::Sun, midnight),
    ("0 0 9 1 * *", |date| date.day() == 1, nine),
    ("0 0 9 1,15 * *", |date| [1, 15].contains(&date.day()), nine),
    ("0 0 9 25-31 * *", |date| date.day() >= 25, nine),
    ("0 0 0 1 */3 *", |date| date.day() == 1 && [1, 4, 7, 10].contains(&date.month()), midnight),
    ("0 0 0 29 2 *", |date| (date.month(), date.day()) == (2, 29), midnight),
    ("@yearly", |date| date.ordinal() == 1, midnight),
    ("0 0 9 L * *", is_last, nine),
    ("0 59 23 L 2 *", |date| date.month() == 2 && is_last(date), |hour, minute| (hour, minute) == (23, 59)),
    ("0 0 9 15,L * *", |date| date.day() == 15 || is_last(date), nine),
    ("0 0 9 LW * *", last_workday, nine),
    ("0 0 9 1W * *", |date| nearest(date, 1), nine),
    ("0 0 9 15W * *", |date| nearest(date, 15), nine),
    ("0 0 9 31W JAN,MAR,MAY,JUL,AUG,OCT,DEC *", |date| nearest(date, 31), nine),
    ("0 0 9 1W,15W,LW * *", |date| nearest(date, 1) || nearest(date, 15) || last_workday(date), nine),
    ("0 0 9 * * FRI#2", |date| nth(date, Weekday::Fri, 2), nine),
    ("0 0 9 * * SUN#1,WED#5", |date| nth(date, Weekday::Sun, 1) || nth(date, Weekday::Wed, 5), nine),
    (
        "0 30 1,2 * MAR,OCT SUNL",
        |date| [3, 10].contains(&date.month()) && last_of(date, Weekday::Sun),
        half_past_one_and_two,
    ),
    ("0 0 9 * * FRIL", |date| last_of(date, Weekday::Fri), nine),
    ("0 0 9 * * MON,FRIL", |date| date.weekday() == Weekday::Mon || last_of(date, Weekday::Fri), nine),
    ("0 0 9 13 * &FRI", |date| date.day() == 13 && date.weekday() == Weekday::Fri, nine),
    ("0 0 9 13 * |FRI", |date| date.day() == 13 || date.weekday() == Weekday::Fri, nine),
    ("0 0 9 1-7 * &MON", |date| date.day() <= 7 && date.weekday() == Weekday::Mon, nine),
    ("0 0 9 L * |MON#1", |date| is_last(date) || nth(date, Weekday::Mon, 1), nine),
    (
        "0 */20 0,23 * JUN-AUG * 2029-2031",
        |date| (6..=8).contains(&date.month()) && (2029..=2031).contains(&date.year()),
        |hour, minute| (hour == 0 || hour == 23) && minute % 20 == 0,
    ),
];

/// What clocks of a zone show: for each local minute of ten years the minute of the first instant at which it begins, or of the
/// change that skips it.
struct Clock {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    /// The first local minute.
    first_local: NaiveDateTime,
    /// By the number of the local minute.
    first: Vec<i64>,
    /// The second instants of minutes that happen twice.
    second: Vec<(NaiveDateTime, i64)>,
}

impl Clock {
    fn of(zone: Tz) -> Self {
        let (start, end) = (at("2027-01-01T00:00:00Z"), at("2037-01-01T00:00:00Z"));
        let instant = |minute: i64| start + TimeDelta::minutes(minute);
        let ahead = |minute| {
            i64::from(zone.offset_from_utc_datetime(&instant(minute).naive_utc()).fix().local_minus_utc()) / 60
        };
        let at_first = ahead(0);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for hour in 0..(end - start).num_hours() {
            // Only in an hour in which it changes does each minute have to be asked for.
            let (before, after) = (ahead(hour * 60), ahead(hour * 60 + 60));
            for minute in hour * 60..hour * 60 + 60 {
                let offset = if before == after { before } else { ahead(minute) };
                let local = minute + offset - at_first;
                // Clocks went forward: what they left out is due now.
                while i64::try_from(first.len()).unwrap() <= local {
                    first.push(minute);
                }
                if first[usize::try_from(local).unwrap()] != minute {
                    second.push((instant(minute + offset).naive_utc(), minute));
                }
            }
        }
        Self { start, end, first_local: instant(at_first).naive_utc(), first, second }
    }

    /// The ticks by definition, in order.
    fn ticks(&self, day: Day, minute: Minute) -> Vec<DateTime<Utc>> {
        let minutes: Vec<(u32, u32)> = (0..24).flat_map(|hour| (0..60).map(move |at| (hour, at))).collect();
        let minutes: Vec<_> = minutes.into_iter().filter(|(hour, at)| minute(*hour, *at)).collect();
        let is_hourly = (0..24).all(|hour| minutes.iter().any(|(at, _)| *at == hour));
        let last_local = self.first_local + TimeDelta::minutes(i64::try_from(self.first.len()).unwrap());
        let days = self.first_local.date().iter_days().take_while(|date| *date <= last_local.date());
        let mut ticks: Vec<i64> = Vec::new();
        for date in days.filter(|date| day(*date)) {
            for (hour, at) in &minutes {
                let local = date.and_hms_opt(*hour, *at, 0).unwrap();
                let number = usize::try_from((local - self.first_local).num_minutes()).ok();
                ticks.extend(number.and_then(|number| self.first.get(number)));
            }
        }
        let again = self
            .second
            .iter()
            .filter(|(local, _)| is_hourly && minute(local.hour(), local.minute()) && day(local.date()));
        ticks.extend(again.map(|(_, minute)| *minute));
        ticks.sort_unstable();
        ticks.dedup();
        ticks.into_iter().map(|minute| self.start + TimeDelta::minutes(minute)).collect()
    }
}

fn check(zone: Tz) {
    let clock = Clock::of(zone);
    let timezone = TimeZone::compiled_in(zone.name()).unwrap();
    for (expression, day, minute) in EXPRESSIONS {
        let schedule = Schedule::of(rule(expression).unwrap(), timezone);
        let start = clock.start - TimeDelta::seconds(1);
        let ticks: Vec<_> = schedule.ticks_after(start).take_while(|tick| *tick < clock.end).collect();
        let expected = clock.ticks(day, minute);
        assert!(!expected.is_empty(), "{expression}");
        if let Some((ours, right)) = ticks.iter().zip(&expected).find(|(ours, right)| ours != right) {
            panic!("`{expression}` in {zone}: {ours} instead of {right}");
        }
        assert_eq!(ticks.len(), expected.len(), "`{expression}` in {zone}");
    }
}

macro_rules! zones {
    ($($name:ident: $zone:expr;)*) => {
        $(
            #[test]
            fn $name() {
                check($zone);
            }
        )*
    };
}

// Zones in which the rules of 2025, which `chrono_tz` has, still hold.
zones! {
    utc: Tz::UTC;
    london: Tz::Europe__London;
    berlin: Tz::Europe__Berlin;
    new_york: Tz::America__New_York;
    los_angeles: Tz::America__Los_Angeles;
    st_johns: Tz::America__St_Johns;
    santiago: Tz::America__Santiago;
    kolkata: Tz::Asia__Kolkata;
    tokyo: Tz::Asia__Tokyo;
    sydney: Tz::Australia__Sydney;
    lord_howe: Tz::Australia__Lord_Howe;
    auckland: Tz::Pacific__Auckland;
}
