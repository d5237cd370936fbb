//! The statements of a claim.

use std::time::Duration;

use rexecutor::{
    backend::{Demand, Held, JobRow},
    job::NodeId,
};
use sqlx::{PgConnection, Row, ValueRef, postgres::PgRow};

use super::{backend::Database, claim_cursors::Cursor, row, write};

/// By what a claim ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// The number of jobs. It fails at a [large](super::large) one.
    Number,
    /// Their number, and their bytes.
    Bytes,
}

/// What a claim gave.
#[derive(Default)]
pub(super) struct Found {
    pub(super) jobs: Vec<JobRow>,
    pub(super) unreadable: Vec<write::Unreadable>,
    pub(super) next_due_in: Option<Duration>,
    /// Of whom a limit keeps due jobs back.
    pub(super) held: Vec<Held>,
    pub(super) is_member: bool,
    /// The node's process must read the controls before it claims anything.
    pub(super) is_outdated: bool,
}

impl Found {
    /// The rows that cannot be read. Others may be due in their place: the node asks again at once.
    pub(super) fn take_unreadable(&mut self) -> Vec<write::Unreadable> {
        if !self.unreadable.is_empty() {
            self.next_due_in = Some(Duration::ZERO);
        }
        std::mem::take(&mut self.unreadable)
    }

    /// Adds what a later statement gave, which has the last word on the node.
    pub(super) fn add(&mut self, more: Self) {
        self.jobs.extend(more.jobs);
        self.unreadable.extend(more.unreadable);
        self.held.extend(more.held);
        self.next_due_in = self.next_due_in.into_iter().chain(more.next_due_in).min();
        (self.is_member, self.is_outdated) = (more.is_member, more.is_outdated);
    }
}

impl Database {
    /// Claims from the start of each queue; also tells when the next job is due, and whether the node may claim at all.
    pub(super) async fn scan(
        &self,
        connection: &mut PgConnection,
        node: NodeId,
        demands: &[Demand],
        by: By,
    ) -> sqlx::Result<Found> {
        let query = match by {
            By::Number => self.query(&self.queries.claim_jobs),
            By::Bytes => self.query(&self.queries.claim_large_jobs),
        };
        let query = query.bind(self.now()).bind(node.0).bind(executors(demands)).bind(limits(demands));
        let query = if by == By::Bytes { query.bind(bytes(demands)) } else { query };
        let rows = query.fetch_all(connection).await?;
        let Some(first) = rows.first() else { return Err(sqlx::Error::RowNotFound) };
        let now = row::instant(first, "now")?;
        // It comes from a row that was not claimed: one that is due at 'infinity' is never due, and fails nobody's claim.
        let next_due = row::optional_instant(first, "due_at").ok().flatten();
        let is_outdated: Option<bool> = first.try_get("is_outdated")?;
        let mut found = self.read(node, &rows, demands)?;
        if by == By::Bytes {
            self.large.note(demands, &found.jobs);
        }
        found.next_due_in = next_due.and_then(|at| (at - now).to_std().ok());
        (found.is_member, found.is_outdated) = (is_outdated.is_some(), is_outdated == Some(true));
        Ok(found)
    }

    /// Claims from where the last claims ended.
    pub(super) async fn claim_from_cursors(
        &self,
        connection: &mut PgConnection,
        node: NodeId,
        asked: &[(Demand, Cursor)],
    ) -> sqlx::Result<Found> {
        let demands: Vec<Demand> = asked.iter().map(|(demand, _)| demand.clone()).collect();
        let query = self
            .query(&self.queries.claim_from_cursors)
            .bind(self.now())
            .bind(node.0)
            .bind(executors(&demands))
            .bind(limits(&demands))
            .bind(asked.iter().map(|(_, after)| after.priority).collect::<Vec<_>>())
            .bind(asked.iter().map(|(_, after)| after.at).collect::<Vec<_>>())
            .bind(asked.iter().map(|(_, after)| after.id).collect::<Vec<_>>());
        let mut found = self.read(node, &query.fetch_all(connection).await?, &demands)?;
        found.is_member = !found.jobs.is_empty();
        Ok(found)
    }

    pub(super) fn read(&self, node: NodeId, rows: &[PgRow], demands: &[Demand]) -> sqlx::Result<Found> {
        let (mut found, mut locations) = (Found::default(), Vec::with_capacity(rows.len()));
        for stored in rows {
            if stored.try_get_raw(0)?.is_null() {
                continue;
            }
            match row::claimed_job(stored, node, demands) {
                Ok(job) => {
                    locations.push(((job.id, job.lease), stored.try_get::<&str, _>(row::COUNT)?.into()));
                    found.jobs.push(job);
                }
                Err(error) => found.unreadable.push(write::unreadable(stored, &error)?),
            }
        }
        self.locations.remember(locations);
        Ok(found)
    }
}

fn executors(demands: &[Demand]) -> Vec<String> {
    demands.iter().map(|demand| demand.executor.to_string()).collect()
}

fn limits(demands: &[Demand]) -> Vec<i64> {
    demands.iter().map(|demand| i64::try_from(demand.limit).unwrap_or(i64::MAX)).collect()
}

fn bytes(demands: &[Demand]) -> Vec<i64> {
    demands.iter().map(|demand| i64::try_from(demand.max_bytes).unwrap_or(i64::MAX)).collect()
}
