//! How the runs of a node went, counted until it is stored.
//!
//! # Invariants
//!
//! - A run that ends costs an increment in memory, whatever the backend does, and the end of a batch one lock.
//! - What is counted has a bound: one hour of minutes, each of as many tallies as there are executors and ends.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;

use crate::{
    backend::{Backend, history},
    model::{ExecutorName, Histogram, Result, RunEnd, Tally},
};

/// How long a slice is.
const MINUTE: Duration = Duration::from_secs(60);

/// How many slices are kept while the backend is away. Older ones are counted together.
const MOST_SLICES: usize = 60;

/// A run that has ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended<'a> {
    pub(crate) executor: &'a ExecutorName,
    pub(crate) end: RunEnd,
    /// How long it ran.
    pub(crate) run: Duration,
    /// How long it had waited.
    pub(crate) wait: Duration,
}

/// How the runs of a node went that is not stored yet.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    /// Whether anybody stores it.
    is_served: AtomicBool,
    /// The oldest first. They begin a minute apart, at least.
    slices: Mutex<Vec<Slice>>,
    /// Fires when there is something.
    news: Notify,
    /// Held by a call that is under way: what it adds may come back.
    storing: tokio::sync::Mutex<()>,
}

/// What was counted within a minute.
#[derive(Debug)]
struct Slice {
    /// In the time that nobody can set.
    began: Duration,
    times: BTreeMap<ExecutorName, BTreeMap<RunEnd, (Histogram, Histogram)>>,
}

impl Slice {
    fn new(began: Duration) -> Self {
        Self { began, times: BTreeMap::new() }
    }

    /// Counts runs. Most that end together are of one executor, and end alike: it is looked up once for all of these.
    fn count<'a>(&mut self, ended: impl Iterator<Item = Ended<'a>>) {
        let mut ended = ended.peekable();
        while let Some(Ended { executor, end, .. }) = ended.peek().copied() {
            if !self.times.contains_key(executor) {
                self.times.insert(executor.clone(), BTreeMap::new());
            }
            let Some(ends) = self.times.get_mut(executor) else { return };
            let (run, wait) = ends.entry(end).or_default();
            while let Some(alike) = ended.next_if(|next| next.end == end && next.executor == executor) {
                run.record(alike.run);
                wait.record(alike.wait);
            }
        }
    }

    fn add(&mut self, other: Self) {
        for (executor, ends) in other.times {
            let known = self.times.entry(executor).or_default();
            for (end, (run, wait)) in ends {
                let times = known.entry(end).or_default();
                times.0.add(&run);
                times.1.add(&wait);
            }
        }
    }

    fn tallies(&self, now: Duration) -> impl Iterator<Item = Tally> {
        let age = now.saturating_sub(self.began);
        let tally = move |executor: &ExecutorName, end: RunEnd, (run, wait): &(Histogram, Histogram)| Tally {
            run: run.clone(),
            wait: wait.clone(),
            ..Tally::new(executor.clone(), end, age)
        };
        let each =
            self.times.iter().flat_map(|(executor, ends)| ends.iter().map(move |(end, times)| (executor, *end, times)));
        each.map(move |(executor, end, times)| tally(executor, end, times))
    }
}

impl Recorder {
    /// Counts from now on: somebody stores it.
    pub(crate) fn serve(&self) {
        self.is_served.store(true, Ordering::Relaxed);
    }

    /// Counts runs that have ended now, in the time that nobody can set.
    pub(crate) fn record<'a>(&self, now: Duration, ended: impl IntoIterator<Item = Ended<'a>>) {
        if !self.is_served.load(Ordering::Relaxed) {
            return;
        }
        let mut ended = ended.into_iter().peekable();
        if ended.peek().is_none() {
            return;
        }
        let mut slices = self.slices();
        let is_first = slices.is_empty();
        let is_over = slices.last().is_none_or(|slice| now.saturating_sub(slice.began) >= MINUTE);
        if is_over {
            slices.push(Slice::new(now));
        }
        if let Some(slice) = slices.last_mut() {
            slice.count(ended);
        }
        bound(&mut slices);
        drop(slices);
        if is_first {
            self.news.notify_one();
        }
    }

    /// Waits until there is something to store.
    pub(crate) async fn news(&self) {
        while self.slices().is_empty() {
            self.news.notified().await;
        }
    }

    /// Stores what there is, after whoever is about to. What could not be stored waits for the next time.
    pub(crate) async fn store(&self, backend: &dyn Backend, now: impl Fn() -> Duration) -> Result<()> {
        let _storing = self.storing.lock().await;
        let taken = Taken { recorder: self, slices: std::mem::take(&mut *self.slices()) };
        if taken.slices.is_empty() {
            return Ok(());
        }
        let present = now();
        let tallies = taken.slices.iter().flat_map(|slice| slice.tallies(present)).collect();
        history(backend)?.add(tallies).await?;
        taken.stored();
        Ok(())
    }

    fn slices(&self) -> MutexGuard<'_, Vec<Slice>> {
        self.slices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is on its way: it comes back unless it is stored, also when nobody waits for that any more.
struct Taken<'r> {
    recorder: &'r Recorder,
    slices: Vec<Slice>,
}

impl Taken<'_> {
    fn stored(mut self) {
        self.slices.clear();
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if self.slices.is_empty() {
            return;
        }
        let mut known = self.recorder.slices();
        let newer = std::mem::replace(&mut *known, std::mem::take(&mut self.slices));
        for slice in newer {
            match known.last_mut() {
                Some(last) if slice.began.saturating_sub(last.began) < MINUTE => last.add(slice),
                _ => known.push(slice),
            }
        }
        bound(&mut known);
        self.recorder.news.notify_one();
    }
}

/// Counts the oldest together with those behind them.
fn bound(slices: &mut Vec<Slice>) {
    while slices.len() > MOST_SLICES {
        let oldest = slices.remove(0);
        if let Some(next) = slices.first_mut() {
            next.add(oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(recorder: &Recorder, second: u64) {
        let (executor, run) = (ExecutorName::from("mail"), Duration::from_millis(20));
        let ended = Ended { executor: &executor, end: RunEnd::Completed, run, wait: Duration::ZERO };
        recorder.record(Duration::from_secs(second), [ended]);
    }

    fn ages(recorder: &Recorder, second: u64) -> Vec<(u64, u64)> {
        let now = Duration::from_secs(second);
        let slices = recorder.slices();
        let tallies = slices.iter().flat_map(|slice| slice.tallies(now));
        tallies.map(|tally| (tally.age.as_secs(), tally.run.count())).collect()
    }

    #[test]
    fn nothing_is_counted_that_nobody_stores() {
        let recorder = Recorder::default();
        record(&recorder, 1);
        assert_eq!(ages(&recorder, 1), []);
    }

    #[test]
    fn what_could_not_be_stored_keeps_its_time_and_its_bound() {
        let recorder = Recorder::default();
        recorder.serve();
        record(&recorder, 100);
        let taken = Taken { recorder: &recorder, slices: std::mem::take(&mut *recorder.slices()) };
        record(&recorder, 130);
        drop(taken);
        assert_eq!(ages(&recorder, 140), [(40, 2)]);
        record(&recorder, 160);
        assert_eq!(ages(&recorder, 160), [(60, 2), (0, 1)]);
        (3..500).for_each(|minute| record(&recorder, minute * 60));
        let ages = ages(&recorder, 500 * 60);
        assert_eq!((ages.len(), ages.iter().map(|(_, count)| count).sum::<u64>()), (60, 500));
        assert!(ages.windows(2).all(|pair| pair[0].0 - pair[1].0 >= 60), "{ages:?}");
    }
}
