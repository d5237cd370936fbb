//! Due rows that come in one text of JSON, as they will be once they are claimed.

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::JobRow,
    job::{JobId, JobStatus, Lease, NodeId, uniqueness_criteria::UniqueKey},
};
use serde_json::Value;

use super::row::{Problem, Unreadable, instant_of, micros, small_of};

/// A row as `find_due.sql` gives it.
type Found = (
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<String>,
    String,
    Option<String>,
    String,
);

/// Whose they are, and when they were claimed: what is the same for all rows of one text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim<'c> {
    pub(super) executor: &'c str,
    pub(super) node: NodeId,
    pub(super) now: DateTime<Utc>,
}

/// The rows in this text, if it can be read at all.
pub(super) fn read(text: &str, claim: Claim<'_>) -> Option<Vec<Result<JobRow, Unreadable>>> {
    let found: Vec<Found> = serde_json::from_str(text).ok()?;
    let read = |found: Found| {
        let id = JobId::from(found.0);
        read_one(found, claim).map_err(|problem| Unreadable { id, problem })
    };
    Some(found.into_iter().map(read).collect())
}

/// The numbers of the rows in this text, which may have bytes in it that are no text.
pub(super) fn read_ids(text: &[u8]) -> Option<Vec<JobId>> {
    let found: Vec<Vec<Value>> = serde_json::from_str(&String::from_utf8_lossy(text)).ok()?;
    found.iter().map(|row| row.first()?.as_i64().map(JobId::from)).collect()
}

fn read_one(found: Found, claim: Claim<'_>) -> Result<JobRow, Problem> {
    let (id, priority, scheduled_at, attempt, max_attempts, lease, inserted_at, completed, cancelled, discarded, ..) =
        found;
    let (.., cancel_reason, unique_key, tags, metadata, data) = found;
    let instant = |micros: Option<i64>, column| micros.map(|micros| instant_of(micros, column)).transpose();
    Ok(JobRow {
        id: JobId::from(id),
        executor: claim.executor.to_owned().into(),
        status: JobStatus::Executing,
        data,
        metadata,
        // As `claim_found.sql` stores it.
        attempt: small_of(attempt, "attempt")?.saturating_add(1),
        max_attempts: small_of(max_attempts, "max_attempts")?,
        priority: small_of(priority, "priority")?,
        tags: if tags == "[]" { Vec::new() } else { serde_json::from_str(&tags)? },
        errors: Vec::new(),
        lease: Lease(lease.saturating_add(1)),
        node: Some(claim.node),
        cancel_reason,
        unique_key: unique_key.map(|key| key_of(&key)).transpose()?,
        inserted_at: instant_of(inserted_at, "inserted_at")?,
        scheduled_at: instant_of(scheduled_at, "scheduled_at")?,
        attempted_at: Some(instant_of(micros(claim.now), "attempted_at")?),
        completed_at: instant(completed, "completed_at")?,
        cancelled_at: instant(cancelled, "cancelled_at")?,
        discarded_at: instant(discarded, "discarded_at")?,
    })
}

fn key_of(hex: &str) -> Result<UniqueKey, Problem> {
    u128::from_str_radix(hex, 16)
        .ok()
        .filter(|_| hex.len() == 32)
        .map(|key| UniqueKey(key.to_be_bytes()))
        .ok_or_else(|| "column `unique_key`: not 16 bytes".into())
}
