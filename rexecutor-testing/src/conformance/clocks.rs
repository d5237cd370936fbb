//! Schedule entries while clocks are set, and while those of people change.

use chrono::{DateTime, TimeDelta, Utc};
use rexecutor::schedule::{EntryAnswer, EntryStep, MissedTicks, NewEntry, Schedule};

use super::{
    entries::entry,
    harness::{Harness, job},
};

/// The ticks of a time that a clock jumps over, or a machine sleeps through, are missed ticks.
pub async fn case_44_a_clock_that_is_set_forward_leaves_missed_ticks(t: &Harness) {
    if t.entries().is_none() {
        return;
    }
    let policies = [MissedTicks::Skip, MissedTicks::Last, MissedTicks::AtMost(4), MissedTicks::All];
    for (policy, expected) in policies.into_iter().zip([0, 1, 4, 12]) {
        let name = format!("{policy:?}");
        let new = entry("0 */10 * * * *", &job("report")).with_missed(policy);
        t.wait(65).await;
        t.step(EntryStep::put(name.clone(), "ann", new)).await;
        t.clock.jump(TimeDelta::hours(2)).await;
        let ticks = t.tick(EntryStep::tick(name.clone())).await.expect("it is there");
        assert_eq!(ticks.len(), expected, "{name}");
        assert_eq!(t.tick(EntryStep::tick(name)).await, Some(Vec::new()));
    }
}

/// A clock that is corrected by seconds makes no tick come twice; one that was hours ahead stops no schedule.
pub async fn case_44_a_clock_that_is_set_back_repeats_no_tick_of_the_last_minute(t: &Harness) {
    if t.entries().is_none() {
        return;
    }
    t.step(EntryStep::put("report", "ann", entry("0 */10 * * * *", &job("report")))).await;
    let tick = async || t.tick(EntryStep::tick("report")).await.expect("it is there").len();
    t.wait(601).await;
    assert_eq!(tick().await, 1);
    t.clock.jump(TimeDelta::seconds(-30)).await;
    assert_eq!(tick().await, 0);
    t.wait(40).await;
    assert_eq!(tick().await, 0, "it has come already");
    t.wait(600).await;
    assert_eq!(tick().await, 1);
    t.clock.jump(TimeDelta::hours(-2)).await;
    let EntryAnswer::Ticked(ticked) = t.step(EntryStep::tick("report")).await else { panic!("it is there") };
    assert!(ticked.taken_back.is_some() && ticked.enqueued.is_empty());
    t.wait(600).await;
    assert_eq!(tick().await, 1, "it ticks on from the present");
}

/// In spring an hour is skipped, and in autumn one comes twice.
pub async fn trap_20_hours_that_are_skipped_or_come_twice_lose_no_tick(t: &Harness) {
    if t.entries().is_none() {
        return;
    }
    let at = |instant: &str| instant.parse::<DateTime<Utc>>().expect("it is an instant");
    let berlin = |expression| {
        let schedule = Schedule::parse(expression, "Europe/Berlin").expect("it is one");
        NewEntry::new(schedule, &job("report")).with_missed(MissedTicks::All)
    };
    for (midnight, expected) in [("2030-03-31T00:00:00Z", ["01:00"]), ("2030-10-27T00:00:00Z", ["00:30"])] {
        t.clock.set(at(midnight)).await;
        let (day, hour) = (format!("daily {midnight}"), format!("hourly {midnight}"));
        t.step(EntryStep::put(day.clone(), "ann", berlin("0 30 2 * * *"))).await;
        t.step(EntryStep::put(hour.clone(), "ann", berlin("0 30 * * * *"))).await;
        let (mut daily, mut hourly) = (Vec::new(), Vec::new());
        for _ in 0..12 {
            t.wait(900).await;
            daily.extend(t.tick(EntryStep::tick(day.clone())).await.expect("it is there"));
            hourly.extend(t.tick(EntryStep::tick(hour.clone())).await.expect("it is there"));
        }
        let daily: Vec<String> = daily.iter().map(|at| at.format("%H:%M").to_string()).collect();
        assert_eq!(daily, expected, "{midnight}");
        let hourly: Vec<String> = hourly.iter().map(|at| at.format("%H:%M").to_string()).collect();
        assert_eq!(hourly.iter().filter(|at| at.ends_with(":30")).count(), 3, "{hourly:?}");
    }
}
