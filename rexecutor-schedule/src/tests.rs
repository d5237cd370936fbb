use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::Schedule;

fn schedule(expression: &str, timezone: &str) -> Schedule {
    Schedule::parse(expression, timezone).unwrap()
}

fn at(instant: &str) -> DateTime<Utc> {
    instant.parse().unwrap()
}

#[track_caller]
fn check(expression: &str, timezone: &str, after: &str, expected: &[&str]) {
    let schedule = schedule(expression, timezone);
    let ticks = std::iter::successors(schedule.next_after(at(after)), |last| schedule.next_after(*last));
    let ticks: Vec<_> = ticks.take(expected.len()).collect();
    assert_eq!(ticks, expected.iter().map(|tick| at(tick)).collect::<Vec<_>>());
}

/// Trap 20: in spring 02:30 never runs.
#[test]
fn trap_20_a_skipped_local_time_is_due_once_at_the_change() {
    let changes = ["2030-03-30T01:30:00Z", "2030-03-31T01:00:00Z", "2030-04-01T00:30:00Z"];
    check("0 30 1 * * *", "Europe/London", "2030-03-29T12:00:00Z", &changes[..0]);
    check("0 30 1 * * *", "Europe/London", "2030-03-30T00:00:00Z", &changes);
    let every_five = ["2030-03-31T00:55:00Z", "2030-03-31T01:00:00Z", "2030-03-31T01:05:00Z"];
    check("0 */5 * * * *", "Europe/London", "2030-03-31T00:50:00Z", &every_five);
    // Lord Howe Island moves its clocks by half an hour.
    check("0 15 2 * * *", "Australia/Lord_Howe", "2030-10-05T12:00:00Z", &["2030-10-05T15:30:00Z"]);
}

/// Trap 20: in autumn `*/5` falls silent for an hour.
#[test]
fn trap_20_every_five_minutes_goes_on_through_the_repeated_hour() {
    let schedule = schedule("0 */5 * * * *", "Europe/London");
    let mut tick = at("2030-10-26T23:00:00Z");
    for _ in 0..60 {
        let next = schedule.next_after(tick).unwrap();
        assert_eq!(next - tick, TimeDelta::minutes(5), "after {tick}");
        tick = next;
    }
}

/// Trap 20: a restart in the repeated hour makes the loop spin.
#[test]
fn trap_20_a_daily_job_in_the_repeated_hour_is_due_once_from_any_start() {
    let daily = schedule("0 30 1 * * *", "Europe/London");
    let (first, tomorrow) = (at("2030-10-27T00:30:00Z"), at("2030-10-28T01:30:00Z"));
    for minutes in 0..180 {
        let start = at("2030-10-27T00:00:00Z") + TimeDelta::minutes(minutes);
        let expected = if start < first { first } else { tomorrow };
        assert_eq!(daily.next_after(start), Some(expected), "from {start}");
    }
}

/// Trap 21: a schedule with no further due time panics its task.
#[test]
fn trap_21_a_schedule_can_come_to_its_end() {
    let over = schedule("0 0 0 1 1 * 2020", "UTC");
    assert_eq!(over.next_after(at("2030-01-01T00:00:00Z")), None);
}

/// What is due by definition: every second is looked at.
fn brute_force(schedule: &Schedule, from: DateTime<Utc>, seconds: i64) -> Vec<DateTime<Utc>> {
    let matches = |local: chrono::NaiveDateTime| schedule.cron.includes(local.and_utc());
    let local = |at: DateTime<Utc>| schedule.timezone.local(at);
    let is_first = |at: DateTime<Utc>| schedule.timezone.first_instant(local(at)) == Some(at);
    let skipped = |at: DateTime<Utc>| {
        let before = local(at - TimeDelta::seconds(1)) + TimeDelta::seconds(1);
        let count = (local(at) - before).num_seconds().max(0);
        (0..count).any(|second| matches(before + TimeDelta::seconds(second)))
    };
    let is_due =
        |at: DateTime<Utc>| (matches(local(at)) && (schedule.fields.is_hourly() || is_first(at))) || skipped(at);
    (1..=seconds).map(|second| from + TimeDelta::seconds(second)).filter(|at| is_due(*at)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn ticks_are_those_of_the_definition(
        expression in prop::sample::select(vec![
            "0 */5 * * * *", "0 30 1 * * *", "0 0,30 1,2 * * *", "17 10 * * * *", "0 15 */2 * * *", "0 0 0 * * *",
        ]),
        (timezone, day) in prop::sample::select(vec![
            ("Europe/London", "2030-03-31"), ("Europe/London", "2030-10-27"), ("America/New_York", "2030-03-10"),
            ("America/New_York", "2030-11-03"), ("Australia/Lord_Howe", "2030-04-06"),
            ("Australia/Lord_Howe", "2030-10-05"), ("Asia/Kolkata", "2030-06-01"), ("Pacific/Apia", "2011-12-30"),
            ("America/Sao_Paulo", "2018-11-04"),
        ]),
        shift in -12_i64..12,
    ) {
        let schedule = schedule(expression, timezone);
        let from = at(&format!("{day}T00:00:00Z")) + TimeDelta::hours(shift);
        let expected = brute_force(&schedule, from, 36 * 3600);
        let ticks = std::iter::successors(schedule.next_after(from), |last| schedule.next_after(*last));
        let ticks: Vec<_> = ticks.take_while(|at| *at <= from + TimeDelta::hours(36)).collect();
        prop_assert_eq!(ticks, expected);
    }
}

#[test]
fn what_was_asked_before_changes_no_answer() {
    let start = at("2030-03-29T12:00:00Z");
    // Clocks go forward, and back.
    for start in [start, at("2030-10-25T12:00:00Z")] {
        for expression in ["0 30 1,2 * * *", "0 */7 * * * *", "0 30 * 27,31 * *"] {
            let kept = schedule(expression, "Europe/London");
            // Forwards, backwards, and to and fro.
            let minutes = (0..4_000).chain((0..4_000).rev()).chain((0..4_000).map(|minute| minute * 1_231 % 4_000));
            for after in minutes.map(|minute| start + TimeDelta::minutes(minute)) {
                assert_eq!(kept.next_after(after), kept.clone().next_after(after), "{expression} {after}");
            }
        }
    }
    let over = schedule("0 0 0 1 1 * 2031", "UTC");
    let last = at("2031-01-01T00:00:00Z");
    assert_eq!([over.next_after(last), over.next_after(start), over.next_after(last)], [None, Some(last), None]);
}
