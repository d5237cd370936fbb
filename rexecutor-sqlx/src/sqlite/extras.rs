//! What few jobs have: one JSON object in a column, and nothing for all others.

use std::{borrow::Cow, sync::LazyLock};

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{Deadline, Extra, Extras, Headers, JobRow},
    job::{FlowId, JobStatus},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    queries,
    row::{Problem, instant_of, micros},
};

/// Of how many bytes of data and metadata a row is heavy.
pub(super) const HEAVY: usize = 64 * 1024;

/// The column. What another version of the program has put into it stays there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Stored<'j> {
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Cow<'j, Headers>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flow: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tick_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_reason: Option<Cow<'j, str>>,
    /// How many bytes of data and metadata a heavy row has.
    #[serde(skip_serializing_if = "Option::is_none")]
    heavy: Option<usize>,
}

impl<'j> Stored<'j> {
    fn of(extra: &'j Extra, heavy: Option<usize>) -> Self {
        Self {
            headers: Some(&extra.headers).filter(|headers| !headers.is_empty()).map(Cow::Borrowed),
            flow: extra.flow.map(|flow| flow.0),
            tick_at: extra.tick_at.map(micros),
            cancel_reason: extra.cancel_reason.as_deref().map(Cow::Borrowed),
            heavy,
        }
    }

    /// What a change of status may change of it.
    pub(super) fn state_of(extras: &Extras) -> Value {
        json!({ "cancel_reason": extras.cancel_reason })
    }

    /// What a change of the content may change of it.
    pub(super) fn size_of(job: &JobRow) -> Value {
        json!({ "heavy": heavy(job.content_bytes()) })
    }

    /// Adds it to a job.
    pub(super) fn add_to(self, job: &mut JobRow) -> Result<(), Problem> {
        let Self { headers, flow, tick_at, cancel_reason, heavy: _ } = self;
        let tick_at = tick_at.map(|at| instant_of(at, "extras")).transpose()?;
        let extras = &mut job.extras;
        extras.set(|extra| &mut extra.headers, headers.map(Cow::into_owned).unwrap_or_default());
        extras.set(|extra| &mut extra.flow, flow.map(FlowId));
        extras.set(|extra| &mut extra.tick_at, tick_at);
        extras.set(|extra| &mut extra.cancel_reason, cancel_reason.map(Cow::into_owned));
        Ok(())
    }
}

fn heavy(bytes: usize) -> Option<usize> {
    (bytes > HEAVY).then_some(bytes)
}

/// What sets a new job apart from a plain one in the table.
#[derive(PartialEq, Clone)]
pub(super) struct NewExtras<'j> {
    is_blocked: bool,
    deadline_at: Option<i64>,
    group_key: Option<&'j str>,
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
        Some(Self { is_blocked, deadline_at, group_key, stored: Stored::of(extras, heavy) })
    }

    /// In the order of the columns.
    fn values(&self) -> [Value; COLUMNS.len()] {
        let status = if self.is_blocked { JobStatus::Blocked } else { JobStatus::Scheduled };
        let stored = (self.stored != Stored::default()).then(|| json!(self.stored).to_string());
        [json!(status.as_str()), json!(self.deadline_at), json!(self.group_key), json!(stored)]
    }

    /// … of a job that may have none.
    pub(super) fn values_of(new: Option<&Self>) -> [Value; COLUMNS.len()] {
        new.map_or([json!(JobStatus::Scheduled.as_str()), Value::Null, Value::Null, Value::Null], Self::values)
    }
}

const COLUMNS: [&str; 4] = ["status", "deadline_at", "group_key", "extras"];

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
