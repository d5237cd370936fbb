//! Deciding about jobs some of which must not exist beside others.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{
        Enqueued, JobRow, NewJob, Unique,
        lifecycle::{self, Resolved},
    },
    job::{
        JobId,
        uniqueness_criteria::{Resolution, UniqueKey},
    },
};
use serde_json::{Value, json as array};

use super::{
    queries,
    row::{self, micros},
    work::Work,
};

/// The jobs of one call and what they conflict with, until all of it is stored.
pub(super) struct Decided {
    inserted: Vec<JobRow>,
    last_id: i64,
    /// For each job of the call that is unique, in order: the stored job in its way.
    conflicts: std::vec::IntoIter<Option<JobId>>,
    /// Places in `inserted` of the jobs with a key.
    by_key: HashMap<UniqueKey, Vec<usize>>,
    /// The stored jobs that are to take something over.
    stored: HashMap<JobId, Stored>,
}

struct Stored {
    row: JobRow,
    is_changed: bool,
}

impl Decided {
    /// Looks up what stands in the way of these jobs.
    pub(super) async fn look_up(work: &mut Work<'_>, jobs: &[&NewJob]) -> Result<Self, sqlx::Error> {
        let last_id = sqlx::query_scalar(queries::find_last_job()).fetch_one(&mut *work.conn).await?;
        let unique: Vec<&Unique> = jobs.iter().filter_map(|job| job.unique.as_ref()).collect();
        let conflicts = if unique.is_empty() { Vec::new() } else { find_conflicts(work, &unique).await? };
        let replaces = |unique: &Unique| unique.on_conflict != Resolution::Ignore;
        let replaced = unique.iter().zip(&conflicts).filter(|(unique, _)| replaces(unique));
        let stored = find_replaced(work, replaced.filter_map(|(_, id)| *id).collect()).await?;
        Ok(Self {
            inserted: Vec::with_capacity(jobs.len()),
            last_id,
            conflicts: conflicts.into_iter(),
            by_key: HashMap::new(),
            stored,
        })
    }

    /// Decides about the next job of the call.
    pub(super) fn take(&mut self, job: &NewJob, now: DateTime<Utc>) -> Enqueued {
        let Some(unique) = &job.unique else { return self.insert(job, now) };
        let stored = self.conflicts.next().flatten();
        // A later job of the same call sees the earlier, and those are the newest.
        let places = self.by_key.get(&unique.key).map(Vec::as_slice).unwrap_or_default();
        let earlier = places.iter().rev().find_map(|place| {
            let row = self.inserted.get_mut(*place)?;
            lifecycle::conflicts(row, unique, now).then_some(*place)
        });
        let (row, is_changed) = match (earlier.and_then(|place| self.inserted.get_mut(place)), stored) {
            (Some(row), _) => (row, &mut true),
            (None, Some(id)) => match self.stored.get_mut(&id) {
                Some(Stored { row, is_changed }) => (row, is_changed),
                // It cannot be read, so it will not run: the last call must not be lost with it.
                None if matches!(unique.on_conflict, Resolution::Debounce(_)) => return self.insert(job, now),
                None => return Enqueued::Existing(id),
            },
            (None, None) => return self.insert(job, now),
        };
        if unique.on_conflict == Resolution::Ignore {
            return Enqueued::Existing(row.id);
        }
        match lifecycle::resolve(row, job.clone(), now) {
            Resolved::Replaced => {
                *is_changed = true;
                Enqueued::Replaced(row.id)
            }
            Resolved::Insert(job) => self.insert(&job, now),
            _ => Enqueued::Existing(row.id),
        }
    }

    /// The jobs to insert.
    pub(super) fn inserted(&self) -> &[JobRow] {
        &self.inserted
    }

    /// The stored jobs that have taken something over.
    pub(super) fn changed(&self) -> impl Iterator<Item = &JobRow> {
        self.stored.values().filter(|stored| stored.is_changed).map(|stored| &stored.row)
    }

    fn insert(&mut self, job: &NewJob, now: DateTime<Utc>) -> Enqueued {
        self.last_id += 1;
        let id = JobId::from(self.last_id);
        if let Some(unique) = &job.unique {
            self.by_key.entry(unique.key).or_default().push(self.inserted.len());
        }
        self.inserted.push(JobRow::new(id, job.clone(), now));
        Enqueued::Inserted(id)
    }
}

/// Before every time that can be stored.
const ALWAYS: i64 = 1 << 62;

/// The newest stored job in the way of each.
async fn find_conflicts(work: &mut Work<'_>, unique: &[&Unique]) -> Result<Vec<Option<JobId>>, sqlx::Error> {
    let find = sqlx::query_scalar(queries::find_conflicts()).bind(requests(unique, work.now).to_string());
    let ids: Vec<Option<i64>> = find.fetch_all(&mut *work.conn).await?;
    Ok(ids.into_iter().map(|id| id.map(JobId::from)).collect())
}

/// What `find_conflicts.sql` takes.
pub(super) fn requests(unique: &[&Unique], now: DateTime<Utc>) -> Value {
    Value::from_iter(unique.iter().map(|unique| {
        let statuses: Vec<&str> = unique.statuses.iter().map(|status| status.as_str()).collect();
        let (start, end) = window(unique, now);
        array!([hex(unique.key), statuses, start, end])
    }))
}

/// Between which instants, in microseconds, another job stands in the way of one that is enqueued now.
fn window(unique: &Unique, now: DateTime<Utc>) -> (i64, i64) {
    let start = unique.within.and_then(|within| now.checked_sub_signed(within));
    let end = unique.within.and_then(|within| now.checked_add_signed(within.checked_add(&lifecycle::SET_BACK)?));
    (start.map_or(-ALWAYS, micros), end.map_or(ALWAYS, micros))
}

/// The newest job but `job` that stands in the way of one with these criteria.
pub(super) async fn find_rival(work: &mut Work<'_>, unique: &Unique, job: JobId) -> Result<Option<JobId>, sqlx::Error> {
    let statuses: Vec<&str> = unique.statuses.iter().map(|status| status.as_str()).collect();
    let (start, end) = window(unique, work.now);
    let find = sqlx::query_scalar(queries::find_rival()).bind(unique.key.0.to_vec()).bind(array!(statuses).to_string());
    let find = find.bind(start).bind(end).bind(job.as_i64());
    let found: Option<i64> = find.fetch_one(&mut *work.conn).await?;
    Ok(found.map(JobId::from))
}

/// A row that cannot be read takes nothing over: it stands in the way as it is.
async fn find_replaced(work: &mut Work<'_>, ids: Vec<JobId>) -> Result<HashMap<JobId, Stored>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids = array!(ids).to_string();
    let rows = sqlx::query(queries::lock_jobs()).bind(ids).fetch_all(&mut *work.conn).await?;
    let rows = rows.iter().filter_map(|row| row::read(row).ok());
    Ok(rows.map(|row| (row.id, Stored { row, is_changed: false })).collect())
}

/// A key as `unhex` reads it.
pub(super) fn hex(key: UniqueKey) -> String {
    key.0.iter().map(|byte| format!("{byte:02x}")).collect()
}
