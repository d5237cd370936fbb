//! Due rows that come in one text of JSON, as they are once they are claimed.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{JobRow, lifecycle},
    job::{ExecutorName, JobId, Lease, NodeId, uniqueness_criteria::UniqueKey},
};
use serde::Deserialize;
use serde_json::Value;

use super::row::{self, Problem, Source, Unreadable, in_column, instant_of, small_of, tags_of};

/// `{due_columns}` in a statement: what a due row may have. What few rows have comes together, or not at all; what is the
/// same for all of a statement is left out.
pub(super) static COLUMNS: LazyLock<String> = LazyLock::new(|| {
    let rare = row::RARE.join(", ");
    format!(
        "id, priority, scheduled_at, attempt, max_attempts, lease, inserted_at, \
         CASE WHEN unique_key IS NOT NULL THEN hex(unique_key) END, tags, metadata, data, \
         CASE WHEN coalesce({rare}) IS NOT NULL THEN json_array({rare}) END"
    )
});

type Due = (i64, i64, i64, i64, i64, i64, i64, Option<String>, String, Option<String>, String, Option<Rare>);

/// What few rows have, in the order of [`row::RARE`].
#[derive(Deserialize)]
struct Rare(Vec<Value>);

impl Rare {
    fn value(&self, column: &str) -> &Value {
        let place = row::RARE.iter().position(|name| *name == column);
        place.and_then(|place| self.0.get(place)).unwrap_or(&Value::Null)
    }
}

impl Source for Rare {
    fn integer(&self, column: &'static str) -> Result<Option<i64>, Problem> {
        in_column(column, Option::deserialize(self.value(column)))
    }

    fn string(&self, column: &'static str) -> Result<Option<String>, Problem> {
        in_column(column, Option::deserialize(self.value(column)))
    }
}

/// Whose they are, and when they were claimed: what is the same for all rows of one text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim<'c> {
    pub(super) executor: &'c ExecutorName,
    pub(super) node: NodeId,
    pub(super) now: DateTime<Utc>,
}

/// The rows in this text, if it can be read at all.
pub(super) fn read(text: &str, claim: Claim<'_>) -> Option<Vec<Result<JobRow, Unreadable>>> {
    let found: Vec<Due> = serde_json::from_str(text).ok()?;
    let read = |found: Due| {
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

fn read_one(due: Due, claim: Claim<'_>) -> Result<JobRow, Problem> {
    let (id, priority, scheduled_at, attempt, max_attempts, lease, inserted_at, key, tags, metadata, data, rare) = due;
    let mut job = JobRow::empty(JobId::from(id), claim.executor.clone());
    job.priority = small_of(priority, "priority")?;
    job.scheduled_at = instant_of(scheduled_at, "scheduled_at")?;
    job.attempt = small_of(attempt, "attempt")?;
    job.max_attempts = small_of(max_attempts, "max_attempts")?;
    job.lease = Lease(lease);
    job.inserted_at = instant_of(inserted_at, "inserted_at")?;
    job.unique_key = key.map(|key| key_of(&key)).transpose()?;
    job.tags = tags_of(&tags)?;
    (job.metadata, job.data) = (metadata, data);
    if let Some(rare) = rare {
        row::read_rare(&mut job, &rare)?;
    }
    lifecycle::claim(&mut job, claim.node, claim.now);
    Ok(job)
}

fn key_of(hex: &str) -> Result<UniqueKey, Problem> {
    u128::from_str_radix(hex, 16)
        .ok()
        .filter(|_| hex.len() == 32)
        .map(|key| UniqueKey(key.to_be_bytes()))
        .ok_or_else(|| "column `unique_key`: not 16 bytes".into())
}
