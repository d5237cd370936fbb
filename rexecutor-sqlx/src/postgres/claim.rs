//! Giving due jobs to nodes.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use futures::future::BoxFuture;
use rexecutor::{
    backend::{Claim, Claimed, Demand, JobRow, Result, Wakeup},
    clock::{Clock, SystemClock},
    job::{JobId, NodeId},
};
use sqlx::{PgConnection, Row, ValueRef, postgres::PgRow};

use super::{
    Database, PgBackend,
    claim_cursors::{self, Cursor, Scan},
    row,
    session::{Session, apart},
    write,
};

impl Claim for PgBackend {
    fn claim<'a>(&'a self, node: NodeId, slots: &'a [Demand]) -> BoxFuture<'a, Result<Claimed>> {
        let (backend, slots) = (self.clone(), slots.to_vec());
        let claim = async move { backend.0.limited(CLAIM, backend.0.claim(node, &slots)).await };
        Box::pin(apart(CLAIM, claim))
    }

    fn watch(&self, wakeup: Arc<Wakeup>) -> BoxFuture<'_, Result<()>> {
        self.0.listeners.add(&wakeup);
        Box::pin(self.0.watch(wakeup))
    }
}

const CLAIM: &str = "could not claim jobs";

/// What a claim gave.
#[derive(Default)]
struct Found {
    jobs: Vec<JobRow>,
    unreadable: Vec<i64>,
    next_due_in: Option<Duration>,
    is_member: bool,
}

impl Database {
    async fn claim(&self, node: NodeId, slots: &[Demand]) -> sqlx::Result<Claimed> {
        let now = SystemClock.now();
        let (mut from_cursors, mut first) = (Vec::new(), Vec::new());
        for slots in slots.iter().filter(|slots| slots.free > 0) {
            match self.cursors.of(&slots.executor, now) {
                Some(cursor) => from_cursors.push((slots.clone(), cursor)),
                None => first.push(slots.clone()),
            }
        }
        let mut session = self.session().await?;
        let mut found = Found::default();
        if !from_cursors.is_empty() {
            found = self.claim_from_cursors(&mut session, node, &from_cursors).await?;
            // Rows may have come in behind the place from which this looked.
            first.extend(unfilled(from_cursors, &found.jobs));
        }
        let (mut start, mut is_broken) = (None, false);
        // Also when nothing was asked for, to learn whether the node is a member.
        if !first.is_empty() || found.jobs.is_empty() {
            let began = SystemClock.now();
            match self.scan(&mut session, node, &first).await {
                Ok(more) => {
                    start = Some(Scan { at: began, took: SystemClock.now() - began });
                    found.jobs.extend(more.jobs);
                    found.unreadable.extend(more.unreadable);
                    (found.next_due_in, found.is_member) = (more.next_due_in, more.is_member);
                }
                // What a statement alone has claimed is claimed. The node asks again at once, and gets the error then.
                Err(_) if matches!(session, Session::Alone(..)) && !found.jobs.is_empty() => {
                    (found.next_due_in, is_broken) = (Some(Duration::ZERO), true);
                }
                Err(error) => return Err(error),
            }
        }
        if !is_broken {
            self.quarantine(&mut session, std::mem::take(&mut found.unreadable)).await?;
            session.end().await?;
        }
        sort(&mut found.jobs, slots);
        self.remember(slots, &first, &found.jobs, start);
        let member = found.is_member || !found.jobs.is_empty();
        Ok(Claimed { jobs: found.jobs, next_due_in: found.next_due_in, member })
    }

    async fn scan(&self, connection: &mut PgConnection, node: NodeId, slots: &[Demand]) -> sqlx::Result<Found> {
        let query = self.query(&self.queries.claim_jobs).bind(self.now()).bind(node.0);
        let rows = query.bind(executors(slots)).bind(free(slots)).fetch_all(connection).await?;
        let Some(first) = rows.first() else { return Err(sqlx::Error::RowNotFound) };
        let now = row::instant(first, "now")?;
        let next_due = row::optional_instant(first, "due_at")?;
        let mut found = self.read(&rows, slots)?;
        found.next_due_in = next_due.and_then(|at| (at - now).to_std().ok());
        found.is_member = first.try_get("is_member")?;
        Ok(found)
    }

    async fn claim_from_cursors(
        &self,
        connection: &mut PgConnection,
        node: NodeId,
        asked: &[(Demand, Cursor)],
    ) -> sqlx::Result<Found> {
        let slots: Vec<Demand> = asked.iter().map(|(slots, _)| slots.clone()).collect();
        let query = self
            .query(&self.queries.claim_from_cursors)
            .bind(self.now())
            .bind(node.0)
            .bind(executors(&slots))
            .bind(free(&slots))
            .bind(asked.iter().map(|(_, after)| after.priority).collect::<Vec<_>>())
            .bind(asked.iter().map(|(_, after)| after.at).collect::<Vec<_>>())
            .bind(asked.iter().map(|(_, after)| after.id).collect::<Vec<_>>());
        self.read(&query.fetch_all(connection).await?, &slots)
    }

    fn read(&self, rows: &[PgRow], slots: &[Demand]) -> sqlx::Result<Found> {
        let (mut found, mut locations) = (Found::default(), Vec::with_capacity(rows.len()));
        for stored in rows {
            if stored.try_get_raw(0)?.is_null() {
                continue;
            }
            match row::claimed_job(stored, slots) {
                Ok(job) => {
                    locations.push(((job.id, job.lease), stored.try_get::<&str, _>(row::COLUMNS)?.into()));
                    found.jobs.push(job);
                }
                Err(error) => found.unreadable.push(write::unreadable(stored, &error)?),
            }
        }
        self.locations.remember(locations);
        Ok(found)
    }

    /// Records how far each executor's line was claimed; `first` are those that were claimed from their start.
    fn remember(&self, slots: &[Demand], first: &[Demand], jobs: &[JobRow], start: Option<Scan>) {
        let first: HashSet<&str> = first.iter().map(|slots| slots.executor.as_str()).collect();
        let lines = jobs.chunk_by(|one, next| one.executor == next.executor);
        let lines: HashMap<&str, &[JobRow]> = lines.map(|line| (line[0].executor.as_str(), line)).collect();
        for slots in slots {
            let executor = slots.executor.as_str();
            let line = lines.get(executor).copied().unwrap_or_default();
            let is_long = line.len() >= slots.free.max(claim_cursors::shortest(jobs.len()));
            let last = line.last().filter(|_| is_long).map(Cursor::of);
            self.cursors.reached(&slots.executor, last, start.filter(|_| first.contains(executor)));
        }
    }
}

fn executors<'a>(slots: impl IntoIterator<Item = &'a Demand>) -> Vec<String> {
    slots.into_iter().map(|slots| slots.executor.to_string()).collect()
}

fn free<'a>(slots: impl IntoIterator<Item = &'a Demand>) -> Vec<i64> {
    slots.into_iter().map(|slots| i64::try_from(slots.free).unwrap_or(i64::MAX)).collect()
}

/// What is left of the slots.
fn unfilled(asked: Vec<(Demand, Cursor)>, jobs: &[JobRow]) -> impl Iterator<Item = Demand> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    jobs.iter().for_each(|job| *counts.entry(job.executor.as_str()).or_default() += 1);
    let left = asked.into_iter().map(move |(slots, _)| {
        let claimed = counts.get(slots.executor.as_str()).copied().unwrap_or_default();
        Demand { free: slots.free.saturating_sub(claimed), ..slots }
    });
    left.filter(|slots| slots.free > 0)
}

/// `RETURNING` keeps no order: by executor as they were asked, and then as they start.
fn sort(jobs: &mut [JobRow], slots: &[Demand]) {
    let places: HashMap<&str, usize> =
        slots.iter().enumerate().map(|(place, slots)| (slots.executor.as_str(), place)).collect();
    let place = |job: &JobRow| (places.get(job.executor.as_str()).copied(), job.priority, job.scheduled_at);
    jobs.sort_by_key(|job| (place(job), JobId::as_i64(job.id)));
}
