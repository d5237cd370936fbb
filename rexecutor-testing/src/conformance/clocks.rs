//! Schedule entries while clocks are set, and while those of people change.

use chrono::{DateTime, TimeDelta, Utc};
use rexecutor::{
    backend::{Due, Outcome},
    schedule::{EntryAnswer, EntryStep, MissedTicks, NewEntry, Schedule},
};

use super::{
    entries::entry,
    harness::{COMPLETE, Harness, failure, job, retry},
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

/// What was due stays due when a clock is set back, in the order in which it was, and so does what waits for its next attempt; what is for
/// later goes by the clock. It is done once, however many nodes notice.
pub async fn case_44_what_was_due_before_a_clock_was_set_back_is_due_after(t: &Harness) {
    let nodes = [t.join().await, t.join().await];
    let [late, fails] = ["late", "fails"].map(job);
    for (name, outcome) in [("retried", retry(90)), ("snoozed", Outcome::snooze(TimeDelta::seconds(90)))] {
        t.enqueue(job(name)).await;
        let run = t.claim(nodes[0], name, 1).await.remove(0);
        assert!(t.settle(&run, outcome).await);
    }
    t.enqueue(fails).await;
    let running = t.claim(nodes[0], "fails", 1).await.remove(0);
    t.enqueue(late.clone().with_due(Due::In(TimeDelta::seconds(40)))).await;
    t.wait(40).await;
    t.enqueue(late.clone()).await;
    t.enqueue(late.with_due(Due::In(TimeDelta::hours(1)))).await;
    for node in nodes {
        assert!(t.backend.heartbeat(node).await.expect("it is a member").member);
    }
    let before = t.now();
    // What comes after the last heartbeat is due, too.
    t.wait(3).await;
    t.enqueue(job("last")).await;
    t.clock.jump(TimeDelta::hours(-2)).await;
    assert!(t.settle(&running, retry(7_000)).await);
    for node in nodes {
        assert!(t.backend.heartbeat(node).await.expect("it is a member").member);
    }
    let due: Vec<_> = t.claim(nodes[1], "late", 9).await.iter().map(|job| job.scheduled_at).collect();
    assert_eq!(due, [t.now(), t.now()]);
    assert_eq!(t.claim(nodes[1], "last", 9).await.len(), 1);
    assert!(t.claim(nodes[1], "retried", 1).await.is_empty() && t.claim(nodes[1], "snoozed", 1).await.is_empty());
    assert_eq!(t.row(running.id).await.scheduled_at, t.now() + TimeDelta::seconds(7_000), "it was settled afterwards");
    t.wait(50).await;
    assert_eq!([t.claim(nodes[1], "retried", 1).await.len(), t.claim(nodes[1], "snoozed", 1).await.len()], [1, 1]);
    let last = t.all().await.iter().map(|row| row.scheduled_at).max();
    assert_eq!(last, Some(before + TimeDelta::hours(1)), "what is for later goes by the clock");
    // A correction by seconds moves nothing.
    t.enqueue(job("soon")).await;
    assert!(t.backend.heartbeat(nodes[0]).await.expect("it is a member").member);
    t.clock.jump(TimeDelta::seconds(-50)).await;
    assert!(t.backend.heartbeat(nodes[0]).await.expect("it is a member").member);
    assert!(t.claim(nodes[0], "soon", 1).await.is_empty());
    t.wait(50).await;
    assert_eq!(t.claim(nodes[0], "soon", 1).await.len(), 1);
}

/// Nobody was there when it was set back: what is stored tells what it showed.
pub async fn case_44_what_was_due_before_a_clock_was_set_back_is_due_for_a_node_that_comes_later(t: &Harness) {
    let node = t.join().await;
    t.enqueue(job("retried")).await;
    let run = t.claim(node, "retried", 1).await.remove(0);
    assert!(t.settle(&run, retry(90)).await);
    t.wait(30).await;
    let later = job("later").with_due(Due::In(TimeDelta::hours(3)));
    t.enqueue_all(vec![job("late"), later]).await;
    t.backend.leave(node).await.expect("it was a member");
    t.clock.jump(TimeDelta::hours(-2)).await;
    let node = t.join().await;
    assert_eq!(t.claim(node, "late", 9).await.len(), 1);
    assert!(t.claim(node, "retried", 1).await.is_empty() && t.claim(node, "later", 1).await.is_empty());
    t.wait(90).await;
    assert_eq!(t.claim(node, "retried", 1).await.len(), 1);
    assert!(t.claim(node, "later", 1).await.is_empty(), "what is for later goes by the clock");
    // One that comes after finds nothing more to do.
    t.enqueue(job("soon").with_due(Due::In(TimeDelta::seconds(30)))).await;
    let node = t.join().await;
    assert!(t.claim(node, "soon", 1).await.is_empty());
    // Its members were killed, and nothing was enqueued for long.
    t.wait(3_600).await;
    assert!(t.backend.heartbeat(node).await.expect("it is a member").member);
    t.enqueue(job("last")).await;
    t.clock.jump(TimeDelta::minutes(-30)).await;
    let node = t.join().await;
    assert_eq!(t.claim(node, "last", 1).await.len(), 1);
}

/// A job says how long its executor is to wait, and it waits no longer, nor less.
pub async fn case_44_an_executor_that_is_held_back_waits_no_longer_for_a_clock_that_was_set_back(t: &Harness) {
    let node = t.join().await;
    t.enqueue_all(vec![job("calls"); 2]).await;
    let run = t.claim(node, "calls", 1).await.remove(0);
    assert!(t.backend.heartbeat(node).await.expect("it is a member").member);
    assert!(t.settle(&run, Outcome::throttle(TimeDelta::seconds(90))).await);
    assert!(t.claim(node, "calls", 1).await.is_empty());
    t.clock.jump(TimeDelta::hours(-2)).await;
    assert!(t.backend.heartbeat(node).await.expect("it is a member").member);
    assert!(t.claim(node, "calls", 1).await.is_empty());
    t.wait(89).await;
    assert!(t.claim(node, "calls", 1).await.is_empty());
    t.wait(1).await;
    assert_eq!(t.claim(node, "calls", 2).await.len(), 2);
}

/// No run ends before it began, however it ends, though the clock was set back meanwhile.
pub async fn case_44_a_run_during_which_a_clock_is_set_back_has_no_negative_duration(t: &Harness) {
    let node = t.join().await;
    let outcomes = [COMPLETE, Outcome::discard(failure("it broke")), Outcome::cancel("no use")];
    t.enqueue_all(vec![job("mail"); 3]).await;
    let runs = t.claim(node, "mail", 3).await;
    let began = t.now();
    t.clock.jump(TimeDelta::hours(-2)).await;
    for (run, outcome) in runs.iter().zip(outcomes) {
        assert!(t.settle(run, outcome).await);
        let row = t.row(run.id).await;
        assert_eq!((row.attempted_at, row.finished_at()), (Some(began), Some(began)), "{}", row.status);
    }
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
