//! What a job must be like for a test.

use chrono::{DateTime, SecondsFormat, Utc};

use crate::model::{Filter, JobRow};

/// What a test expects: how many jobs, and what each of them is like.
pub(super) struct Wanted<'a> {
    pub(super) kind: Kind,
    pub(super) count: Option<usize>,
    pub(super) conditions: Vec<Condition<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Enqueued,
    Refuted,
    Executed,
}

/// One thing that a job must be like.
pub(super) struct Condition<'a> {
    pub(super) field: Field,
    /// What is wanted, in words.
    pub(super) wanted: String,
    pub(super) test: Test<'a>,
}

pub(super) enum Test<'a> {
    Filter(Filter),
    Priority(u16),
    /// A wish about the decoded data; the error says why they cannot be decoded.
    Data(DataTest<'a>),
}

type DataTest<'a> = Box<dyn Fn(&str) -> Result<bool, serde_json::Error> + Send + Sync + 'a>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Executor,
    Status,
    Priority,
    Due,
    Data,
    Metadata,
    Tags,
}

impl Condition<'_> {
    pub(super) fn is_met_by(&self, row: &JobRow) -> bool {
        match &self.test {
            // None of the filters here goes by the present.
            Test::Filter(filter) => filter.matches(row, row.inserted_at),
            Test::Priority(priority) => row.priority == *priority,
            Test::Data(test) => test(&row.data).unwrap_or(false),
        }
    }
}

/// An instant as failures show it.
pub(super) fn shown(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
