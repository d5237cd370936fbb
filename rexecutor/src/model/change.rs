//! What is to change in a stored job.

use chrono::{DateTime, Utc};

use super::{row::JobRow, unique::Unique};

/// What is to change in a stored job that does not run: all that it names takes the place of what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobChange {
    /// The data, as JSON.
    pub data: String,
    /// The metadata, as JSON.
    pub metadata: Option<String>,
    /// How many attempts it has.
    pub max_attempts: u16,
    /// Lower numbers start first.
    pub priority: u16,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// When it is due.
    pub scheduled_at: DateTime<Utc>,
    /// What it is compared by.
    pub key: KeyChange,
    /// The key that it belongs to.
    pub group_key: Option<String>,
    /// How many tokens it costs; `None`: one.
    pub weight: Option<u32>,
}

/// What becomes of the key that a stored job is compared by, if it is unique.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyChange {
    /// It stays.
    #[default]
    Keep,
    /// It is this one, unless another job is in the way. [`Unique::on_conflict`] changes nothing here.
    Set(Unique),
    /// The job has none any more.
    Remove,
}

impl JobChange {
    /// One that leaves `row` as it is, to be changed field by field.
    pub fn of(row: &JobRow) -> Self {
        Self {
            data: row.data.clone(),
            metadata: row.metadata.clone(),
            max_attempts: row.max_attempts,
            priority: row.priority,
            tags: row.tags.clone(),
            scheduled_at: row.scheduled_at,
            key: KeyChange::Keep,
            group_key: row.extras.group_key.clone(),
            weight: row.extras.weight,
        }
    }
}
