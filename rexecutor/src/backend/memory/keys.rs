//! Where an executor's waiting jobs are found by their keys.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use chrono::{DateTime, Utc};

use super::indexes::Indexes;
use crate::{
    backend::rotation::{MAX_STEPS, Met, Terms, WINDOW, Walk},
    model::{Demand, ExecutorName, JobId, JobRow},
};

/// The waiting jobs that have a key, and stand in no line: by executor and key, in the order in which they start.
#[derive(Debug, Default)]
pub(super) struct Keys(BTreeMap<ExecutorName, BTreeMap<String, BTreeSet<Place>>>);

/// The priority, when it is due, and the number.
type Place = (u16, DateTime<Utc>, JobId);

fn place(row: &JobRow) -> Place {
    (row.priority, row.scheduled_at, row.id)
}

impl Keys {
    /// Adds a job that waits.
    pub(super) fn insert(&mut self, row: &JobRow) {
        if let Some(key) = &row.extras.group_key
            && row.extras.order.is_none()
        {
            let keys = self.0.entry(row.executor.clone()).or_default();
            keys.entry(key.clone()).or_default().insert(place(row));
        }
    }

    /// Removes one.
    pub(super) fn remove(&mut self, row: &JobRow) {
        let Some(key) = row.extras.group_key.as_ref().filter(|_| row.extras.order.is_none()) else { return };
        let Some(keys) = self.0.get_mut(&row.executor) else { return };
        if let Some(jobs) = keys.get_mut(key) {
            jobs.remove(&place(row));
            if jobs.is_empty() {
                keys.remove(key);
            }
        }
    }
}

/// The keys of an executor, from behind this one and once around.
pub(super) fn around<'k, V>(
    keys: Option<&'k BTreeMap<String, V>>,
    behind: Option<&str>,
) -> impl Iterator<Item = (&'k String, &'k V)> {
    let from = behind.map_or(Bound::Unbounded, Bound::Excluded);
    let before = behind.map_or(Bound::Excluded(""), Bound::Included);
    let first = keys.into_iter().flat_map(move |keys| keys.range::<str, _>((from, Bound::Unbounded)));
    first.chain(keys.into_iter().flat_map(move |keys| keys.range::<str, _>((Bound::Unbounded, before))))
}

/// A job that a walk has met.
pub(super) fn met(row: &JobRow, room: usize) -> Met {
    let met = Met::new(row.id, row.extras.group_key.clone(), room, row.content_bytes());
    met.with_weight(row.extras.weight.unwrap_or(1))
}

impl Indexes {
    /// The due jobs at the head of an executor's queue.
    pub(super) fn head<'r>(
        &self,
        demand: &Demand,
        terms: &Terms,
        row: impl Fn(JobId) -> Option<&'r JobRow>,
        now: DateTime<Utc>,
    ) -> Walk {
        let (executor, most) = (demand.executor.as_str(), demand.limit);
        let due = match terms.aging {
            None => self.first_due_jobs(executor, most, now),
            Some(_) => self.first_due_of_priorities(executor, most, now),
        };
        let mut due: Vec<&JobRow> = due.into_iter().filter_map(row).collect();
        due.sort_by_key(|row| (terms.place(row.priority, row.scheduled_at), row.id));
        let met = due.into_iter().take(demand.limit).map(|row| met(row, usize::MAX)).collect();
        Walk { met, ..Walk::default() }
    }

    /// Walks over the keys of an executor, as [`rotation`](crate::backend::rotation) says.
    pub(super) fn walk<'r>(
        &self,
        demand: &Demand,
        behind: Option<&str>,
        row: impl Fn(JobId) -> Option<&'r JobRow>,
        room: impl Fn(Option<&str>) -> usize,
        starts_at: impl Fn(&str) -> Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Walk {
        let (mut keyed, mut found) = (Walk { is_idle: true, ..Walk::default() }, BTreeSet::new());
        for (step, (key, jobs)) in around(self.keys.0.get(&demand.executor), behind).enumerate() {
            if found.len() == demand.limit || step == MAX_STEPS {
                keyed.is_partial = true;
                keyed.stopped_at = keyed.stopped_at.filter(|_| step == MAX_STEPS);
                break;
            }
            keyed.stopped_at = Some(key.clone());
            let room = room(Some(key));
            keyed.is_idle &= room > 0;
            if let Some(at) = starts_at(key).filter(|at| now < *at) {
                let has_due = room > 0 && jobs.iter().any(|(_, due, _)| *due <= now);
                let wait = (at - now).to_std().ok().filter(|_| has_due);
                keyed.next_in = keyed.next_in.into_iter().chain(wait).min();
                continue;
            }
            let due = jobs.iter().filter(|(_, at, _)| *at <= now).take(room.min(demand.limit));
            let due: Vec<Met> = due.filter_map(|(.., id)| Some(met(row(*id)?, room))).collect();
            if !due.is_empty() {
                found.insert(key.as_str());
                keyed.met.extend(due);
            }
        }
        if !keyed.is_partial {
            keyed.stopped_at = None;
        }
        let window = self.first_due_jobs(demand.executor.as_str(), WINDOW, now);
        let window: Vec<&JobRow> = window.into_iter().filter_map(row).collect();
        let (mut without, mut beyond) = (Vec::new(), Vec::new());
        for row in window {
            match row.extras.group_key.as_deref() {
                None => without.push(met(row, usize::MAX)),
                Some(key) if found.contains(key) => {}
                Some(key) => beyond.push(met(row, room(Some(key)))),
            }
        }
        keyed.is_partial |= without.len() == WINDOW;
        without.append(&mut keyed.met);
        without.append(&mut beyond);
        Walk { met: without, ..keyed }
    }
}
