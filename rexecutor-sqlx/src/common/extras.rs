//! What few jobs have: one JSON object in a column, and nothing for all others.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{Extra, Headers, JobRow, Task},
    job::FlowId,
    limits::is_storable,
    workflows::RunWhen,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

type Problem = Box<dyn std::error::Error + Send + Sync>;

/// The column. What another version of the program has put into it stays there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Stored<'j> {
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Cow<'j, Headers>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flow: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<StoredTask<'j>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tick_at: Option<i64>,
    /// What a batch had come to, of its callback.
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<Cow<'j, str>>,
    /// SQL looks for it by this name, where jobs cost tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<u32>,
    /// On SQLite; PostgreSQL, which cannot change a part of a text, has a column for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_reason: Option<Cow<'j, str>>,
    /// How many bytes of data and metadata a heavy row has, on SQLite.
    #[serde(skip_serializing_if = "Option::is_none")]
    heavy: Option<usize>,
}

impl<'j> Stored<'j> {
    pub(crate) fn of(extra: &'j Extra, heavy: Option<usize>) -> Self {
        Self {
            headers: Some(&extra.headers).filter(|headers| !headers.is_empty()).map(Cow::Borrowed),
            flow: extra.flow.map(|flow| flow.0),
            task: extra.task.as_deref().map(StoredTask::of),
            tick_at: extra.tick_at.map(|at| at.timestamp_micros()),
            summary: extra.summary.as_deref().map(Cow::Borrowed),
            weight: extra.weight,
            cancel_reason: extra.cancel_reason.as_deref().map(Cow::Borrowed),
            heavy,
        }
    }

    /// The text that is stored: none, where there is nothing to say.
    pub(crate) fn encode(&self) -> Option<String> {
        (*self != Self::default()).then(|| json!(self).to_string())
    }

    /// Adds what is stored to a job.
    pub(crate) fn add(stored: &str, job: &mut JobRow) -> Result<(), Problem> {
        // A list would be read as an object without names.
        if !stored.starts_with('{') {
            return Err("not a JSON object".into());
        }
        let stored = serde_json::from_str::<Stored<'static>>(stored)?;
        let Self { headers, flow, task, tick_at, weight, summary, cancel_reason, heavy: _ } = stored;
        let tick_at = tick_at.map(instant_of).transpose()?;
        let extras = &mut job.extras;
        extras.set(|extra| &mut extra.headers, headers.map(Cow::into_owned).unwrap_or_default());
        extras.set(|extra| &mut extra.flow, flow.map(FlowId));
        extras.set(|extra| &mut extra.task, task.map(|task| Box::new(task.task())));
        extras.set(|extra| &mut extra.tick_at, tick_at);
        extras.set(|extra| &mut extra.summary, summary.map(Cow::into_owned));
        extras.set(|extra| &mut extra.weight, weight);
        extras.set(|extra| &mut extra.cancel_reason, cancel_reason.map(Cow::into_owned));
        Ok(())
    }
}

/// A task, but for what it comes after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct StoredTask<'j> {
    name: Cow<'j, str>,
    #[serde(default)]
    run_when: RunWhen,
    #[serde(default)]
    joins: bool,
}

impl<'j> StoredTask<'j> {
    fn of(task: &'j Task) -> Self {
        Self { name: Cow::Borrowed(&task.name), run_when: task.run_when, joins: task.joins }
    }

    fn task(self) -> Task {
        let Self { name, run_when, joins } = self;
        Task::new(name).with_after(None::<String>, joins).with_run_when(run_when)
    }
}

/// An instant that a job can have.
fn instant_of(micros: i64) -> Result<DateTime<Utc>, Problem> {
    let instant = DateTime::from_timestamp_micros(micros).filter(|instant| is_storable(*instant));
    instant.ok_or_else(|| format!("{micros} microseconds after 1970 is no time in the years 1 to 9999").into())
}
