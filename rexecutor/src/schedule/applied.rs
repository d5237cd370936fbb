//! What follows from a step of an entry.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::entry::StoredEntry;
use crate::model::{Enqueued, JobId, NewJob, NodeId};

/// What a step has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryAnswer {
    /// It is done.
    Done,
    /// The node declares it, and it is so.
    Declared {
        /// Until when all ticks are done with.
        until: DateTime<Utc>,
    },
    /// There is no such entry.
    Missing,
    /// It cannot be done, and why.
    Refused(String),
    /// The entry is not, or no longer, as the node declares it: another program's definition is newer.
    Superseded,
    /// Nothing was paused, if `false`.
    Resumed(bool),
    /// The job that was enqueued by hand; `None`: an earlier one is not finished, and the entry says what follows from that.
    Triggered(Option<JobId>),
    /// What was owed is enqueued.
    Ticked(Ticked),
}

/// What a tick has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ticked {
    /// Until when all ticks are done with.
    pub until: DateTime<Utc>,
    /// The ticks whose jobs were enqueued, oldest first.
    pub enqueued: Vec<DateTime<Utc>>,
    /// Whether there is more to do soon: more ticks are owed, or one waits for the end of a job.
    pub has_more: bool,
    /// The last tick that lay ahead of the clock, if one did: ticks go on from the present.
    pub taken_back: Option<DateTime<Utc>>,
}

/// What a step has to know beside the entry.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The backend's present.
    pub now: DateTime<Utc>,
    /// The members.
    pub members: &'a BTreeSet<NodeId>,
    /// Those of the entry's [watched jobs](StoredEntry::watched_jobs) that are not finished.
    pub unfinished: &'a BTreeSet<JobId>,
}

/// What follows from a step: to be stored in one transaction with what it was decided on.
#[derive(Debug)]
#[non_exhaustive]
pub struct Applied {
    /// The entry; `None`: there is none.
    pub entry: Option<StoredEntry>,
    /// Whether it differs from what is stored.
    pub is_changed: bool,
    /// What is to be enqueued, before [`note`](Self::note) is called.
    pub jobs: Vec<NewJob>,
    /// The jobs that are to be cancelled.
    pub cancel: Vec<JobId>,
    /// Whether nodes have to look at it now.
    pub is_news: bool,
    pub(super) answer: EntryAnswer,
}

impl Applied {
    pub(super) fn none(answer: EntryAnswer) -> Self {
        Self { entry: None, is_changed: false, jobs: Vec::new(), cancel: Vec::new(), is_news: false, answer }
    }

    pub(super) fn unchanged(entry: StoredEntry, answer: EntryAnswer) -> Self {
        Self { entry: Some(entry), ..Self::none(answer) }
    }

    pub(super) fn changed(entry: StoredEntry, answer: EntryAnswer) -> Self {
        Self { is_changed: true, ..Self::unchanged(entry, answer) }
    }

    pub(super) fn and_news(self) -> Self {
        Self { is_news: true, ..self }
    }

    /// Notes what became of the jobs, in their order, in the entry; gives the answer.
    pub fn note(&mut self, enqueued: &[Enqueued]) -> EntryAnswer {
        let mut ids = enqueued.iter().map(|enqueued| enqueued.id());
        if let Some(entry) = &mut self.entry {
            entry.jobs.extend(ids.clone());
            let first = entry.ticks.len().saturating_sub(enqueued.len());
            entry.ticks.iter_mut().skip(first).zip(ids.clone()).for_each(|(tick, id)| tick.job = Some(id));
            entry.forget();
        }
        match &self.answer {
            EntryAnswer::Triggered(_) => EntryAnswer::Triggered(ids.next_back()),
            answer => answer.clone(),
        }
    }
}
