//! Schedule entries. A backend that keeps none is held to nothing here.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use rexecutor::{
    backend::{Entries, NewJob, Pause, Wakeup},
    job::NodeId,
    schedule::{EntryAnswer, EntryChange, EntryStep, MissedTicks, NewEntry, Origin, Schedule, ScheduleEntry},
};

use super::harness::{Harness, ids, job};

pub(super) fn entry(expression: &str, job: &NewJob) -> NewEntry {
    NewEntry::new(Schedule::parse(expression, "UTC").expect("it is one"), job)
}

pub(super) fn hourly() -> NewEntry {
    entry("0 0 * * * *", &job("report"))
}

impl Harness {
    pub(super) fn entries(&self) -> Option<&dyn Entries> {
        self.backend.entries()
    }

    pub(super) async fn step(&self, step: EntryStep) -> EntryAnswer {
        let entries = self.entries().expect("it keeps entries");
        entries.step(vec![step]).await.expect("entries can be stored").remove(0)
    }

    /// The instants that are enqueued now; `None`: the entry is not, or no longer, so.
    pub(super) async fn tick(&self, step: EntryStep) -> Option<Vec<DateTime<Utc>>> {
        match self.step(step).await {
            EntryAnswer::Ticked(ticked) => Some(ticked.enqueued),
            _ => None,
        }
    }

    pub(super) async fn entry(&self, name: &str) -> Option<ScheduleEntry> {
        let entries = self.entries().expect("it keeps entries");
        entries.list(Some(name)).await.expect("entries can be read").pop()
    }

    pub(super) async fn declare(&self, node: NodeId, name: &str, new: &NewEntry) -> EntryAnswer {
        self.step(EntryStep::declare(name, Some(node), "a program", new.clone())).await
    }

    pub(super) async fn is_due(&self, name: &str) -> bool {
        let entries = self.entries().expect("it keeps entries");
        entries.due().await.expect("entries can be read").names.iter().any(|due| due == name)
    }

    pub(super) fn hour(&self, hours: i64) -> DateTime<Utc> {
        crate::TestClock::START + TimeDelta::hours(hours)
    }
}

/// Whatever is said of an entry comes back, and it is due when its schedule says so.
pub async fn an_entry_stands_in_the_backend_with_all_that_was_given(t: &Harness) {
    let Some(entries) = t.entries() else { return };
    let zone = Schedule::parse("0 30 9 * * MON-FRI", "Europe/Berlin").expect("it is one");
    let new = NewEntry::new(zone, &job("report").with_data(r#"{"office":"Köln"}"#));
    let new = new.with_missed(MissedTicks::AtMost(3));
    assert_eq!(t.step(EntryStep::put("tenant-42", "ann", new)).await, EntryAnswer::Done);
    assert_eq!(t.step(EntryStep::put("another", "ben", hourly())).await, EntryAnswer::Done);
    let all = entries.list(None).await.expect("entries can be read");
    assert_eq!(all.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["another", "tenant-42"]);
    let entry = t.entry("tenant-42").await.expect("it is there");
    assert_eq!((entry.executor.as_str(), entry.data.as_str()), ("report", r#"{"office":"Köln"}"#));
    assert_eq!((entry.expression.as_str(), entry.timezone.as_str()), ("0 30 9 * * MON-FRI", "Europe/Berlin"));
    assert_eq!(entry.description.as_deref(), Some("at 09:30 on weekdays, Berlin time"));
    assert_eq!((entry.missed, entry.origin), (MissedTicks::AtMost(3), Origin::RunTime));
    assert_eq!((entry.declared_by.as_str(), entry.declared_at), ("ann", t.now()));
    assert_eq!((entry.is_orphaned, entry.paused, entry.last_tick), (false, None, None));
    // The clock begins on a Tuesday at midnight.
    assert_eq!(entry.next_tick, Some(t.hour(8) + TimeDelta::minutes(30)));
    assert_eq!(t.entry("nobody").await, None);
    let due = entries.due().await.expect("entries can be read");
    assert_eq!((due.now, due.names.len(), due.next_at), (t.now(), 0, Some(t.hour(1))));
    t.wait(3_600).await;
    let due = entries.due().await.expect("entries can be read");
    assert_eq!((due.names, due.next_at), (vec!["another".to_owned()], Some(t.hour(8) + TimeDelta::minutes(30))));
}

/// However many nodes come at once, each tick is enqueued once, and a tick that was done is not owed.
pub async fn of_many_nodes_one_ticks_an_entry(t: &Harness) {
    if t.entries().is_none() {
        return;
    }
    let new = hourly();
    for (name, step) in [
        ("put", EntryStep::put("put", "ann", new.clone())),
        ("declared", EntryStep::declare("declared", Some(t.join().await), "a program", new.clone())),
    ] {
        t.step(step).await;
        let tick = match name {
            "put" => EntryStep::tick(name),
            _ => EntryStep::tick_declared(name, &new),
        };
        assert_eq!(t.tick(tick.clone()).await, Some(Vec::new()), "a new entry owes nothing");
        let start = t.now();
        for hour in 1..=3 {
            t.wait(3_600).await;
            let tasks = (0..8).map(|_| {
                let (t, tick) = (t.clone(), tick.clone());
                tokio::spawn(async move { t.tick(tick).await.expect("it is so") })
            });
            let mut enqueued = Vec::new();
            for task in tasks.collect::<Vec<_>>() {
                enqueued.extend(task.await.expect("no task panics"));
            }
            assert_eq!(enqueued, [start + TimeDelta::hours(hour)]);
        }
    }
    assert_eq!(t.all().await.len(), 6);
}

/// A job of a tick is the one that was given, due at its tick, and knows it.
pub async fn an_entry_enqueues_its_job_as_it_was_given(t: &Harness) {
    if t.entries().is_none() {
        return;
    }
    let given = job("report")
        .with_data(r#"{"b":1,"a":[1.50]}"#)
        .with_metadata(Some("7".to_owned()))
        .with_priority(4)
        .with_tags(vec!["nightly".to_owned()])
        .with_headers([("trace", "abc")].into_iter().collect());
    t.step(EntryStep::put("nightly", "ann", entry("0 0 * * * *", &given))).await;
    t.wait(3_601).await;
    assert_eq!(t.tick(EntryStep::tick("nightly")).await, Some(vec![t.hour(1)]));
    let row = t.claim(t.join().await, "report", 9).await.remove(0);
    assert_eq!((row.data.as_str(), row.metadata.as_deref()), (given.data.as_str(), Some("7")));
    assert_eq!((row.priority, row.max_attempts, &row.tags), (4, 3, &given.tags));
    assert_eq!((row.scheduled_at, row.extras.tick_at), (t.hour(1), Some(t.hour(1))));
    assert_eq!(row.extras.headers, given.extras.headers);
}

/// During a deploy the new definition holds from its first node on, also when an old node starts again, and the old one only
/// The tick of an instant that both versions say comes once, whichever of them does it; what only the new one says is not owed
/// Of what came while it was paused nothing is made up for, whatever ends the pause, and whatever the policy says.
pub async fn a_paused_entry_does_not_tick_and_owes_nothing_afterwards(t: &Harness) {
    if t.entries().is_none() {
        return;
    }
    let new = hourly().with_missed(MissedTicks::All);
    let (put, declared) = (EntryStep::put("put", "ann", new.clone()), t.join().await);
    t.step(put).await;
    t.declare(declared, "declared", &new).await;
    for (name, tick) in [("put", EntryStep::tick("put")), ("declared", EntryStep::tick_declared("declared", &new))] {
        let start = t.now();
        t.tick(tick.clone()).await;
        let pause = Pause::new("the month is closed").by("ann");
        assert_eq!(t.step(EntryStep::pause(name, pause.clone())).await, EntryAnswer::Done);
        let shown = t.entry(name).await.expect("it is there");
        assert_eq!((shown.paused, shown.next_tick), (Some((start, pause)), None));
        t.wait(3 * 3_600).await;
        assert!(!t.is_due(name).await);
        assert_eq!(t.tick(tick.clone()).await, Some(Vec::new()));
        assert_eq!(t.step(EntryStep::resume(name)).await, EntryAnswer::Resumed(true));
        assert_eq!(t.step(EntryStep::resume(name)).await, EntryAnswer::Resumed(false));
        assert_eq!(t.tick(tick.clone()).await, Some(Vec::new()), "three hours are not owed");
        t.wait(3_600).await;
        assert_eq!(t.tick(tick.clone()).await, Some(vec![start + TimeDelta::hours(4)]));
        // One that ends by itself.
        let until = start + TimeDelta::minutes(390);
        t.step(EntryStep::pause(name, Pause::new("lunch").until(until))).await;
        t.wait(2 * 3_600 + 1_800).await;
        assert_eq!(t.tick(tick.clone()).await, Some(Vec::new()), "of the fifth and the sixth hour");
        t.wait(1_800).await;
        if name == "put" {
            assert!(t.is_due(name).await);
        }
        assert_eq!(t.tick(tick).await, Some(vec![start + TimeDelta::hours(7)]));
        assert_eq!(t.entry(name).await.expect("it is there").paused, None);
    }
    assert_eq!(t.step(EntryStep::pause("nobody", Pause::new("?"))).await, EntryAnswer::Missing);
}

/// What was added at run time is changed and removed at run time, and a job can be had at once.
pub async fn an_entry_is_changed_triggered_and_removed_by_hand(t: &Harness) {
    if t.entries().is_none() {
        return;
    }
    t.step(EntryStep::put("report", "ann", hourly())).await;
    let EntryAnswer::Triggered(Some(id)) = t.step(EntryStep::trigger("report", "ben")).await else {
        panic!("it enqueues a job");
    };
    let row = t.row(id).await;
    assert_eq!((row.executor.as_str(), row.scheduled_at, row.extras.tick_at), ("report", t.now(), None));
    let ticks = t.entry("report").await.expect("it is there").ticks;
    assert_eq!((ticks[0].triggered_by.as_deref(), ticks[0].job, ticks[0].at), (Some("ben"), Some(id), t.now()));
    let mut change = EntryChange::default();
    change.schedule = Some(Schedule::parse("0 30 * * * *", "UTC").expect("it is one"));
    change.missed = Some(MissedTicks::Skip);
    t.wait(3_000).await;
    assert_eq!(t.step(EntryStep::change("report", change)).await, EntryAnswer::Done);
    assert_eq!(t.tick(EntryStep::tick("report")).await, Some(Vec::new()), "half past was not said then");
    let entry = t.entry("report").await.expect("it is there");
    assert_eq!((entry.missed, entry.declared_by.as_str()), (MissedTicks::Skip, "ann"));
    assert_eq!(entry.next_tick, Some(t.hour(1) + TimeDelta::minutes(30)));
    t.step(EntryStep::put("report", "cleo", hourly())).await;
    let entry = t.entry("report").await.expect("it is there");
    assert_eq!((entry.declared_by.as_str(), entry.next_tick, entry.ticks.len()), ("cleo", Some(t.hour(1)), 1));
    assert_eq!(t.step(EntryStep::remove("report")).await, EntryAnswer::Done);
    assert_eq!(t.step(EntryStep::remove("report")).await, EntryAnswer::Missing);
    assert_eq!(t.step(EntryStep::trigger("report", "ben")).await, EntryAnswer::Missing);
    t.wait(3_600).await;
    assert!(!t.is_due("report").await);
    assert_eq!(t.tick(EntryStep::tick("report")).await, None);
    assert_eq!(t.all().await.len(), 1);
}

/// A clock that was ahead for a while stops no entry.
pub async fn case_44_an_entry_whose_last_tick_lies_ahead_ticks_on(t: &Harness) {
    if t.entries().is_none() {
        return;
    }
    t.step(EntryStep::put("report", "ann", hourly())).await;
    t.clock.set(t.now() + TimeDelta::days(3_650)).await;
    assert_eq!(t.tick(EntryStep::tick("report")).await.map(|ticks| ticks.len()), Some(1));
    t.clock.jump(TimeDelta::days(-3_650)).await;
    assert!(t.is_due("report").await, "it is to be looked at");
    let EntryAnswer::Ticked(ticked) = t.step(EntryStep::tick("report")).await else { panic!("it is so") };
    assert_eq!((ticked.until, ticked.taken_back.is_some(), ticked.enqueued.len()), (t.now(), true, 0));
    assert!(!t.is_due("report").await);
    t.wait(3_600).await;
    assert_eq!(t.tick(EntryStep::tick("report")).await, Some(vec![t.hour(1)]));
}

/// The newest come last, each with its job.
pub async fn an_entry_remembers_its_last_ten_ticks(t: &Harness) {
    if t.entries().is_none() {
        return;
    }
    let new = hourly().with_missed(MissedTicks::All);
    t.step(EntryStep::put("report", "ann", new)).await;
    t.wait(12 * 3_600).await;
    assert_eq!(t.tick(EntryStep::tick("report")).await.map(|ticks| ticks.len()), Some(12));
    let entry = t.entry("report").await.expect("it is there");
    let rows = t.all().await;
    assert_eq!(entry.last_tick, Some(t.hour(12)));
    let expected: Vec<_> = (3..=12).map(|hour| t.hour(hour)).zip(ids(&rows[2..])).collect();
    let remembered: Vec<_> = entry.ticks.iter().map(|tick| (tick.at, tick.job.expect("it has one"))).collect();
    assert_eq!(remembered, expected);
}

/// Nodes hear of what changes when a tick is due; a tick is no news to them.
pub async fn listeners_are_woken_when_an_entry_changes(t: &Harness) {
    if t.entries().is_none() {
        return;
    }
    let wakeup = Arc::new(Wakeup::default());
    let _watching = t.backend.watch(wakeup.clone());
    let heard = async || wakeup.schedules_changed().await;
    for step in [
        EntryStep::put("report", "ann", hourly()),
        EntryStep::change("report", EntryChange::default()),
        EntryStep::resume("report"),
        EntryStep::remove("report"),
    ] {
        t.step(step).await;
        heard().await;
    }
    t.step(EntryStep::put("report", "ann", hourly())).await;
    heard().await;
    t.wait(3_600).await;
    t.tick(EntryStep::tick("report")).await;
    assert!(wakeup.schedules_changed().now_or_never().is_none());
}
