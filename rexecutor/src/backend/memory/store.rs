//! The rows, nodes and schedules.
//!
//! # Invariants
//!
//! - Rows change only through [`Store::change`], [`Store::amend`] and [`Store::claim`], which keep the indexes in step.
//! - What a transition does to a row is decided by [`lifecycle`](super::super::lifecycle) alone.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    audit::Recorded,
    events::EventLog,
    flows::Flow,
    history::Kept,
    indexes::{Indexed, Indexes},
    tasks::Tasks,
};
use crate::{
    backend::{
        admission::Controls,
        breaker::Breaker,
        lifecycle::{self, Effects, Resolved},
        places::{Places, places},
        rotation::KeyBucket,
        steps::StepRow,
    },
    model::{
        AboutNode, AmendError, BackendError, Chunk, ClusterLimits, Demand, Enqueued, EventKind, EventRow, ExecutorName,
        FlowId, Held, JobId, JobRow, LimitChange, Marks, Member, NewJob, NodeId, Offset, Pause, ScheduleKey, Tick,
        Unique,
    },
    schedule::StoredEntry,
};

#[derive(Debug, Default)]
pub(super) struct Store {
    /// The time of the present step.
    pub(super) present: DateTime<Utc>,
    /// For whoever listens.
    pub(super) log: EventLog,
    pub(super) rows: BTreeMap<JobId, Indexed>,
    pub(super) indexes: Indexes,
    pub(super) nodes: BTreeMap<NodeId, Joined>,
    pub(super) schedules: BTreeMap<ScheduleKey, Tick>,
    /// By name.
    pub(super) entries: BTreeMap<String, Entry>,
    /// What is stored about executors, and about the [whole cluster](crate::model::Scope::CLUSTER_NAME), since when. Those about
    /// which nothing is are not here.
    pub(super) controls: BTreeMap<ExecutorName, (DateTime<Utc>, Controls)>,
    /// The labels whose nodes are paused, since when.
    pub(super) paused_nodes: BTreeMap<String, (DateTime<Utc>, Pause)>,
    /// The tags that are paused, since when.
    pub(super) paused_tags: BTreeMap<String, (DateTime<Utc>, Pause)>,
    /// The jobs that are set aside because a tag is paused: which, and when each was due.
    pub(super) aside: BTreeMap<JobId, (String, DateTime<Utc>)>,
    /// What somebody has set of executors, since when.
    pub(super) set_limits: BTreeMap<ExecutorName, (DateTime<Utc>, LimitChange)>,
    /// What nodes declare about executors. That of a node which is no member any more counts for nothing.
    pub(super) declared: BTreeMap<(ExecutorName, NodeId), ClusterLimits>,
    /// When the buckets of executors are full again.
    pub(super) full_at: BTreeMap<ExecutorName, i64>,
    /// What is kept of the rates of keys.
    pub(super) key_buckets: BTreeMap<(ExecutorName, String), KeyBucket>,
    /// Until when jobs hold their executors back.
    pub(super) throttled: BTreeMap<ExecutorName, DateTime<Utc>>,
    /// The circuit breakers that have counted anything, or are open.
    pub(super) breakers: BTreeMap<ExecutorName, Breaker>,
    /// Which key of an executor, or executor of a shared limit, was served last, where they take turns.
    pub(super) served: BTreeMap<ExecutorName, String>,
    /// What jobs have said of themselves.
    pub(super) reports: BTreeMap<JobId, String>,
    /// What jobs have streamed.
    pub(super) streams: BTreeMap<JobId, BTreeMap<Offset, Chunk>>,
    /// How jobs went.
    pub(super) history: Kept,
    /// What people have changed by hand.
    pub(super) audit: Recorded,
    /// Jobs that have ended and that somebody waits for.
    pub(super) ended: Vec<JobId>,
    /// What is recorded of the steps of jobs that have any.
    pub(super) steps: BTreeMap<JobId, Vec<StepRow>>,
    /// Without their jobs.
    pub(super) flows: BTreeMap<FlowId, Flow>,
    /// Those of which a job has ended, and nothing was decided since.
    pub(super) ended_in: BTreeSet<FlowId>,
    /// Those of workflows.
    pub(super) tasks: Tasks,
    /// Those that have ended, about which nobody has told those behind them.
    pub(super) ended_tasks: BTreeSet<JobId>,
    /// Those about which is to be decided.
    pub(super) undecided: BTreeSet<JobId>,
    pub(super) last_flow: i64,
    last_job: i64,
    pub(super) last_node: i64,
}

/// A schedule entry.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) stored: StoredEntry,
    /// When any node is to look at it.
    pub(super) due_at: Option<DateTime<Utc>>,
}

/// A node that has joined.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) member: Member,
    /// When it was last heard. No node is judged by that, since clocks are set: only what is said of it to people is.
    pub(super) seen_at: DateTime<Utc>,
    /// What it runs, once it has said so.
    pub(super) executors: Option<Vec<ExecutorName>>,
    pub(super) label: String,
    pub(super) about: AboutNode,
    pub(super) since: DateTime<Utc>,
}

impl Joined {
    pub(super) fn is_silent(&self, now: DateTime<Utc>) -> bool {
        let timeout = TimeDelta::from_std(self.member.timeout).unwrap_or(TimeDelta::MAX);
        self.seen_at.checked_add_signed(timeout).is_some_and(|silent_at| silent_at < now)
    }
}

impl Store {
    pub(super) fn rows(&self) -> impl Iterator<Item = &JobRow> {
        self.rows.values().map(|stored| &stored.row)
    }

    pub(super) fn enqueue(&mut self, job: NewJob, now: DateTime<Utc>) -> Enqueued {
        let in_the_way = job.unique.as_ref().and_then(|unique| self.in_the_way(unique, now).next());
        let Some(id) = in_the_way else { return self.insert(job, now) };
        match self.change(id, |row| lifecycle::resolve(row, job, now)) {
            Some(Resolved::Insert(job)) => self.insert(*job, now),
            Some(Resolved::Replaced) => Enqueued::Replaced(id),
            Some(Resolved::Existing) | None => Enqueued::Existing(id),
        }
    }

    /// Whether all of these may wait.
    pub(super) fn check_room(&self, jobs: &[NewJob]) -> Result<(), BackendError> {
        let places = places(jobs);
        places.iter().try_for_each(Places::check)?;
        for wanted in places {
            if self.indexes.pending(wanted.executor.as_str()) + wanted.count > wanted.max_pending {
                return Err(wanted.refused());
            }
        }
        Ok(())
    }

    fn insert(&mut self, job: NewJob, now: DateTime<Utc>) -> Enqueued {
        self.last_job += 1;
        let id = JobId::from(self.last_job);
        let mut stored = Indexed::from(JobRow::new(id, job, now));
        self.log.tell(|| EventRow::of(&stored.row, EventKind::Enqueued, now));
        self.indexes.insert(&stored.row);
        self.indexes.add(&mut stored);
        self.rows.insert(id, stored);
        Enqueued::Inserted(id)
    }

    /// The jobs in the way of one with these criteria, the newest first.
    fn in_the_way(&self, unique: &Unique, now: DateTime<Utc>) -> impl Iterator<Item = JobId> {
        let is_in_the_way =
            move |id: &JobId| self.rows.get(id).is_some_and(|stored| lifecycle::conflicts(&stored.row, unique, now));
        self.indexes.unique(&unique.key).filter(is_in_the_way)
    }

    /// Which of these have due jobs, and when the first of the others has one.
    pub(super) fn due(&self, full: Vec<Held>, now: DateTime<Utc>) -> (Vec<Held>, Option<DateTime<Utc>>) {
        let (mut due, mut next) = (Vec::new(), None);
        for held in full {
            match self.indexes.first_due(held.executor.as_str()) {
                Some(at) if at <= now => due.push(held),
                at => next = next.into_iter().chain(at).min(),
            }
        }
        (due, next)
    }

    /// Claims due jobs, and adds them to `claimed`; returns when the next one is due of those executors that had fewer than
    /// were asked for.
    pub(super) fn claim(
        &mut self,
        node: NodeId,
        demands: &[Demand],
        now: DateTime<Utc>,
        claimed: &mut Vec<JobRow>,
    ) -> Option<DateTime<Utc>> {
        let mut next_due: Option<DateTime<Utc>> = None;
        for Demand { executor, limit, max_bytes, .. } in demands {
            let due = self.indexes.take_due(executor.as_str(), *limit, now);
            let mut bytes = 0;
            claimed.reserve(due.len());
            if due.len() < *limit {
                next_due = next_due.into_iter().chain(self.indexes.next_due(executor.as_str(), now)).min();
            }
            for id in due {
                let Some(stored) = self.rows.get_mut(&id) else { continue };
                if bytes >= *max_bytes {
                    self.indexes.add(stored);
                    continue;
                }
                bytes += stored.row.content_bytes();
                self.indexes.remove_taken(&stored.row);
                lifecycle::claim(&mut stored.row, node, now);
                self.log.tell_change(&mut stored.row, now);
                self.indexes.add(stored);
                claimed.push(stored.row.clone());
            }
        }
        next_due
    }

    /// Changes a row and its place in the indexes; `None` if there is no such job.
    pub(super) fn change<T>(&mut self, id: JobId, change: impl FnOnce(&mut JobRow) -> T) -> Option<T> {
        let stored = self.rows.get_mut(&id)?;
        self.indexes.remove(stored);
        let was_finished = stored.row.status.is_finished();
        let answer = change(&mut stored.row);
        if !was_finished && lifecycle::is_awaited_end(&stored.row) {
            self.ended.push(id);
        }
        self.log.tell_change(&mut stored.row, self.present);
        self.indexes.add(stored);
        if !was_finished {
            let ended = Ended::of(&stored.row);
            self.note(ended);
        }
        Some(answer)
    }

    fn note(&mut self, ended: Ended) {
        self.ended_in.extend(ended.flow);
        self.ended_tasks.extend(ended.task);
    }

    /// Ends a run, and does what follows from that; `None` if there is no such run. Also gives the executor, if it is to be woken.
    pub(super) fn settle(
        &mut self,
        id: JobId,
        end: impl FnOnce(&mut JobRow) -> Option<Effects>,
    ) -> Option<(Effects, Option<ExecutorName>)> {
        let end = |row: &mut JobRow| end(row).map(|effects| (effects, effects.wake.then(|| row.executor.clone())));
        let (effects, woken) = self.change(id, end)??;
        if effects.delete {
            self.count_as_gone(id);
            self.delete(id);
        }
        Some((effects, woken))
    }

    /// Whether there is such a job, and it is not finished.
    pub(super) fn is_unfinished(&self, id: JobId) -> bool {
        self.rows.get(&id).is_some_and(|stored| !stored.row.status.is_finished())
    }

    pub(super) fn delete(&mut self, id: JobId) {
        if let Some(stored) = self.rows.remove(&id) {
            self.indexes.remove(&stored);
            self.indexes.delete(&stored.row);
            self.reports.remove(&id);
            self.streams.remove(&id);
            self.steps.remove(&id);
            self.aside.remove(&id);
        }
    }

    /// Deletes a job of `executor`, which may refuse.
    pub(super) fn delete_by_hand(&mut self, executor: &ExecutorName, id: JobId) -> Result<(), AmendError> {
        let stored = self.rows.get_mut(&id).filter(|stored| stored.row.executor == *executor);
        let row = &mut stored.ok_or(AmendError::NotFound(id))?.row;
        lifecycle::delete(row)?;
        self.log.tell_change(row, self.present);
        self.delete(id);
        Ok(())
    }

    /// Changes a job of `executor`, which may refuse. What it gives, if anything, is what no other job may stand in the way
    /// of; `verb` says what is done.
    pub(super) fn amend(
        &mut self,
        executor: &ExecutorName,
        id: JobId,
        verb: &'static str,
        change: impl FnOnce(&mut JobRow, DateTime<Utc>) -> Result<Option<Unique>, AmendError>,
        now: DateTime<Utc>,
    ) -> Result<(), AmendError> {
        let stored = self.rows.get(&id).filter(|stored| stored.row.executor == *executor);
        let mut changed = stored.ok_or(AmendError::NotFound(id))?.row.clone();
        if let Some(beside) = change(&mut changed, now)?
            && let Some(existing) = self.in_the_way(&beside, now).find(|existing| *existing != id)
        {
            return Err(AmendError::Duplicate { id, existing, verb });
        }
        if lifecycle::is_awaited_end(&changed) {
            self.ended.push(id);
        }
        self.note(Ended::of(&changed));
        if let Some(stored) = self.rows.get_mut(&id) {
            self.indexes.remove(stored);
            self.indexes.delete(&stored.row);
            if !changed.marks.contains(Marks::STEPS) {
                self.steps.remove(&id);
            }
            stored.row = changed;
            self.log.tell_change(&mut stored.row, now);
            self.indexes.insert(&stored.row);
            self.indexes.add(stored);
        }
        Ok(())
    }
}

/// What a job's end counts in.
#[derive(Default)]
struct Ended {
    flow: Option<FlowId>,
    task: Option<JobId>,
}

impl Ended {
    fn of(row: &JobRow) -> Self {
        match row.status.is_finished() {
            true => Self { flow: row.extras.flow, task: row.extras.task.as_ref().map(|_| row.id) },
            false => Self::default(),
        }
    }
}
