//! Schedule entries.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;

use super::{
    backend::InMemoryBackend,
    roles::ready,
    store::{Entry, Store},
};
use crate::{
    backend::{
        capabilities::{DueEntries, Entries},
        lifecycle,
    },
    model::{Enqueued, ExecutorName, JobId, NodeId, Result, Scope},
    schedule::{EntryAnswer, EntryStep, REPLACED, ScheduleEntry, Surroundings},
};

/// Whom a step wakes.
#[derive(Default)]
struct Woken {
    executors: BTreeSet<ExecutorName>,
    cancelled: Vec<JobId>,
}

impl Store {
    fn members(&self) -> BTreeSet<NodeId> {
        self.nodes.keys().copied().collect()
    }

    fn step(&mut self, step: &EntryStep, now: DateTime<Utc>, woken: &mut Woken) -> EntryAnswer {
        let stored = self.entries.get(step.name()).map(|entry| entry.stored.clone());
        let watched = stored.iter().flat_map(|entry| entry.watched_jobs()).copied();
        let unfinished = watched.filter(|job| self.is_unfinished(*job)).collect();
        let members = self.members();
        let around = Surroundings { now, members: &members, unfinished: &unfinished };
        let mut applied = step.apply(stored, around);
        woken.executors.extend(applied.is_news.then_some(Scope::SCHEDULES_NAME));
        for job in applied.cancel.drain(..) {
            let _ = self.change(job, |row| lifecycle::cancel(row, REPLACED.to_owned(), now));
            woken.cancelled.push(job);
        }
        let jobs = std::mem::take(&mut applied.jobs);
        woken.executors.extend(jobs.iter().map(|job| job.executor.clone()));
        let enqueued: Vec<Enqueued> = jobs.into_iter().map(|job| self.enqueue(job, now)).collect();
        let answer = applied.note(&enqueued);
        match applied.entry {
            Some(stored) if applied.is_changed => {
                let due_at = stored.due_at(now);
                self.entries.insert(step.name().to_owned(), Entry { stored, due_at });
            }
            Some(_) => {}
            None => drop(self.entries.remove(step.name())),
        }
        answer
    }
}

impl Entries for InMemoryBackend {
    fn due(&self) -> BoxFuture<'_, Result<DueEntries>> {
        let (store, now) = self.store();
        let (mut names, mut next_at) = (Vec::new(), None);
        for (name, entry) in &store.entries {
            match entry.due_at {
                Some(at) if at > now && entry.stored.ticked_until() <= now + TimeDelta::minutes(1) => {
                    next_at = Some(next_at.map_or(at, |next: DateTime<Utc>| next.min(at)));
                }
                Some(_) if names.len() < DueEntries::MOST => names.push(name.clone()),
                _ => {}
            }
        }
        ready(Ok(DueEntries::new(now, names, next_at)))
    }

    fn step(&self, steps: Vec<EntryStep>) -> BoxFuture<'_, Result<Vec<EntryAnswer>>> {
        let (mut store, now) = self.store();
        let mut woken = Woken::default();
        let answers = steps.iter().map(|step| store.step(step, now, &mut woken)).collect();
        let ended = std::mem::take(&mut store.ended);
        drop(store);
        self.tell_ends(&ended);
        self.wake(woken.executors);
        woken.cancelled.into_iter().for_each(|job| self.listeners.each(|wakeup| wakeup.cancel(job)));
        ready(Ok(answers))
    }

    fn list<'a>(&'a self, name: Option<&'a str>) -> BoxFuture<'a, Result<Vec<ScheduleEntry>>> {
        let (store, now) = self.store();
        let members = store.members();
        let entries = store.entries.iter().filter(|(known, _)| name.is_none_or(|name| name == *known));
        ready(Ok(entries.map(|(name, entry)| entry.stored.shown(name.clone(), &members, now)).collect()))
    }
}
