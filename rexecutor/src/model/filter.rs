//! Which jobs are meant: the untyped form of [`Where`](crate::job::query::Where).

use chrono::{DateTime, Utc};

use super::{
    id::{ExecutorName, JobId, NodeId},
    marks::Marks,
    row::JobRow,
    status::JobStatus,
    time::ago,
};
use crate::json::Json;

/// A condition on stored jobs.
///
/// Each backend translates it; [`Filter::matches`] says what it means, and [`Filter::check`] what is refused.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Filter {
    /// All of them hold; true when there are none.
    All(Vec<Filter>),
    /// One of them holds at least; false when there are none.
    Any(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// The job is of this executor.
    Executor(ExecutorName),
    /// The data are this value.
    Data(Json),
    /// The metadata are this value; a job without metadata matches none.
    Metadata(Json),
    /// The job is one of these.
    IdIn(Vec<JobId>),
    /// The status is one of these.
    StatusIn(Vec<JobStatus>),
    /// The job has one of these marks at least.
    Marked(Marks),
    /// It was discarded, and halts the line of its key.
    HaltsLine,
    /// The job has all of these tags.
    TagsAllOf(Vec<String>),
    /// The job has one of these tags at least.
    TagsOneOf(Vec<String>),
    /// It is due before this instant.
    ScheduledBefore(DateTime<Utc>),
    /// It is due after this instant.
    ScheduledAfter(DateTime<Utc>),
    /// It is due at this very instant.
    ScheduledAt(DateTime<Utc>),
    /// It became due, or becomes due, more than this long ago by the backend's clock.
    ScheduledOlderThan(chrono::TimeDelta),
    /// It was due less than this long ago by the backend's clock, or is due in the future.
    ScheduledWithinTheLast(chrono::TimeDelta),
    /// It was enqueued before this instant.
    InsertedBefore(DateTime<Utc>),
    /// It was enqueued after this instant.
    InsertedAfter(DateTime<Utc>),
    /// It was completed, cancelled or discarded before this instant.
    FinishedBefore(DateTime<Utc>),
    /// It was completed, cancelled or discarded after this instant.
    FinishedAfter(DateTime<Utc>),
    /// It has this priority.
    Priority(u16),
    /// It runs on this node.
    Node(NodeId),
    /// This text stands in its data, as they are stored. Case matters.
    DataContains(String),
    /// This text stands in one of its recorded errors, in the type or in the details. Case matters.
    ErrorContains(String),
}

impl Filter {
    /// Whether `row` meets the condition at `now`: the reference for every backend.
    ///
    /// Data that are not JSON equal nothing. Two numbers are equal when they are written alike: `1` is not `1.0`.
    pub fn matches(&self, row: &JobRow, now: DateTime<Utc>) -> bool {
        match self {
            Self::All(filters) => filters.iter().all(|filter| filter.matches(row, now)),
            Self::Any(filters) => filters.iter().any(|filter| filter.matches(row, now)),
            Self::Not(filter) => !filter.matches(row, now),
            Self::Executor(name) => row.executor == *name,
            Self::Data(value) => value.equals(&row.data),
            Self::Metadata(value) => row.metadata.as_ref().is_some_and(|metadata| value.equals(metadata)),
            Self::IdIn(ids) => ids.contains(&row.id),
            Self::StatusIn(statuses) => statuses.contains(&row.status),
            Self::Marked(marks) => row.marks.intersects(*marks),
            Self::HaltsLine => row.halts_line(),
            Self::TagsAllOf(tags) => tags.iter().all(|tag| row.tags.contains(tag)),
            Self::TagsOneOf(tags) => tags.iter().any(|tag| row.tags.contains(tag)),
            Self::ScheduledBefore(at) => row.scheduled_at < *at,
            Self::ScheduledAfter(at) => row.scheduled_at > *at,
            Self::ScheduledAt(at) => row.scheduled_at == *at,
            Self::ScheduledOlderThan(age) => row.scheduled_at < ago(now, *age),
            Self::ScheduledWithinTheLast(age) => row.scheduled_at > ago(now, *age),
            Self::InsertedBefore(at) => row.inserted_at < *at,
            Self::InsertedAfter(at) => row.inserted_at > *at,
            Self::FinishedBefore(at) => row.finished_at().is_some_and(|finished| finished < *at),
            Self::FinishedAfter(at) => row.finished_at().is_some_and(|finished| finished > *at),
            Self::Priority(priority) => row.priority == *priority,
            Self::Node(node) => row.node == Some(*node),
            Self::DataContains(text) => row.data.contains(text),
            Self::ErrorContains(text) => row.errors.iter().any(|error| error.mentions(text)),
        }
    }
}
