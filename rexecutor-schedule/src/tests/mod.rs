//! What schedules tick at.

mod brute_force;
mod definition;
mod intervals;
mod law;
mod reading;
mod words;

use chrono::{DateTime, TimeDelta, Utc};

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

#[test]
fn what_was_asked_before_changes_no_answer() {
    let start = at("2030-03-29T12:00:00Z");
    // Clocks go forward, and back.
    for start in [start, at("2030-10-25T12:00:00Z")] {
        for expression in ["0 30 1,2 * * *", "0 0,7,14,21,28,35,42,49,56 * * * *", "0 30 * 27,30-31 * *"] {
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
