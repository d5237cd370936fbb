//! Schedule entries that programs have in their code. A backend that keeps none is held to nothing here.

use chrono::TimeDelta;
use rexecutor::{
    backend::Node,
    job::NodeId,
    schedule::{EntryAnswer, EntryChange, EntryStep, NewEntry, Origin},
};

use super::{
    entries::{entry, hourly},
    harness::{Harness, TIMEOUT, job},
};

/// once no node has the new one.
pub async fn trap_22_a_changed_entry_is_ticked_by_those_that_declare_the_newest(t: &Harness) {
    if t.entries().is_none() {
        return;
    }
    let (old, new) = (hourly(), entry("0 */10 * * * *", &job("report")));
    let is_so = |answer: &EntryAnswer| matches!(answer, EntryAnswer::Declared { .. });
    let tick = |entry: &NewEntry| EntryStep::tick_declared("report", entry);
    assert!(is_so(&t.declare(t.join().await, "report", &old).await));
    let node = t.join().await;
    assert!(is_so(&t.declare(node, "report", &new).await));
    t.wait(3_600).await;
    assert_eq!(t.tick(tick(&old)).await, None, "it is not so any more");
    let restarted = t.join().await;
    assert_eq!(t.declare(restarted, "report", &old).await, EntryAnswer::Superseded);
    assert_eq!(t.tick(tick(&old)).await, None);
    assert_eq!(t.tick(tick(&new)).await.map(|ticks| ticks.len()), Some(1));
    assert_eq!(t.entry("report").await.expect("it is there").expression, "0 */10 * * * *");
    t.backend.leave(node).await.expect("a node can leave");
    assert!(is_so(&t.declare(restarted, "report", &old).await), "the new program was taken back");
    t.wait(3_600).await;
    assert_eq!(t.tick(tick(&new)).await, None);
    assert_eq!(t.tick(tick(&old)).await, Some(vec![t.hour(2)]));
}

/// from before it was declared.
pub async fn trap_22_no_instant_is_ticked_by_two_versions_and_none_is_lost_between_them(t: &Harness) {
    if t.entries().is_none() {
        return;
    }
    let (old, new) = (hourly(), entry("0 0,30 * * * *", &job("report")));
    for is_old_first in [true, false] {
        let name = if is_old_first { "ticked" } else { "not ticked" };
        let start = t.now();
        t.declare(t.join().await, name, &old).await;
        t.wait(3_600 + 10).await;
        let hour = start + TimeDelta::hours(1);
        let mut ticks = Vec::new();
        if is_old_first {
            ticks.extend(t.tick(EntryStep::tick_declared(name, &old)).await.expect("it is so"));
        }
        t.declare(t.join().await, name, &new).await;
        assert_eq!(t.tick(EntryStep::tick_declared(name, &old)).await, None);
        ticks.extend(t.tick(EntryStep::tick_declared(name, &new)).await.expect("it is so"));
        assert_eq!(ticks, [hour]);
        t.wait(1_800 - 10).await;
        ticks = t.tick(EntryStep::tick_declared(name, &new)).await.expect("it is so");
        assert_eq!(ticks, [hour + TimeDelta::minutes(30)]);
        t.wait(1_800).await;
        // Half past is not owed by an entry that has said so only since.
        t.declare(t.join().await, name, &entry("0 59 * * * *", &job("report"))).await;
        let last = entry("0 59 * * * *", &job("report"));
        assert_eq!(t.tick(EntryStep::tick_declared(name, &last)).await, Some(Vec::new()));
    }
}

/// It stops with the last node that declares it, and is shown so; then it can be removed. A node that comes later goes on.
pub async fn trap_22_an_entry_that_no_living_node_declares_is_orphaned(t: &Harness) {
    if t.entries().is_none() {
        return;
    }
    let (first, second) = (t.join().await, t.join().await);
    t.declare(first, "report", &hourly()).await;
    t.declare(second, "report", &hourly()).await;
    let shown = async || {
        let entry = t.entry("report").await.expect("it is there");
        (entry.origin, entry.is_orphaned, entry.next_tick)
    };
    t.backend.leave(first).await.expect("a node can leave");
    assert_eq!(shown().await, (Origin::Code, false, Some(t.hour(1))));
    assert!(matches!(t.step(EntryStep::remove("report")).await, EntryAnswer::Refused(_)));
    t.declare_dead(&[second]).await;
    assert_eq!(shown().await, (Origin::Code, true, None));
    t.wait(2 * 3_600).await;
    assert!(!t.is_due("report").await, "nobody ticks it");
    assert_eq!(t.tick(EntryStep::tick("report")).await, None);
    t.declare(t.join().await, "report", &hourly()).await;
    assert_eq!(shown().await, (Origin::Code, false, Some(t.hour(3))));
    assert_eq!(t.tick(EntryStep::tick_declared("report", &hourly())).await, Some(vec![t.hour(2)]));
    t.declare(t.join().await, "gone", &hourly()).await;
    let gone: Vec<NodeId> = (1..=9).map(NodeId).collect();
    for node in gone {
        t.backend.leave(node).await.expect("a node can leave");
    }
    assert_eq!(t.step(EntryStep::remove("gone")).await, EntryAnswer::Done);
    assert_eq!(t.entry("gone").await, None);
}

/// A map is written in another order by each process: it is one entry, and none is taken for a new version.
pub async fn case_25_data_whose_maps_are_written_in_another_order_are_one_entry(t: &Harness) {
    if t.entries().is_none() {
        return;
    }
    let data = |keys: &[u8]| {
        let pairs: Vec<String> = keys.iter().map(|key| format!(r#""key {key}":{key}"#)).collect();
        entry("0 0 * * * *", &job("report").with_data(format!("{{{}}}", pairs.join(","))))
    };
    let (one, other) = (data(&[1, 2, 3, 4, 5, 6, 7, 8]), data(&[8, 3, 1, 7, 2, 6, 5, 4]));
    for new in [&one, &other, &one] {
        let answer = t.declare(t.join().await, "report", new).await;
        assert!(matches!(answer, EntryAnswer::Declared { .. }), "{answer:?}");
    }
    let since = t.entry("report").await.expect("it is there").declared_at;
    t.wait(3_600).await;
    assert_eq!(t.tick(EntryStep::tick_declared("report", &other)).await, Some(vec![t.hour(1)]));
    assert_eq!(t.tick(EntryStep::tick_declared("report", &one)).await, Some(Vec::new()));
    assert_eq!(t.entry("report").await.expect("it is there").declared_at, since);
}

/// A program would only change it back. Its name is nobody else's, whoever was first.
pub async fn an_entry_from_code_is_not_changed_or_removed_by_hand(t: &Harness) {
    if t.entries().is_none() {
        return;
    }
    t.declare(t.join().await, "code", &hourly()).await;
    for step in [
        EntryStep::put("code", "ann", hourly()),
        EntryStep::change("code", EntryChange::default()),
        EntryStep::remove("code"),
    ] {
        let EntryAnswer::Refused(why) = t.step(step).await else { panic!("it is refused") };
        assert!(why.contains("`code`") && why.contains("code"), "{why}");
    }
    t.step(EntryStep::put("hand", "ann", hourly())).await;
    let EntryAnswer::Refused(why) = t.declare(t.join().await, "hand", &hourly()).await else {
        panic!("it is refused");
    };
    assert!(why.contains("at run time"), "{why}");
    assert!(matches!(t.step(EntryStep::trigger("code", "ann")).await, EntryAnswer::Triggered(Some(_))));
}

/// Nodes that start at once declare the same entries.
pub async fn many_nodes_that_declare_many_entries_do_not_wait_for_each_other(t: &Harness) {
    if t.entries().is_none() {
        return;
    }
    let tasks = (0..8).map(|number| {
        let t = t.clone();
        tokio::spawn(async move {
            let node = Node::new(format!("node {number}"), TIMEOUT);
            let node = t.backend.join(&node).await.expect("a node can join");
            // Not all of them have all entries.
            let names = (0..40).filter(|name| number % 2 == 0 || name % 3 != 0).map(|name| format!("entry {name:02}"));
            let step = |name| EntryStep::declare(name, Some(node), format!("node {number}"), hourly());
            let steps: Vec<EntryStep> = names.map(step).collect();
            t.entries().expect("it keeps entries").step(steps).await.expect("entries can be declared")
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        let answers = task.await.expect("no task panics");
        assert!(answers.iter().all(|answer| matches!(answer, EntryAnswer::Declared { .. })), "{answers:?}");
    }
    let entries = t.entries().expect("it keeps entries").list(None).await.expect("entries can be read");
    assert_eq!(entries.iter().filter(|entry| !entry.is_orphaned).count(), 40);
}
