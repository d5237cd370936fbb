//! A history, step by step.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};

use super::point::Point;
use crate::model::{ExecutorName, HistoryStep, Recorded};

/// How jobs went over a span of time, step by step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    now: DateTime<Utc>,
    since: DateTime<Utc>,
    step: HistoryStep,
    /// Where nothing has ended, there is none.
    executors: BTreeMap<ExecutorName, BTreeMap<DateTime<Utc>, Point>>,
}

impl Timeline {
    pub(super) fn new(span: Duration, recorded: &Recorded) -> Self {
        let step = HistoryStep::for_span(span);
        let since = step.since(recorded.now, span);
        let mut executors = BTreeMap::<ExecutorName, BTreeMap<_, Point>>::new();
        for record in &recorded.records {
            // A node whose clock the backend goes by may have been ahead.
            let at = step.start(record.at).clamp(since, step.start(recorded.now).max(since));
            let points = executors.entry(record.executor.clone()).or_default();
            points.entry(at).or_insert_with(|| Point::new(at)).add(record.end, &record.run, &record.wait);
        }
        Self { now: recorded.now, since, step, executors }
    }

    /// The backend's present.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// When the first step began: the one that the start of the span lies in.
    pub fn since(&self) -> DateTime<Utc> {
        self.since
    }

    /// How long the steps are.
    pub fn step(&self) -> HistoryStep {
        self.step
    }

    /// The executors of which anything has ended, by name.
    pub fn executors(&self) -> impl Iterator<Item = &ExecutorName> {
        self.executors.keys()
    }

    /// All executors together: a point for each step, the oldest first, the last one for the step that is under way.
    pub fn points(&self) -> Vec<Point> {
        self.dense(self.executors.values())
    }

    /// The same of one executor.
    pub fn points_of(&self, executor: &str) -> Vec<Point> {
        self.dense(self.executors.get(executor))
    }

    /// All executors and steps together.
    pub fn total(&self) -> Point {
        self.sum(self.executors.values())
    }

    /// The same of one executor.
    pub fn total_of(&self, executor: &str) -> Point {
        self.sum(self.executors.get(executor))
    }

    /// Only what the executors are about that `keep` lets through.
    #[must_use]
    pub fn retain(mut self, keep: impl Fn(&ExecutorName) -> bool) -> Self {
        self.executors.retain(|executor, _| keep(executor));
        self
    }

    fn dense<'a>(&'a self, known: impl IntoIterator<Item = &'a BTreeMap<DateTime<Utc>, Point>>) -> Vec<Point> {
        let steps = std::iter::successors(Some(self.since), |at| at.checked_add_signed(self.step.length()));
        let mut points: BTreeMap<_, _> =
            steps.take_while(|at| *at <= self.now).map(|at| (at, Point::new(at))).collect();
        for of in known {
            for (at, point) in of {
                points.entry(*at).or_insert_with(|| Point::new(*at)).add_all(point);
            }
        }
        points.into_values().collect()
    }

    fn sum<'a>(&'a self, known: impl IntoIterator<Item = &'a BTreeMap<DateTime<Utc>, Point>>) -> Point {
        let mut total = Point::new(self.since);
        known.into_iter().flat_map(BTreeMap::values).for_each(|point| total.add_all(point));
        total
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::model::{Histogram, Record, RunEnd};

    fn once(ms: u64) -> Histogram {
        let mut times = Histogram::default();
        times.record(Duration::from_millis(ms));
        times
    }

    #[test]
    fn rows_of_shorter_steps_count_in_the_steps_that_are_asked_for() {
        let hour = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let (now, day) = (hour + TimeDelta::minutes(90), Duration::from_secs(24 * 3_600));
        let record = |minute, executor: &'static str, end| {
            Record::new(hour + TimeDelta::minutes(minute), executor, end, once(20), once(1))
        };
        let records = vec![
            record(0, "mail", RunEnd::Completed),
            record(59, "mail", RunEnd::Retried),
            record(60, "print", RunEnd::Completed),
            record(500, "print", RunEnd::Discarded),
        ];
        let timeline = Timeline::new(day, &Recorded::new(now, records));
        assert_eq!(timeline.step(), HistoryStep::Hour);
        let runs: Vec<u64> = timeline.points().iter().map(Point::runs).collect();
        assert_eq!((runs.len(), &runs[23..]), (25, &[2, 2][..]));
        assert_eq!(timeline.points_of("mail").last().unwrap().runs(), 0);
        let (total, mail) = (timeline.total(), timeline.total_of("mail"));
        assert_eq!((total.runs(), total.failures(), mail.failures(), mail.count(RunEnd::Completed)), (4, 2, 1, 1));
        assert_eq!((total.run().count(), mail.wait().count(), mail.run_of(RunEnd::Snoozed).count()), (4, 2, 0));
        let mail = timeline.retain(|name| name.as_str() == "mail");
        assert_eq!((mail.total().runs(), mail.total_of("none").runs()), (2, 0));
    }
}
