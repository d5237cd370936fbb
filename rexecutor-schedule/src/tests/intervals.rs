//! Intervals, starts and ends, and jitter.

use std::time::Duration;

use chrono::{TimeDelta, Timelike};

use super::{Schedule, at, check, schedule};
use crate::problem;

#[test]
fn an_interval_is_aligned_and_does_not_drift() {
    check("@every 90s", "UTC", "2030-01-01T00:00:00Z", &["2030-01-01T00:01:30Z", "2030-01-01T00:03:00Z"]);
    // From wherever it is asked: a restart moves nothing.
    let every = schedule("@every 90s", "Europe/London");
    for seconds in 0..600 {
        let after = at("2030-03-31T00:30:00Z") + TimeDelta::milliseconds(seconds * 997);
        let next = every.next_after(after).unwrap();
        assert!(next > after && next - after <= TimeDelta::seconds(90));
        assert_eq!((next - at("2030-01-07T00:00:00Z")).num_seconds() % 90, 0, "{next}");
    }
    check("@every 1h30m", "UTC", "2030-01-01T02:59:59Z", &["2030-01-01T03:00:00Z", "2030-01-01T04:30:00Z"]);
    check("@every 1d", "UTC", "2030-01-01T00:00:00Z", &["2030-01-02T00:00:00Z"]);
    // A week begins on a Monday.
    check("@every 1w", "UTC", "2030-01-01T00:00:00Z", &["2030-01-07T00:00:00Z", "2030-01-14T00:00:00Z"]);
    check("@every 7s", "UTC", "1969-12-31T23:59:58Z", &["1970-01-01T00:00:03Z", "1970-01-01T00:00:10Z"]);
    assert!(every.next_after(chrono::DateTime::<chrono::Utc>::MAX_UTC).is_none());
}

#[test]
fn an_interval_that_is_none_is_refused() {
    for text in [
        "@every 90",
        "@every",
        "@every ",
        "@every 500ms",
        "@every 0s",
        "@every 1500ms",
        "@every 367d",
        "@every s90",
        "@every 99999w",
    ] {
        assert!(problem(text).is_some(), "{text}");
        assert!(Schedule::parse(text, "UTC").is_err(), "{text}");
    }
    let problem = problem("@every 500ms").unwrap();
    assert_eq!(
        problem,
        "`500ms` is not an interval; write whole seconds, from \"1s\" to \"366d\", as \"90s\" or \"1h30m\""
    );
}

#[test]
fn a_schedule_ticks_from_its_start_to_its_end() {
    let daily = || schedule("0 0 9 * * *", "Europe/Berlin");
    let advent = daily().start_on("2030-12-01").unwrap().end_on("2030-12-24").unwrap();
    let ticks: Vec<_> = advent.ticks_after(at("2020-01-01T00:00:00Z")).collect();
    assert_eq!((ticks.len(), ticks[0], ticks[23]), (24, at("2030-12-01T08:00:00Z"), at("2030-12-24T08:00:00Z")));
    assert_eq!(advent.next_after(at("2030-12-24T08:00:00Z")), None);
    assert_eq!(advent.describe(), "at 09:00 every day, Berlin time, from 2030-12-01 00:00, until 2030-12-24 23:59");
    // Both ends belong to it.
    let exact = daily().start_on("2030-12-01T09:00").unwrap().end_on("2030-12-03T09:00:00").unwrap();
    assert_eq!(exact.ticks_after(at("2020-01-01T00:00:00Z")).count(), 3);
    let later = daily().start_on("2030-12-01T09:01").unwrap();
    assert_eq!(later.next_after(at("2020-01-01T00:00:00Z")), Some(at("2030-12-02T08:00:00Z")));
    let every =
        schedule("@every 90s", "UTC").with_start(at("2030-01-01T00:01:00Z")).with_end(at("2030-01-01T00:03:00Z"));
    let ticks: Vec<_> = every.ticks_after(at("2020-01-01T00:00:00Z")).map(|tick| tick.second()).collect();
    assert_eq!(ticks, [30, 0]);
    // What was found before a date was given counts no longer.
    let known = daily();
    assert!(known.next_after(at("2030-01-01T00:00:00Z")).is_some());
    assert_eq!(known.with_end(at("2029-01-01T00:00:00Z")).next_after(at("2030-01-01T00:00:00Z")), None);
}

#[test]
fn a_start_or_an_end_that_is_no_date_or_leaves_no_tick_is_refused() {
    let daily = || schedule("0 0 9 * * *", "Europe/Berlin");
    for text in ["2030-13-01", "2030-1-1", "tomorrow", "", "2030-12-01 09:00", "2030-12-01T09", "2030-02-30"] {
        let error = daily().start_on(text).unwrap_err().to_string();
        assert!(error.contains("is not a date; write a day, as `2027-01-31`"), "{error}");
    }
    let error = daily().start_on("2030-12-02").unwrap().end_on("2030-12-01").unwrap_err().to_string();
    assert_eq!(error, "`0 0 9 * * *` has no tick between its start and its end");
    let yearly = schedule("@yearly", "UTC").start_on("2030-02-01").unwrap();
    assert!(yearly.end_on("2030-11-01").is_err());
}

#[test]
fn jitter_is_at_most_an_hour_and_moves_no_tick() {
    let daily = schedule("0 0 9 * * *", "UTC").with_jitter(Duration::from_secs(30)).unwrap();
    assert_eq!(daily.next_after(at("2030-01-01T00:00:00Z")), Some(at("2030-01-01T09:00:00Z")));
    assert_eq!(
        (daily.jitter(), daily.describe()),
        (Duration::from_secs(30), "at 09:00 every day, UTC, up to 30s later".to_owned())
    );
    let error = daily.with_jitter(Duration::from_secs(3_601)).unwrap_err().to_string();
    assert_eq!(error, "the jitter is 3601s; the most is an hour");
}
