//! Forty expressions in twelve zones over ten years, against a calculation that has nothing in common with ours.
//!
//! It walks through every minute of ten years by `chrono`'s own conversion, notes what a clock shows, and looks at every local
//! minute, in order, with a matcher that is as simple as the definition.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta, TimeZone as _, Timelike, Utc, Weekday};
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

fn every_minute(_: u32, _: u32) -> bool {
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
    ("0 * * * * *", every_day, every_minute),
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
        "0 */20 0-23/23 * JUN-AUG * 2029-2031",
        |date| (6..=8).contains(&date.month()) && (2029..=2031).contains(&date.year()),
        |hour, minute| (hour == 0 || hour == 23) && minute % 20 == 0,
    ),
];

/// What clocks of a zone show: each local minute of ten years with the instants at which it begins, and the skipped ones with the
/// moment of the change.
struct Clock {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    /// In the order of the local minutes.
    first: BTreeMap<NaiveDateTime, DateTime<Utc>>,
    /// The second instants of minutes that happen twice.
    second: Vec<(NaiveDateTime, DateTime<Utc>)>,
}

impl Clock {
    fn of(zone: Tz) -> Self {
        let (start, end) = (at("2027-01-01T00:00:00Z"), at("2037-01-01T00:00:00Z"));
        let (mut first, mut second) = (BTreeMap::new(), Vec::new());
        let minute = TimeDelta::minutes(1);
        let mut instant = start;
        let mut expected = zone.from_utc_datetime(&start.naive_utc()).naive_local();
        while instant < end {
            let shown = zone.from_utc_datetime(&instant.naive_utc()).naive_local();
            // Clocks went forward: what they left out is due now.
            while expected < shown {
                first.entry(expected).or_insert(instant);
                expected += minute;
            }
            match first.get(&shown) {
                None => drop(first.insert(shown, instant)),
                Some(_) => second.push((shown, instant)),
            }
            expected = shown + minute;
            instant += minute;
        }
        Self { start, end, first, second }
    }

    /// The ticks by definition, in order.
    fn ticks(&self, day: Day, minute: Minute) -> Vec<DateTime<Utc>> {
        let is_hourly = (0..24).all(|hour| (0..60).any(|at| minute(hour, at)));
        let mut matched: Option<(NaiveDate, bool)> = None;
        let mut matches = |local: &NaiveDateTime| {
            if !minute(local.hour(), local.minute()) {
                return false;
            }
            match matched.filter(|(date, _)| *date == local.date()) {
                Some((_, is_match)) => is_match,
                None => matched.insert((local.date(), day(local.date()))).1,
            }
        };
        let mut ticks: Vec<_> = self.first.iter().filter(|(local, _)| matches(local)).map(|(_, at)| *at).collect();
        let again = self.second.iter().filter(|(local, _)| is_hourly && matches(local));
        ticks.extend(again.map(|(_, at)| *at));
        ticks.sort_unstable();
        ticks.dedup();
        ticks
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
