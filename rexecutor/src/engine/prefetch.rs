//! How many jobs to claim before there are slots for them.
//!
//! Where jobs take less time than a claim, slots would stand empty while the next claim is under way. So the node claims
//! ahead as many as it can run during two of them: while one is worked off, the other one is fetched. How long jobs take
//! follows from how long slots were taken and how many jobs ended in that time (Little's law), so that jobs that have not
//! ended count, too: where they are long, nothing is claimed ahead.

use std::time::Duration;

/// For how many claims' time jobs are claimed ahead.
const TRIPS: u64 = 2;

/// A claim that takes less counts as taking so long, in microseconds: each one has a cost of its own beside its time, so that
/// jobs that take next to none are claimed by the hundred.
const MIN_TRIP: u64 = 500;

/// How fast jobs have come and gone of late, by the node's clock that nobody can set. A claim halves the weight of what was before.
#[derive(Debug)]
pub(super) struct Prefetch {
    /// Up to when `taken` is counted.
    now: Duration,
    /// How many slots are taken.
    running: u64,
    /// The sum of the microseconds for which each slot was taken.
    taken: u64,
    /// How many jobs have ended.
    ended: u64,
    /// How many microseconds a claim takes.
    trip: u64,
}

impl Prefetch {
    pub(super) fn new(now: Duration) -> Self {
        Self { now, running: 0, taken: 0, ended: 0, trip: 0 }
    }

    /// So many jobs run from now on.
    pub(super) fn started(&mut self, now: Duration, jobs: usize) {
        self.pass(now);
        self.running = self.running.saturating_add(count(jobs));
    }

    /// So many jobs have ended.
    pub(super) fn ended(&mut self, now: Duration, jobs: usize) {
        self.pass(now);
        self.running = self.running.saturating_sub(count(jobs));
        self.ended = self.ended.saturating_add(count(jobs));
    }

    /// A claim that was begun at `began` has been answered.
    pub(super) fn claimed(&mut self, began: Duration, now: Duration) {
        self.pass(now);
        (self.taken, self.ended) = (self.taken / 2, self.ended / 2);
        self.trip = u64::midpoint(self.trip, micros(began, now));
    }

    /// What was claimed ahead came too early: nothing is, until more jobs have ended.
    pub(super) fn overshot(&mut self) {
        self.ended = 0;
    }

    /// How many jobs to claim ahead, with so many slots.
    pub(super) fn ahead(&mut self, now: Duration, slots: usize) -> usize {
        self.pass(now);
        let (taken, ended) = (u128::from(self.taken.max(1)), u128::from(self.ended));
        // No time at all is none: the clock of a test stands still.
        let trip = if self.trip == 0 { 0 } else { self.trip.max(MIN_TRIP) };
        let ahead = u128::from(TRIPS * trip).saturating_mul(ended).saturating_mul(slots as u128) / taken;
        usize::try_from(ahead).unwrap_or(usize::MAX)
    }

    fn pass(&mut self, now: Duration) {
        self.taken = self.taken.saturating_add(self.running.saturating_mul(micros(self.now, now)));
        self.now = now;
    }
}

fn count(jobs: usize) -> u64 {
    u64::try_from(jobs).unwrap_or(u64::MAX)
}

fn micros(from: Duration, to: Duration) -> u64 {
    u64::try_from(to.saturating_sub(from).as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(4 + milliseconds)
    }

    /// After 10 jobs at once of so many milliseconds, and claims of 4.
    fn after_jobs_of(milliseconds: u64) -> Prefetch {
        let mut prefetch = Prefetch::new(at(0));
        for _ in 0..20 {
            prefetch.claimed(Duration::ZERO, at(0));
        }
        prefetch.started(at(0), 10);
        prefetch.ended(at(milliseconds), 10);
        prefetch
    }

    #[test]
    fn what_can_be_run_during_two_claims_is_claimed_ahead() {
        assert_eq!(after_jobs_of(1).ahead(at(1), 10), 79, "the trip of 4 ms was approached from 0");
        assert_eq!(after_jobs_of(1_000).ahead(at(1_000), 10), 0);
        assert_eq!(after_jobs_of(1).ahead(at(1), 1_000), 7_998);
    }

    #[test]
    fn a_quick_claim_counts_as_one_of_half_a_millisecond() {
        let mut prefetch = Prefetch::new(at(0));
        let soon = at(0) + Duration::from_micros(20);
        prefetch.claimed(at(0), soon);
        prefetch.started(soon, 10);
        prefetch.ended(soon + Duration::from_micros(10), 10);
        assert_eq!(prefetch.ahead(soon + Duration::from_micros(10), 10), 1_000);
    }

    #[test]
    fn jobs_that_have_not_ended_count() {
        let mut prefetch = after_jobs_of(1);
        prefetch.started(at(1), 10);
        assert_eq!(prefetch.ahead(at(1), 10), 79);
        assert_eq!(prefetch.ahead(at(1_001), 10), 0);
    }

    #[test]
    fn without_time_nothing_is_ahead() {
        let mut prefetch = Prefetch::new(at(0));
        prefetch.claimed(at(0), at(0));
        prefetch.started(at(0), 10);
        prefetch.ended(at(0), 10);
        assert_eq!(prefetch.ahead(at(0), 10), 0);
    }

    #[test]
    fn a_mistake_ends_it() {
        let mut prefetch = after_jobs_of(1);
        prefetch.overshot();
        assert_eq!(prefetch.ahead(at(1), 10), 0);
    }
}
