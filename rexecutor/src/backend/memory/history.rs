//! How jobs went.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;

use super::{backend::InMemoryBackend, roles::ready};
use crate::{
    backend::history::History,
    model::{ExecutorName, Histogram, HistoryStep, Record, Recorded, Result, RunEnd, Tally, ago},
};

/// What is counted together.
type Key = (HistoryStep, DateTime<Utc>, ExecutorName, RunEnd);

/// How long runs took, and how long they had waited.
type Times = (Histogram, Histogram);

/// What is kept.
#[derive(Debug, Default)]
pub(super) struct Kept(BTreeMap<Key, Times>);

impl Kept {
    fn add(&mut self, key: Key, (run, wait): &Times) {
        let kept = self.0.entry(key).or_default();
        kept.0.add(run);
        kept.1.add(wait);
    }

    fn roll_up(&mut self, step: HistoryStep, before: DateTime<Utc>) {
        let old: Vec<Key> = self.0.keys().filter(|(of, at, ..)| *of == step && *at < before).cloned().collect();
        for key in old {
            if let (Some(times), Some(next)) = (self.0.remove(&key), step.next()) {
                let (_, at, executor, end) = key;
                self.add((next, next.start(at), executor, end), &times);
            }
        }
    }
}

impl History for InMemoryBackend {
    fn add(&self, tallies: Vec<Tally>) -> BoxFuture<'_, Result<()>> {
        let (mut store, now) = self.store();
        for Tally { executor, end, age, run, wait } in tallies {
            let at = ago(now, TimeDelta::from_std(age).unwrap_or(TimeDelta::MAX));
            let minute = HistoryStep::Minute;
            store.history.add((minute, minute.start(at), executor, end), &(run, wait));
        }
        ready(Ok(()))
    }

    fn roll_up(&self, step: HistoryStep) -> BoxFuture<'_, Result<bool>> {
        let (mut store, now) = self.store();
        store.history.roll_up(step, ago(now, step.kept()));
        ready(Ok(false))
    }

    fn read<'a>(&'a self, executors: Option<&'a [ExecutorName]>, span: Duration) -> BoxFuture<'a, Result<Recorded>> {
        let (store, now) = self.store();
        let since = HistoryStep::for_span(span).since(now, span);
        let is_asked = |name: &ExecutorName| executors.is_none_or(|executors| executors.contains(name));
        let asked = store.history.0.iter().filter(|((_, at, executor, _), _)| *at >= since && is_asked(executor));
        let record = |(key, times): (&Key, &Times)| {
            let ((_, at, executor, end), (run, wait)) = (key.clone(), times.clone());
            Record::new(at, executor, end, run, wait)
        };
        let records = asked.map(record).collect();
        ready(Ok(Recorded::new(now, records)))
    }
}
