//! What few jobs have, on its way into the table.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{Deadline, Extras, JobRow, Marks, OnDiscard},
    job::JobStatus,
};
use serde_json::{Value, json};

use super::{queries, row::micros};
use crate::common::Stored;

/// Of how many bytes of data and metadata a row is heavy.
pub(super) const HEAVY: usize = 64 * 1024;

/// What a change of status may change of the column.
pub(super) fn state_of(extras: &Extras) -> Value {
    json!({ "cancel_reason": extras.cancel_reason })
}

/// What a change of the content may change of it.
pub(super) fn size_of(job: &JobRow) -> Value {
    json!({ "heavy": heavy(job.content_bytes()), "weight": job.extras.weight })
}

pub(super) fn heavy(bytes: usize) -> Option<usize> {
    (bytes > HEAVY).then_some(bytes)
}

/// What sets a new job apart from a plain one in the table.
#[derive(PartialEq, Clone)]
pub(super) struct NewExtras<'j> {
    is_blocked: bool,
    deadline_at: Option<i64>,
    group_key: Option<&'j str>,
    line: Option<i16>,
    flow: Option<i64>,
    stored: Stored<'j>,
}

impl<'j> NewExtras<'j> {
    /// `None`: nothing does.
    pub(super) fn of(is_blocked: bool, extras: &'j Extras, bytes: usize, now: DateTime<Utc>) -> Option<Self> {
        let heavy = heavy(bytes);
        if !is_blocked && heavy.is_none() && extras.is_empty() {
            return None;
        }
        let deadline_at = extras.deadline.map(|deadline: Deadline| micros(deadline.at(now)));
        let group_key = extras.group_key.as_deref();
        let line = extras.order.map(OnDiscard::stored);
        let flow = extras.flow.map(|flow| flow.0);
        Some(Self { is_blocked, deadline_at, group_key, line, flow, stored: Stored::of(extras, heavy) })
    }

    /// In the order of the columns.
    fn values(&self) -> [Value; COLUMNS.len()] {
        let status = if self.is_blocked { JobStatus::Blocked } else { JobStatus::Scheduled };
        let marks = self.flow.and(Marks::MEMBER.stored());
        [
            json!(status.as_str()),
            json!(self.deadline_at),
            json!(self.group_key),
            json!(self.line),
            json!(self.flow),
            json!(marks),
            json!(self.stored.encode()),
        ]
    }

    /// … of a job that may have none.
    pub(super) fn values_of(new: Option<&Self>) -> [Value; COLUMNS.len()] {
        let plain = || {
            let mut values = [const { Value::Null }; COLUMNS.len()];
            values[0] = json!(JobStatus::Scheduled.as_str());
            values
        };
        new.map_or_else(plain, Self::values)
    }
}

const COLUMNS: [&str; 7] = ["status", "deadline_at", "group_key", "line", "flow", "marks", "extras"];

/// The statement that inserts jobs of which at least one has extras.
pub(super) static INSERT: LazyLock<String> = LazyLock::new(|| {
    let columns: String = COLUMNS.iter().map(|name| format!(", {name}")).collect();
    let values: String = (PLAIN_VALUES..).take(COLUMNS.len()).map(|place| format!(", value ->> {place}")).collect();
    queries::insert_jobs().replace("{extra_columns}", &columns).replace("{extra_values}", &values)
});

/// … and for jobs that have none: to look for them would take half as long again.
pub(super) static INSERT_PLAIN: LazyLock<String> =
    LazyLock::new(|| queries::insert_jobs().replace("{extra_columns}", "").replace("{extra_values}", ""));

/// How many values every job has.
pub(super) const PLAIN_VALUES: usize = 9;
