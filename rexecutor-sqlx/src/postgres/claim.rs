//! Giving due jobs to nodes.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use rexecutor::{
    backend::{Bell, Claim, Claimed, JobRow, Result, Slots},
    clock::{Clock, SystemClock},
    job::{JobId, NodeId},
};
use sqlx::{PgConnection, Row, ValueRef, postgres::PgRow};

use super::{Database, PgBackend, positions::Position, row, session::Session, write};

impl Claim for PgBackend {
    fn claim<'a>(&'a self, node: NodeId, slots: &'a [Slots]) -> BoxFuture<'a, Result<Claimed>> {
        Box::pin(self.0.limited("could not claim jobs", self.0.claim(node, slots)))
    }

    fn watch(&self, bell: Arc<Bell>) -> BoxFuture<'_, Result<()>> {
        self.0.bells.add(&bell);
        Box::pin(self.0.watch(bell))
    }
}

/// One executor's part of a claim.
#[derive(Clone)]
struct Asked {
    slots: Slots,
    /// After which place in its line.
    after: Position,
}

/// What one statement gave.
#[derive(Default)]
struct Found {
    jobs: Vec<JobRow>,
    unreadable: Vec<i64>,
    now: DateTime<Utc>,
    next_due: Option<DateTime<Utc>>,
    is_member: bool,
}

impl Database {
    async fn claim(&self, node: NodeId, slots: &[Slots]) -> sqlx::Result<Claimed> {
        let now = SystemClock.now();
        let asked = slots.iter().filter(|slots| slots.free > 0);
        let asked = asked.map(|slots| Asked { slots: slots.clone(), after: self.positions.of(&slots.executor, now) });
        let asked: Vec<Asked> = asked.collect();
        let mut session = self.session().await?;
        let began = SystemClock.now();
        let mut found = self.claim_once(&mut session, node, &asked).await?;
        let elapsed = SystemClock.now() - began;
        // Rows may have come in behind the place from which this looked.
        let again = unfilled(&asked, &found.jobs);
        if found.is_member && !again.is_empty() {
            match self.claim_once(&mut session, node, &again).await {
                Ok(more) => {
                    found.next_due = found.next_due.into_iter().chain(more.next_due).min();
                    found.jobs.extend(more.jobs);
                    found.unreadable.extend(more.unreadable);
                }
                // What a statement alone has claimed is claimed. The node asks again at once, and gets the error then.
                Err(_) if matches!(session, Session::Alone(_)) => found.next_due = Some(found.now),
                Err(error) => return Err(error),
            }
        }
        self.set_aside(&mut session, std::mem::take(&mut found.unreadable)).await?;
        sort(&mut found.jobs, slots);
        session.end().await?;
        self.remember(&asked, &found.jobs, elapsed, began);
        let next_due_in = found.next_due.and_then(|at| (at - found.now).to_std().ok());
        Ok(Claimed { jobs: found.jobs, next_due_in, member: found.is_member })
    }

    async fn claim_once(&self, connection: &mut PgConnection, node: NodeId, asked: &[Asked]) -> sqlx::Result<Found> {
        let free = |asked: &Asked| i64::try_from(asked.slots.free).unwrap_or(i64::MAX);
        let query = self
            .query(&self.queries.claim_jobs)
            .bind(self.now())
            .bind(node.0)
            .bind(asked.iter().map(|asked| asked.slots.executor.to_string()).collect::<Vec<_>>())
            .bind(asked.iter().map(free).collect::<Vec<_>>())
            .bind(asked.iter().map(|asked| asked.after.priority).collect::<Vec<_>>())
            .bind(asked.iter().map(|asked| asked.after.at).collect::<Vec<_>>())
            .bind(asked.iter().map(|asked| asked.after.id).collect::<Vec<_>>());
        read(&query.fetch_all(connection).await?)
    }

    fn remember(&self, asked: &[Asked], jobs: &[JobRow], elapsed: TimeDelta, began: DateTime<Utc>) {
        let is_slow = Position::is_slow(jobs.len(), elapsed);
        for Asked { slots, after } in asked {
            let claimed = jobs.iter().filter(|job| job.executor == slots.executor);
            let last = claimed.clone().next_back().map(Position::of);
            let is_full = claimed.count() >= slots.free;
            let last = last.filter(|_| is_full && (is_slow || !after.is_start()));
            self.positions.reached(&slots.executor, last, after.is_start().then_some(began));
        }
    }
}

fn read(rows: &[PgRow]) -> sqlx::Result<Found> {
    let mut found = Found::default();
    for stored in rows {
        found.now = row::instant(stored, "now")?;
        found.is_member = stored.try_get("is_member")?;
        found.next_due = row::optional_instant(stored, "due_at")?;
        if stored.try_get_raw("id")?.is_null() {
            continue;
        }
        match row::job(stored) {
            Ok(job) => found.jobs.push(job),
            Err(error) => found.unreadable.push(write::unreadable(stored, &error)?),
        }
    }
    Ok(found)
}

/// Who looked from the middle of its line and has slots left.
fn unfilled(asked: &[Asked], jobs: &[JobRow]) -> Vec<Asked> {
    let left = |asked: &Asked| {
        let claimed = jobs.iter().filter(|job| job.executor == asked.slots.executor).count();
        let free = asked.slots.free.saturating_sub(claimed);
        let slots = Slots { executor: asked.slots.executor.clone(), free };
        (free > 0 && !asked.after.is_start()).then_some(Asked { slots, after: Position::START })
    };
    asked.iter().filter_map(left).collect()
}

/// `RETURNING` keeps no order: by executor as they were asked, and then as they start.
fn sort(jobs: &mut [JobRow], slots: &[Slots]) {
    let places: HashMap<&str, usize> =
        slots.iter().enumerate().map(|(place, slots)| (slots.executor.as_str(), place)).collect();
    let place = |job: &JobRow| (places.get(job.executor.as_str()).copied(), job.priority, job.scheduled_at);
    jobs.sort_by_key(|job| (place(job), JobId::as_i64(job.id)));
}
