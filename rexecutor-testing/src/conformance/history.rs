//! How jobs went.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rexecutor::{
    TimeDelta,
    backend::{History, HistoryStep, Record, RunEnd, Tally},
    job::ExecutorName,
};

use super::harness::Harness;

const HOUR: Duration = Duration::from_secs(3_600);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3_600);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3_600);

impl Harness {
    fn history(&self) -> Option<&dyn History> {
        self.backend.history()
    }

    async fn add(&self, tallies: Vec<Tally>) {
        self.history().expect("asked before").add(tallies).await.expect("how jobs went can be stored");
    }

    /// Rolls up all that there is to.
    async fn roll_up(&self) {
        for step in HistoryStep::ALL.iter().copied() {
            while self.history().expect("asked before").roll_up(step).await.expect("it can be rolled up") {}
        }
    }

    /// What is kept, of the shortest steps first.
    async fn kept(&self, executors: Option<&[ExecutorName]>, span: Duration) -> Vec<Record> {
        let read = self.history().expect("asked before").read(executors, span);
        let recorded = read.await.expect("it can be read");
        assert_eq!(recorded.now, self.now());
        let mut records = recorded.records;
        records.sort_by(|a, b| (a.at, &a.executor, a.end).cmp(&(b.at, &b.executor, b.end)));
        records
    }

    /// Waits until a step has just begun, by so many seconds.
    async fn wait_for(&self, step: HistoryStep, seconds: i64) {
        let next = step.start(self.now()) + step.length() + TimeDelta::seconds(seconds);
        self.clock.advance(next - self.now()).await;
    }
}

fn tally(executor: &'static str, end: RunEnd, age: u64, run: u64) -> Tally {
    Tally::new(executor, end, Duration::from_secs(age)).with(Duration::from_millis(run), Duration::from_millis(run / 2))
}

/// What is compared of a record: how many, and the first and last bucket that has any.
fn seen(record: &Record) -> (DateTime<Utc>, &str, RunEnd, u64, Option<usize>, usize) {
    let first = record.run.counts().iter().position(|count| *count > 0);
    assert_eq!(record.wait.count(), record.run.count(), "each run has waited once");
    (record.at, record.executor.as_str(), record.end, record.run.count(), first, record.run.counts().len())
}

/// What is added is counted in its minute, whoever has added it and however much is there already.
pub async fn how_jobs_went_is_added_up_by_the_minute(t: &Harness) {
    let Some(history) = t.history() else { return };
    t.wait_for(HistoryStep::Minute, 30).await;
    assert_eq!(t.kept(None, HOUR).await, []);
    t.add(Vec::new()).await;
    let minute = HistoryStep::Minute.start(t.now());
    let first = vec![
        tally("mail", RunEnd::Completed, 0, 20).with(Duration::from_millis(20), Duration::ZERO),
        tally("mail", RunEnd::Completed, 60, 1),
        tally("mail", RunEnd::Retried, 0, 3_600_000),
        tally("print", RunEnd::GivenBack, 29, 0),
    ];
    t.add(first).await;
    t.add(vec![tally("mail", RunEnd::Completed, 5, 100)]).await;
    let kept = t.kept(None, HOUR).await;
    let times = |ms: u64| {
        let mut times = rexecutor::backend::Histogram::default();
        times.record(Duration::from_millis(ms));
        times.counts().len()
    };
    let before = minute - TimeDelta::minutes(1);
    let expected = [
        (before, "mail", RunEnd::Completed, 1, Some(times(1) - 1), times(1)),
        (minute, "mail", RunEnd::Completed, 3, Some(times(20) - 1), times(100)),
        (minute, "mail", RunEnd::Retried, 1, Some(times(3_600_000) - 1), times(3_600_000)),
        (minute, "print", RunEnd::GivenBack, 1, Some(0), 1),
    ];
    assert_eq!(kept.iter().map(seen).collect::<Vec<_>>(), expected);
    let of = |counts: &[u64]| counts.iter().filter(|count| **count > 0).copied().collect::<Vec<_>>();
    assert_eq!(of(kept[1].run.counts()), [2, 1], "two took 20 ms, and one 100");
    assert_eq!(of(kept[1].wait.counts()), [1, 1, 1]);

    let asked = ["print".into(), "none \u{1f980} ' \" { , }".into()];
    assert_eq!(t.kept(Some(&asked), HOUR).await, kept[3..]);
    assert_eq!(t.kept(Some(&[]), HOUR).await, []);
    assert_eq!(t.kept(None, Duration::ZERO).await, kept[1..], "the minute that is under way");
    assert_eq!(t.kept(None, Duration::MAX).await, kept);
    let calls = (0..16).map(|nth| history.add(vec![tally("many", RunEnd::Completed, nth % 2 * 60, 1)]));
    for answer in futures::future::join_all(calls).await {
        answer.expect("how jobs went can be stored");
    }
    let many = t.kept(Some(&["many".into()]), HOUR).await;
    assert_eq!(many.iter().map(|record| record.run.count()).collect::<Vec<_>>(), [8, 8]);
}

/// What is old becomes hours, then days, and is deleted in the end; nothing is lost or counted twice on the way.
pub async fn how_jobs_went_is_rolled_up_by_its_age(t: &Harness) {
    let Some(_) = t.history() else { return };
    t.wait_for(HistoryStep::Day, 0).await;
    let day = t.now();
    for minute in 0..120 {
        t.add(vec![tally("mail", RunEnd::Completed, 0, minute), tally("mail", RunEnd::Discarded, 0, 7)]).await;
        t.wait(60).await;
    }
    let counts = |kept: &[Record]| {
        let count = |record: &Record| ((record.at - day).num_minutes(), record.run.count(), record.wait.count());
        kept.iter().filter(|record| record.end == RunEnd::Completed).map(count).collect::<Vec<_>>()
    };
    let minutes = counts(&t.kept(None, WEEK).await);
    assert_eq!((minutes.len(), minutes[119]), (120, (119, 1, 1)));
    t.roll_up().await;
    assert_eq!(counts(&t.kept(None, WEEK).await), minutes, "nothing is old yet");

    // An hour and a half of it is older than three hours, and what comes late is added to what is there already.
    t.wait(5_400 + 3_600).await;
    t.roll_up().await;
    t.roll_up().await;
    let kept = t.kept(None, WEEK).await;
    let rolled = counts(&kept);
    assert_eq!((rolled.len(), rolled[0]), (2 + 30, (0, 60, 60)), "{rolled:?}");
    assert_eq!(rolled[1], (60, 30, 30), "and the minutes that are left of the same hour");
    let mut first = rexecutor::backend::Histogram::default();
    (0..60).for_each(|minute| first.record(Duration::from_millis(minute)));
    let hour = kept.iter().find(|record| record.end == RunEnd::Completed && record.at == day);
    assert_eq!(hour.map(|record| record.run.clone()), Some(first));
    t.add(vec![tally("mail", RunEnd::Completed, 11_700, 1)]).await;
    t.wait(3_600).await;
    let calls = futures::future::join(t.roll_up(), t.roll_up());
    calls.await;
    let rolled = counts(&t.kept(None, WEEK).await);
    assert_eq!(rolled, [(0, 60, 60), (60, 61, 61)]);
    let discarded: u64 = t.kept(None, WEEK).await.iter().map(|record| record.run.count()).sum();
    assert_eq!(discarded, 121 + 120);

    t.wait(16 * 24 * 3_600).await;
    t.roll_up().await;
    assert_eq!(t.kept(None, WEEK).await, []);
    assert_eq!(counts(&t.kept(None, YEAR).await), [(0, 121, 121)]);
    t.wait(400 * 24 * 3_600).await;
    t.roll_up().await;
    assert_eq!(t.kept(None, Duration::MAX).await, []);
}
