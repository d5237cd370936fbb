//! Due rows that come in one text of JSON, as they are once they are claimed.
//!
//! Heavy ones come without their content, because a text of all of them could be larger than what the node may hold.

use std::{collections::HashMap, fmt, sync::LazyLock};

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{JobRow, lifecycle},
    job::{ExecutorName, JobId, Lease, NodeId, uniqueness_criteria::UniqueKey},
};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use super::row::{self, Problem, Source, Unreadable, in_column, instant_of, small_of, tags_of};

/// `{due_columns}` in a statement: what a due row may have. What few rows have comes together, or not at all; what is the
/// same for all of a statement is left out. In place of its data a heavy row has how many bytes they are.
pub(super) static COLUMNS: LazyLock<String> = LazyLock::new(|| columns("extras ->> 'heavy'"));

/// `{light_columns}`: as `{due_columns}`, but the statement fails at a heavy row, as that of `expect_changes.sql` does.
pub(super) static LIGHT_COLUMNS: LazyLock<String> = LazyLock::new(|| columns("abs(-9223372036854775808)"));

fn columns(in_place_of_heavy_data: &str) -> String {
    let rare = row::RARE.join(", ");
    // Whoever stands in a line has a key.
    let telling: Vec<_> = row::RARE.into_iter().filter(|column| *column != "line").collect();
    let has_rare = telling.iter().map(|column| format!("{column} IS NOT NULL")).collect::<Vec<_>>().join(" OR ");
    let is_light = "extras IS NULL OR NOT json_valid(extras) OR extras ->> 'heavy' IS NULL";
    format!(
        "id, priority, scheduled_at, attempt, max_attempts, lease, inserted_at, \
         CASE WHEN unique_key IS NOT NULL THEN hex(unique_key) END, tags, \
         CASE WHEN {is_light} THEN metadata END, CASE WHEN {is_light} THEN data ELSE {in_place_of_heavy_data} END, \
         CASE WHEN {has_rare} THEN json_array({rare}) END"
    )
}

type Due = (i64, i64, i64, i64, i64, i64, i64, Option<String>, String, Option<String>, Data, Option<Rare>);

/// The data, or how many bytes a heavy row has.
enum Data {
    Light(String),
    Heavy(usize),
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Data;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("data, or their length")
            }

            fn visit_str<E: de::Error>(self, data: &str) -> Result<Data, E> {
                Ok(Data::Light(data.to_owned()))
            }

            fn visit_string<E: de::Error>(self, data: String) -> Result<Data, E> {
                Ok(Data::Light(data))
            }

            fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<Data, E> {
                Ok(Data::Heavy(usize::try_from(bytes).unwrap_or(usize::MAX)))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

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

/// The rows in a text.
pub(super) struct Found {
    pub(super) jobs: Vec<Result<JobRow, Unreadable>>,
    /// Those without their content, and how many bytes that has.
    pub(super) heavy: HashMap<JobId, usize>,
}

/// The rows in this text, if it can be read at all.
pub(super) fn read(text: &str, claim: Claim<'_>) -> Option<Found> {
    let rows: Vec<Due> = serde_json::from_str(text).ok()?;
    let mut heavy = HashMap::new();
    let read = |row: Due| {
        let id = JobId::from(row.0);
        if let Data::Heavy(bytes) = row.10 {
            heavy.insert(id, bytes);
        }
        read_one(row, claim).map_err(|problem| Unreadable { id, problem })
    };
    let jobs = rows.into_iter().map(read).collect();
    Some(Found { jobs, heavy })
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
    (job.metadata, job.data) = match data {
        Data::Light(data) => (metadata, data),
        Data::Heavy(_) => (None, String::new()),
    };
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
