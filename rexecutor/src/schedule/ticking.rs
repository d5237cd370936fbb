//! Which jobs an entry enqueues, and when.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Overlap, Schedule,
    applied::{Applied, EntryAnswer, Surroundings, Ticked},
    entry::{EntryTick, Origin, REMEMBERED, StoredEntry},
};
use crate::model::{JobId, NewJob};

/// How far a last tick may lie ahead of the clock: clocks that are corrected by seconds stop a schedule for as long, and make
/// no tick come twice.
pub(crate) const TOLERANCE: TimeDelta = TimeDelta::minutes(1);

/// How many jobs one step enqueues at most.
const AT_ONCE: usize = 100;

/// How many ticks wait at most.
const MAX_WAITING: usize = 1_000;

/// Whether the clock lies so far behind the last tick that ticks would be left out until it has caught up: it was set back, or
/// was wrong when it ticked.
///
/// Where the last tick is the very next one, there is nothing to leave out, and it does not come twice.
pub(crate) fn is_behind(schedule: &Schedule, last: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    let is_left_out = || schedule.next_after(now).is_some_and(|next| next < last);
    last.signed_duration_since(now) > TOLERANCE && is_left_out()
}

impl StoredEntry {
    /// Enqueues what is owed. `ours` is the schedule of a node that declares the entry, and the digest of what it declares.
    pub(super) fn tick(mut self, ours: Option<&(Schedule, String)>, around: Surroundings<'_>) -> Applied {
        let is_ours = match ours {
            Some((_, digest)) => *digest == self.definition.digest(),
            None => self.origin == Origin::RunTime,
        };
        if !is_ours {
            return Applied::unchanged(self, EntryAnswer::Superseded);
        }
        let read = ours.map_or_else(|| self.definition.rule.schedule(), |(schedule, _)| Ok(schedule.clone()));
        let schedule = match read {
            Ok(schedule) => schedule,
            Err(error) => return Applied::unchanged(self, EntryAnswer::Refused(error.to_string())),
        };
        let (before, now) = (self.clone(), around.now);
        let mut ticked = Ticked { until: self.since, enqueued: Vec::new(), has_more: false, taken_back: None };
        if self.pause.as_ref().is_some_and(|pause| pause.holds(now)) {
            return Applied::unchanged(self, EntryAnswer::Ticked(ticked));
        }
        self.end_pause(now);
        if is_behind(&schedule, self.since, now) {
            ticked.taken_back = Some(self.since);
            (self.since, self.local) = (now, None);
        }
        let owed = self.owed(&schedule, now);
        let is_full = owed.len() == AT_ONCE;
        let (jobs, cancel) = self.decide(owed, around, &mut ticked);
        let delay = super::delay(&schedule, &super::key(&schedule, &self.definition.job.job()));
        let jobs = jobs.into_iter().map(|at| self.job(at, at + delay)).collect();
        ticked.until = self.since;
        ticked.has_more = is_full || !self.waiting.is_empty();
        let is_changed = self != before;
        Applied { is_changed, jobs, cancel, ..Applied::changed(self, EntryAnswer::Ticked(ticked)) }
    }

    /// Enqueues a job now.
    pub(super) fn trigger(mut self, by: &str, around: Surroundings<'_>) -> Applied {
        let now = around.now;
        let is_busy = self.is_busy(around);
        let mut applied = Applied::changed(self.clone(), EntryAnswer::Triggered(None));
        match self.definition.overlap {
            overlap if overlap == Overlap::Allow || !is_busy => {
                self.remember(now, Some(by));
                applied.jobs.push(self.definition.job.job());
            }
            Overlap::Queue if self.waiting.len() < MAX_WAITING => self.waiting.push(now),
            Overlap::Replace => {
                self.waiting = vec![now];
                applied.cancel.clone_from(&self.jobs);
            }
            _ => self.remember(now, Some(by)),
        }
        applied.is_news = !self.waiting.is_empty();
        applied.entry = Some(self);
        applied
    }

    /// The next ticks that are owed, which are done with then.
    fn owed(&mut self, schedule: &Schedule, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let mut owed = Vec::new();
        for at in self.definition.missed.owed(schedule, self.since, now) {
            let local = schedule.local_of(at);
            // A node with other time zone data has taken another instant for it.
            if self.local.zip(local).is_none_or(|(last, local)| last < local) {
                owed.push(at);
                self.local = local;
            }
            self.since = at;
            if owed.len() == AT_ONCE {
                return owed;
            }
        }
        // What was dropped is not looked at again.
        if schedule.next_after(self.since).is_some_and(|next| next <= now) {
            self.since = now;
        }
        owed
    }

    /// Those ticks whose jobs are to be enqueued, and the jobs that are to be cancelled.
    fn decide(
        &mut self,
        owed: Vec<DateTime<Utc>>,
        around: Surroundings<'_>,
        ticked: &mut Ticked,
    ) -> (Vec<DateTime<Utc>>, Vec<JobId>) {
        self.last_tick = owed.last().copied().or(self.last_tick);
        let is_new = !owed.is_empty();
        let (mut due, mut cancel) = (Vec::new(), Vec::new());
        let mut candidates = std::mem::take(&mut self.waiting);
        candidates.extend(owed);
        if candidates.is_empty() {
            return (due, cancel);
        }
        let is_busy = self.is_busy(around);
        let mut dropped = Vec::new();
        match self.definition.overlap {
            Overlap::Allow => due = candidates,
            Overlap::Skip if is_busy => dropped = candidates,
            Overlap::Skip => {
                dropped = candidates.split_off(1);
                due = candidates;
            }
            Overlap::Queue => {
                let from = if is_busy { 0 } else { 1 };
                self.waiting = candidates.split_off(from);
                due = candidates;
                dropped = self.waiting.split_off(self.waiting.len().min(MAX_WAITING));
            }
            Overlap::Replace => {
                let newest = candidates.pop();
                dropped = candidates;
                match is_busy {
                    true => self.waiting.extend(newest),
                    false => due.extend(newest),
                }
                if is_busy && is_new {
                    cancel.clone_from(&self.jobs);
                }
            }
        }
        // Those that are enqueued come last, as `note` takes them to.
        dropped.iter().chain(&due).for_each(|at| self.remember(*at, None));
        ticked.enqueued.clone_from(&due);
        (due, cancel)
    }

    /// Whether a job of an earlier tick is not finished. Where that counts, those that are finished are forgotten.
    fn is_busy(&mut self, around: Surroundings<'_>) -> bool {
        if self.watched_jobs().is_empty() {
            return false;
        }
        self.jobs.retain(|job| around.unfinished.contains(job));
        !self.jobs.is_empty()
    }

    fn remember(&mut self, at: DateTime<Utc>, by: Option<&str>) {
        self.ticks.push(EntryTick { at, triggered_by: by.map(ToOwned::to_owned), job: None });
    }

    /// Keeps the newest of what is remembered.
    pub(super) fn forget(&mut self) {
        let old = self.ticks.len().saturating_sub(REMEMBERED);
        self.ticks.drain(..old);
        if self.definition.overlap == Overlap::Allow {
            let old = self.jobs.len().saturating_sub(REMEMBERED);
            self.jobs.drain(..old);
        }
    }

    fn job(&self, at: DateTime<Utc>, due: DateTime<Utc>) -> NewJob {
        self.definition.job.job().with_due(crate::model::Due::At(due)).with_tick_at(at)
    }
}
