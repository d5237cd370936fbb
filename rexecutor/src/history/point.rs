//! What is known of a step of time.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::model::{Histogram, RunEnd};

/// How jobs went within a step of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    at: DateTime<Utc>,
    /// How long runs that ended alike took, and how long they had waited.
    ends: BTreeMap<RunEnd, (Histogram, Histogram)>,
}

impl Point {
    pub(super) fn new(at: DateTime<Utc>) -> Self {
        Self { at, ends: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, end: RunEnd, run: &Histogram, wait: &Histogram) {
        let known = self.ends.entry(end).or_default();
        known.0.add(run);
        known.1.add(wait);
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        for (end, (run, wait)) in &other.ends {
            self.add(*end, run, wait);
        }
    }

    /// When the step began.
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// How many runs have ended.
    pub fn runs(&self) -> u64 {
        self.ends.values().map(|(run, _)| run.count()).fold(0, u64::saturating_add)
    }

    /// How many runs have ended like this.
    pub fn count(&self, end: RunEnd) -> u64 {
        self.ends.get(&end).map_or(0, |(run, _)| run.count())
    }

    /// How many attempts have failed, whether another one follows or not.
    pub fn failures(&self) -> u64 {
        RunEnd::ALL.iter().filter(|end| end.is_failure()).fold(0, |sum, end| sum.saturating_add(self.count(*end)))
    }

    /// How long runs took, however they ended.
    pub fn run(&self) -> Histogram {
        self.sum(|(run, _)| run)
    }

    /// How long runs took that ended like this.
    pub fn run_of(&self, end: RunEnd) -> Histogram {
        self.ends.get(&end).map(|(run, _)| run.clone()).unwrap_or_default()
    }

    /// How long runs had waited, from when they were due, for the first time or for another one, to when their node claimed them.
    pub fn wait(&self) -> Histogram {
        self.sum(|(_, wait)| wait)
    }

    fn sum(&self, of: impl Fn(&(Histogram, Histogram)) -> &Histogram) -> Histogram {
        let mut all = Histogram::default();
        self.ends.values().for_each(|times| all.add(of(times)));
        all
    }
}
