//! Ticks of schedule entries while a job of an earlier one is not finished.

use chrono::TimeDelta;
use rexecutor::{
    backend::{JobRow, Outcome},
    job::JobStatus,
    schedule::{EntryAnswer, EntryStep, MissedTicks, Overlap},
};

use super::{
    entries::entry,
    harness::{COMPLETE, Harness, job, retry},
};

impl Harness {
    /// An entry that ticks every minute, and a node to run its jobs on.
    async fn every_minute(&self, overlap: Overlap) -> bool {
        if self.entries().is_none() {
            return false;
        }
        let new = entry("0 * * * * *", &job("sync")).with_overlap(overlap).with_missed(MissedTicks::All);
        self.step(EntryStep::put("sync", "ann", new)).await;
        true
    }

    /// A minute later, eight nodes at once enqueue what is owed; returns how many jobs that were.
    async fn minute(&self) -> usize {
        self.wait(60).await;
        self.now_or_again().await
    }

    async fn now_or_again(&self) -> usize {
        let tasks = (0..8).map(|_| {
            let t = self.clone();
            tokio::spawn(async move { t.tick(EntryStep::tick("sync")).await.expect("it is there").len() })
        });
        let mut count = 0;
        for task in tasks.collect::<Vec<_>>() {
            count += task.await.expect("no task panics");
        }
        count
    }

    /// Claims the one job that there is to claim.
    async fn run(&self) -> JobRow {
        let mut jobs = self.claim(self.join().await, "sync", 100).await;
        assert_eq!(jobs.len(), 1);
        jobs.remove(0)
    }
}

/// What is not finished waits, runs, or is to be tried again.
pub async fn an_overlapping_tick_is_skipped(t: &Harness) {
    if !t.every_minute(Overlap::Skip).await {
        return;
    }
    assert_eq!(t.minute().await, 1);
    assert_eq!(t.minute().await, 0, "it waits");
    let run = t.run().await;
    assert_eq!(t.minute().await, 0, "it runs");
    assert!(t.settle(&run, retry(90)).await);
    assert_eq!(t.minute().await, 0, "it is to be tried again");
    t.wait(30).await;
    assert!(t.settle(&t.run().await, COMPLETE).await);
    t.wait(30).await;
    assert_eq!(t.now_or_again().await, 1, "and none of those that were skipped");
    assert_eq!(t.step(EntryStep::trigger("sync", "ann")).await, EntryAnswer::Triggered(None));
    assert_eq!(t.all().await.len(), 2);
    let ticks = t.entry("sync").await.expect("it is there").ticks;
    assert_eq!(ticks.iter().filter(|tick| tick.job.is_none()).count(), 4, "{ticks:?}");
    // Three that are owed at once are no more than one.
    assert!(t.settle(&t.run().await, COMPLETE).await);
    t.wait(180).await;
    assert_eq!(t.now_or_again().await, 1);
}

/// Each comes, one after the other, however many nodes look.
pub async fn overlapping_ticks_wait_in_a_queue(t: &Harness) {
    if !t.every_minute(Overlap::Queue).await {
        return;
    }
    let start = t.now();
    assert_eq!([t.minute().await, t.minute().await, t.minute().await], [1, 0, 0]);
    assert_eq!(t.entry("sync").await.expect("it is there").waiting, 2);
    for minute in 1..=3 {
        let run = t.run().await;
        assert_eq!(run.extras.tick_at, Some(start + TimeDelta::minutes(minute)));
        assert_eq!(t.now_or_again().await, 0);
        assert!(t.settle(&run, COMPLETE).await);
        t.wait(2).await;
        let due = t.entries().expect("it keeps entries").due().await.expect("entries can be read");
        assert_eq!(due.names.len(), usize::from(minute < 3), "what waits is to be looked at");
        assert_eq!(t.now_or_again().await, usize::from(minute < 3));
    }
    assert_eq!(t.minute().await, 1);
    assert_eq!(t.minute().await, 0);
    t.step(EntryStep::pause("sync", "enough".into())).await;
    t.step(EntryStep::resume("sync")).await;
    assert!(t.settle(&t.run().await, COMPLETE).await);
    assert_eq!(t.now_or_again().await, 0, "a paused entry owes nothing afterwards");
}

/// The one that runs is asked to stop, and the newest tick comes once it has.
pub async fn an_overlapping_tick_replaces_the_job_before_it(t: &Harness) {
    if !t.every_minute(Overlap::Replace).await {
        return;
    }
    assert_eq!(t.minute().await, 1);
    let first = t.all().await.remove(0);
    assert_eq!(t.minute().await, 1, "one that waits is cancelled at once, and the next node that looks goes on");
    assert_eq!(t.row(first.id).await.status, JobStatus::Cancelled);
    let run = t.run().await;
    assert_eq!([t.minute().await, t.minute().await], [0, 0]);
    let node = run.node.expect("it runs");
    let heartbeat = t.backend.heartbeat(node).await.expect("heartbeats work");
    assert_eq!(heartbeat.cancelled, [(run.id, run.lease)], "one that runs is asked to stop");
    assert_eq!(t.now_or_again().await, 0, "it still runs");
    assert!(t.settle(&run, Outcome::complete(true)).await);
    assert_eq!(t.row(run.id).await.status, JobStatus::Cancelled);
    t.wait(2).await;
    assert_eq!(t.now_or_again().await, 1);
    let last = t.run().await;
    let minute = (last.extras.tick_at.expect("it has one") - crate::TestClock::START).num_minutes();
    assert_eq!(minute, 4, "the newest tick, and none of those before");
    assert_eq!(t.row(run.id).await.extras.cancel_reason.as_deref(), Some(rexecutor::schedule::REPLACED));
}

/// Nothing is in the way of anything.
pub async fn overlapping_ticks_are_allowed(t: &Harness) {
    if !t.every_minute(Overlap::Allow).await {
        return;
    }
    assert_eq!([t.minute().await, t.minute().await, t.minute().await], [1, 1, 1]);
    assert_eq!(t.claim(t.join().await, "sync", 9).await.len(), 3);
}
