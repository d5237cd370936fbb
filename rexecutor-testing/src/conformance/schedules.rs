//! What becomes of ticks: the part of `Enqueue` that is about schedules.

use chrono::TimeDelta;
use rexecutor::backend::{Due, JobChange, Outcome, ScheduleKey, Tick};

use super::harness::{Harness, failure, job, retry};

/// A cron job is for the same tick when it is retried, rescued or rerun, and whatever is changed by hand.
pub async fn case_20_a_job_keeps_the_tick_that_it_is_for(t: &Harness) {
    let (key, at) = (ScheduleKey("nightly".to_owned()), t.now() - TimeDelta::seconds(90));
    let tick = || job("nightly").with_due(Due::At(at)).with_tick_at(at);
    assert!(t.backend.tick(&key, at.into(), vec![tick()]).await.expect("ticks can be enqueued"));
    let first = t.claim(t.join().await, "nightly", 1).await.remove(0);
    assert!(t.settle(&first, retry(60)).await);
    t.wait(60).await;
    let (dead, id) = (t.join().await, first.id);
    let second = t.claim(dead, "nightly", 1).await.remove(0);
    assert_eq!(second.attempt, 2);
    assert_ne!(second.scheduled_at, at);
    t.wait(20).await;
    assert_eq!(t.declare_dead(&[dead]).await, 1);
    let third = t.claim(t.join().await, "nightly", 1).await.remove(0);
    assert!(t.settle(&third, Outcome::discard(failure("it broke"))).await);
    t.backend.rerun(&third.executor, id).await.expect("it can be rerun");
    let row = t.row(id).await;
    let change = JobChange::of(&row);
    t.backend.update(&row.executor, id, change).await.expect("it can be changed");
    let last = t.claim(t.join().await, "nightly", 1).await.remove(0);
    assert_eq!([&first, &second, &third, &last].map(|run| run.extras.tick_at), [Some(at); 4]);
}

/// A last tick that a wrong clock has put far ahead can be taken back, by one of the nodes that see it.
pub async fn case_44_a_last_tick_that_lies_ahead_is_taken_back_by_one_node(t: &Harness) {
    let key = ScheduleKey("nightly".to_owned());
    let (now, ahead) = (t.now(), t.now() + TimeDelta::days(3_653));
    let last = async || t.backend.schedules(std::slice::from_ref(&key)).await.expect("schedules can be read").last[0];
    let rewind = async |from, to| t.backend.rewind(&key, from, to).await.expect("ticks can be taken back");
    assert!(!rewind(ahead, now).await, "a schedule that is not known");
    assert!(t.backend.tick(&key, ahead.into(), vec![job("nightly")]).await.expect("ticks can be enqueued"));
    assert_eq!(last().await, ahead);
    assert!(!rewind(ahead - TimeDelta::microseconds(1), now).await, "it has moved since it was read");
    let tasks = (0..8).map(|_| {
        let (t, key) = (t.clone(), key.clone());
        tokio::spawn(async move { t.backend.rewind(&key, ahead, now).await.expect("ticks can be taken back") })
    });
    let mut ours = 0;
    for task in tasks.collect::<Vec<_>>() {
        ours += usize::from(task.await.expect("no task panics"));
    }
    assert_eq!((ours, last().await), (1, now));
    let next = now + TimeDelta::seconds(1);
    assert!(t.backend.tick(&key, next.into(), vec![job("nightly")]).await.expect("ticks can be enqueued"));
    assert_eq!((last().await, t.all().await.len()), (next, 2));
}

/// Nodes whose time zone data differ do not agree on when it is nine o'clock, and the tick of nine o'clock comes once all the same.
pub async fn a_local_time_has_one_tick_whichever_instants_nodes_take_it_for(t: &Harness) {
    let key = ScheduleKey("at nine".to_owned());
    let nine = (t.now() + TimeDelta::hours(9)).naive_utc();
    let tick = async |hours, local: Option<_>| {
        let tick = Tick::new(t.now() + TimeDelta::hours(hours)).with_local(local);
        t.backend.tick(&key, tick, vec![job("nightly")]).await.expect("ticks can be enqueued")
    };
    assert!(tick(16, Some(nine)).await);
    assert!(!tick(17, Some(nine)).await, "another node takes a later instant for it");
    assert!(!tick(17, Some(nine - TimeDelta::hours(1))).await);
    assert!(!tick(16, None).await, "an instant counts whether or not there is a local time");
    assert!(tick(41, Some(nine + TimeDelta::days(1))).await);
    assert!(!tick(40, Some(nine + TimeDelta::days(2))).await, "an instant that is past counts, too");
    assert!(tick(42, None).await, "a schedule that no longer goes by local times");
    assert!(tick(43, Some(nine)).await);
    assert_eq!(t.all().await.len(), 4);
}
