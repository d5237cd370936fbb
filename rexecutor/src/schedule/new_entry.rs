//! What an entry is to say: all of it, or what changes.

use super::{Definition, MissedTicks, Overlap, Rule, Schedule};
use crate::model::NewJob;

/// A schedule entry that is to be stored: when, what and how.
#[derive(Debug, Clone)]
pub struct NewEntry {
    pub(crate) schedule: Schedule,
    pub(crate) definition: Definition,
}

impl NewEntry {
    /// Enqueues this job at each tick of the schedule. The job's due time does not count.
    pub fn new(schedule: Schedule, job: &NewJob) -> Self {
        let definition = Definition::new(&schedule, job, MissedTicks::default(), Overlap::default());
        Self { schedule, definition }
    }

    /// What becomes of ticks that nobody enqueued in time.
    #[must_use]
    pub fn with_missed(mut self, missed: MissedTicks) -> Self {
        self.definition.missed = missed;
        self
    }

    /// What becomes of ticks while an earlier job is not finished.
    #[must_use]
    pub fn with_overlap(mut self, overlap: Overlap) -> Self {
        self.definition.overlap = overlap;
        self
    }
}

/// What is to change in an entry; what is not named stays.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct EntryChange {
    /// When it is due.
    pub schedule: Option<Schedule>,
    /// What becomes of ticks that nobody enqueued in time.
    pub missed: Option<MissedTicks>,
    /// What becomes of ticks while an earlier job is not finished.
    pub overlap: Option<Overlap>,
}

impl EntryChange {
    /// When it is due.
    #[must_use]
    pub fn with_schedule(self, schedule: Schedule) -> Self {
        Self { schedule: Some(schedule), ..self }
    }

    /// What becomes of ticks that nobody enqueued in time.
    #[must_use]
    pub fn with_missed_ticks(self, missed: MissedTicks) -> Self {
        Self { missed: Some(missed), ..self }
    }

    /// What becomes of ticks while an earlier job is not finished.
    #[must_use]
    pub fn with_overlap(self, overlap: Overlap) -> Self {
        Self { overlap: Some(overlap), ..self }
    }
}

impl EntryChange {
    pub(super) fn of(&self, definition: &Definition) -> Definition {
        Definition {
            rule: self.schedule.as_ref().map_or_else(|| definition.rule.clone(), Rule::from),
            job: definition.job.clone(),
            missed: self.missed.unwrap_or(definition.missed),
            overlap: self.overlap.unwrap_or(definition.overlap),
        }
    }
}
