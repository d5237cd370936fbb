//! Ticks are computed by today's law, whatever rules the system and `chrono_tz` have.

use super::{Schedule, at};
use crate::{TimeZone, TimeZoneData, parse::rule};

fn next(expression: &str, timezone: &'static str, after: &str) -> String {
    let zone = TimeZone::compiled_in(timezone).unwrap();
    let schedule = Schedule::of(rule(expression).unwrap(), zone);
    schedule.next_after(at(after)).unwrap().format("%Y-%m-%dT%H:%MZ").to_string()
}

/// Four zones have new rules in 2026, after the data of 2025b that `chrono_tz` has.
#[test]
fn nine_in_the_morning_is_when_the_law_of_2026_says() {
    for (timezone, expected) in [
        ("America/Vancouver", "2026-11-25T16:00Z"),
        ("America/Edmonton", "2026-11-25T15:00Z"),
        ("America/Inuvik", "2026-11-25T15:00Z"),
        ("Africa/Casablanca", "2026-11-25T09:00Z"),
        ("Europe/London", "2026-11-25T09:00Z"),
        ("America/New_York", "2026-11-25T14:00Z"),
    ] {
        assert_eq!(next("0 0 9 * * *", timezone, "2026-11-25T00:00:00Z"), expected, "{timezone}");
    }
    assert_eq!(next("0 0 9 * * *", "America/Coyhaique", "2026-06-25T00:00:00Z"), "2026-06-25T12:00Z");
    assert!("America/Coyhaique".parse::<TimeZone>().is_ok());
}

/// The rules that are used are at least those that are compiled in, whatever the age of this machine's.
#[test]
fn a_schedule_goes_by_the_law_of_2026_on_this_machine() {
    let nine = Schedule::parse("0 0 9 * * *", "America/Vancouver").unwrap();
    assert_eq!(
        nine.next_after(at("2026-11-25T00:00:00Z")),
        Some(at("2026-11-25T16:00:00Z")),
        "{}",
        TimeZoneData::used()
    );
    let same = Schedule::new("0 0 9 * * *".parse().unwrap(), chrono_tz::America::Vancouver);
    assert_eq!(same.next_after(at("2026-11-25T00:00:00Z")), Some(at("2026-11-25T16:00:00Z")));
}

/// `scripts/lint` compares it with what the registry offers.
#[test]
fn the_compiled_in_rules_are_those_of_2026_or_later() {
    let data = TimeZoneData::compiled_in();
    assert!(data.version().unwrap() >= "2026f", "{data}");
    assert_eq!(data.to_string(), format!("{}, compiled in", data.version().unwrap()));
}
