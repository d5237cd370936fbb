//! Ticks are those of the definition: every second is looked at, and the `cron` crate says which local times match.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::{Schedule, at, schedule};

/// What is due by definition: every second is looked at.
fn brute_force(schedule: &Schedule, from: DateTime<Utc>, seconds: i64) -> Vec<DateTime<Utc>> {
    let cron: cron::Schedule = schedule.expression().parse().unwrap();
    let is_hourly = matches!(&schedule.rule, crate::schedule::Rule::Cron(expression) if expression.is_hourly());
    let matches = |local: chrono::NaiveDateTime| cron.includes(local.and_utc());
    let local = |at: DateTime<Utc>| schedule.timezone.local(at);
    let is_first = |at: DateTime<Utc>| schedule.timezone.first_instant(local(at)) == Some(at);
    let skipped = |at: DateTime<Utc>| {
        let before = local(at - TimeDelta::seconds(1)) + TimeDelta::seconds(1);
        let count = (local(at) - before).num_seconds().max(0);
        (0..count).any(|second| matches(before + TimeDelta::seconds(second)))
    };
    let is_due = |at: DateTime<Utc>| (matches(local(at)) && (is_hourly || is_first(at))) || skipped(at);
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

/// What the `cron` crate and we both accept, both understand alike.
#[test]
fn expressions_match_the_days_and_times_that_the_cron_crate_matches() {
    let start = at("2027-12-30T22:58:57Z");
    for expression in [
        "* * * * * *",
        "*/20 * * * * *",
        "5,17-19 */30 * * * *",
        "0 10-20/5 9-17/4 * * *",
        "0 0 0 1,15 * *",
        "0 0 12 ? * MON-FRI",
        "0 0 12 * JAN,Jun-AUGUST sat,SUNDAY",
        "0 59 23 28-31 2,12 *",
        "0 0 0 29 2 *",
        "0 30 6 * * ? 2028-2032/2",
        "@hourly",
        "@weekly",
        "@daily",
        "@monthly",
        "0 7/20 * * * *",
        "0 0 6 * * Tues,thurs",
    ] {
        let (ours, cron) = (schedule(expression, "UTC"), expression.parse::<cron::Schedule>().unwrap());
        let expected: Vec<_> = cron.after(&start).take(300).collect();
        assert_eq!(ours.ticks_after(start).take(300).collect::<Vec<_>>(), expected, "{expression}");
        assert_eq!(
            Schedule::new(cron, super::super::TimeZone::UTC).ticks_after(start).take(300).collect::<Vec<_>>(),
            expected
        );
    }
}
