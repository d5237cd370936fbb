//! A schedule entry as it is stored, and as it is shown.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Definition, MissedTicks, Overlap, Schedule};
use crate::model::{ExecutorName, JobId, NodeId, Pause};

/// How many ticks an entry remembers.
pub(crate) const REMEMBERED: usize = 10;

/// How long after it a tick that waits for the end of another job is looked at again.
pub(crate) const AGAIN: TimeDelta = TimeDelta::seconds(1);

/// Who says that there is an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Origin {
    /// A program, in its code. It ticks while a node of such a program lives.
    Code,
    /// Somebody, while programs ran. It ticks until it is removed.
    RunTime,
}

/// What a backend keeps of an entry: it stores the [text](Self::encode), and looks into nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredEntry {
    pub(crate) definition: Definition,
    pub(crate) origin: Origin,
    /// Who has said so last, in words for people.
    pub(crate) declared_by: String,
    pub(crate) declared_at: DateTime<Utc>,
    /// What each node declares: the digest of a definition.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) declared: BTreeMap<i64, String>,
    /// The digests of definitions that another one has taken the place of, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) superseded: Vec<String>,
    /// Ticks after this instant are owed.
    pub(super) since: DateTime<Utc>,
    /// … and after this local time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) local: Option<NaiveDateTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pause: Option<StoredPause>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_tick: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) ticks: Vec<EntryTick>,
    /// Jobs that it has enqueued and that may not be finished.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) jobs: Vec<JobId>,
    /// Ticks that wait for the end of those.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) waiting: Vec<DateTime<Utc>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredPause {
    pub(super) at: DateTime<Utc>,
    pub(super) until: Option<DateTime<Utc>>,
    pub(super) by: Option<String>,
    pub(super) reason: String,
}

/// A tick that an entry remembers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EntryTick {
    /// When it was, or when it was asked for.
    pub at: DateTime<Utc>,
    /// Who has asked for it by hand; `None`: the schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triggered_by: Option<String>,
    /// The job that it has enqueued; the one that was in its way, if it is unique. `None`: it was dropped, because a job was not
    /// finished.
    pub job: Option<JobId>,
}

/// A schedule entry, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScheduleEntry {
    /// What it is known by.
    pub name: String,
    /// The executor of its jobs.
    pub executor: ExecutorName,
    /// The cron expression, or `@every` with the interval.
    pub expression: String,
    /// The time zone's name.
    pub timezone: String,
    /// When it is due, in words; `None`: this program cannot read the expression.
    pub description: Option<String>,
    /// The data of its jobs, as JSON.
    pub data: String,
    /// What becomes of ticks that nobody enqueued in time.
    pub missed: MissedTicks,
    /// What becomes of ticks while an earlier job is not finished.
    pub overlap: Overlap,
    /// Whether it comes from code, or was added at run time.
    pub origin: Origin,
    /// Who has declared it last: the label of a node, or who has put it.
    pub declared_by: String,
    /// Since when it is as it is, by the backend's clock.
    pub declared_at: DateTime<Utc>,
    /// Whether it comes from code, and no living node declares it any more: then it does not tick.
    pub is_orphaned: bool,
    /// Since when it is paused, by whom, why, and until when.
    pub paused: Option<(DateTime<Utc>, Pause)>,
    /// Its last tick, if it has had one.
    pub last_tick: Option<DateTime<Utc>>,
    /// Its next tick; `None` if there is none, or it is paused or orphaned.
    pub next_tick: Option<DateTime<Utc>>,
    /// Its last ticks, ten at most, the newest last.
    pub ticks: Vec<EntryTick>,
    /// How many ticks wait for the end of an earlier job.
    pub waiting: usize,
}

impl StoredEntry {
    /// The text to store.
    ///
    /// # Errors
    ///
    /// When it does not encode, which none is known to do.
    pub fn encode(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// What a stored text says.
    ///
    /// # Errors
    ///
    /// When it is no entry.
    pub fn decode(stored: &str) -> serde_json::Result<Self> {
        serde_json::from_str(stored)
    }

    /// Until which instant all of its ticks are done with. It lies ahead of the clock only if that was set back.
    pub fn ticked_until(&self) -> DateTime<Utc> {
        self.since
    }

    /// The jobs of which a step has to know whether they are finished.
    pub fn watched_jobs(&self) -> &[JobId] {
        if self.definition.overlap == Overlap::Allow && self.waiting.is_empty() { &[] } else { &self.jobs }
    }

    /// When nodes that do not declare it have to look at it; `None`: never, which goes for all that come from code.
    pub fn due_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.origin == Origin::Code {
            return None;
        }
        let next = self.definition.rule.schedule().ok().and_then(|schedule| self.next_look(&schedule, now));
        next.map(|at| at.max(DateTime::UNIX_EPOCH))
    }

    /// When something is to be done next.
    pub(super) fn next_look(&self, schedule: &Schedule, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let next = match &self.pause {
            Some(pause) if pause.holds(now) => return schedule.next_after(self.since.max(pause.until?)),
            Some(StoredPause { until: Some(until), .. }) => schedule.next_after(self.since.max(*until)),
            _ => schedule.next_after(self.since),
        };
        let again = (!self.waiting.is_empty()).then(|| now + AGAIN);
        next.into_iter().chain(again).min()
    }

    /// Whether a node among these members declares it as it is.
    pub(super) fn is_declared(&self, members: &BTreeSet<NodeId>) -> bool {
        let digest = self.definition.digest();
        self.declared.iter().any(|(node, declared)| members.contains(&NodeId(*node)) && *declared == digest)
    }

    /// How it is shown, where these nodes are members.
    pub fn shown(&self, name: String, members: &BTreeSet<NodeId>, now: DateTime<Utc>) -> ScheduleEntry {
        let Definition { rule, job, missed, overlap } = &self.definition;
        let (schedule, is_known) =
            (rule.schedule().ok(), self.declared.keys().any(|node| members.contains(&NodeId(*node))));
        let is_orphaned = self.origin == Origin::Code && !is_known;
        let paused = self.pause.as_ref().filter(|pause| pause.holds(now));
        let next = schedule.as_ref().filter(|_| !is_orphaned && paused.is_none());
        ScheduleEntry {
            name,
            executor: ExecutorName::from(job.executor.clone()),
            expression: rule.expression.clone(),
            timezone: rule.timezone.clone(),
            description: schedule.as_ref().map(Schedule::describe),
            data: job.data.clone(),
            missed: *missed,
            overlap: *overlap,
            origin: self.origin,
            declared_by: self.declared_by.clone(),
            declared_at: self.declared_at,
            is_orphaned,
            paused: paused.map(|pause| (pause.at, pause.shown())),
            last_tick: self.last_tick,
            next_tick: next.and_then(|schedule| schedule.next_after(self.since.max(now))),
            ticks: self.ticks.clone(),
            waiting: self.waiting.len(),
        }
    }
}

impl StoredPause {
    pub(super) fn of(pause: &Pause, at: DateTime<Utc>) -> Self {
        let Pause { reason, by, until, .. } = pause.clone();
        Self { at, until, by, reason }
    }

    pub(super) fn holds(&self, now: DateTime<Utc>) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    fn shown(&self) -> Pause {
        let mut pause = Pause::new(self.reason.clone()).until(self.until);
        pause.by = self.by.clone();
        pause
    }
}
