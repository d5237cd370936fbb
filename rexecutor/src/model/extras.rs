//! What few jobs have.

use std::{fmt, ops::Deref};

use chrono::{DateTime, Utc};

use super::{headers::Headers, id::FlowId, new_job::Deadline, order::OnDiscard, task::Task};

/// What few jobs have. It is a pointer, and a null one for all others: what a plain job weighs decides how fast many of
/// them are.
///
/// ```
/// use rexecutor::backend::Extras;
///
/// let mut extras = Extras::default();
/// assert_eq!(extras.output, None);
/// extras.set(|extra| &mut extra.output, Some("42".to_owned()));
/// assert_eq!(extras.output.as_deref(), Some("42"));
/// ```
#[derive(Clone, Default)]
pub struct Extras(Option<Box<Extra>>);

/// One job's [`Extras`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extra {
    /// What travels with it.
    pub headers: Headers,
    /// Jobs of one executor with the same key belong together, for limits of so many a key.
    pub group_key: Option<String>,
    /// That jobs with its key run one after another, in the order of their numbers; and what becomes of those behind it when
    /// it is discarded. Claims need not read it.
    pub order: Option<OnDiscard>,
    /// How many tokens it costs of each rate that it keeps to, if its executor [weighs](super::cluster_limits::ClusterLimits::weighs)
    /// its jobs; `None`: one.
    pub weight: Option<u32>,
    /// The flow that it is a part of.
    pub flow: Option<FlowId>,
    /// Its place in the flow, if that is a workflow.
    pub task: Option<Box<Task>>,
    /// After which time it neither starts nor runs on: once it is stored, always an instant.
    pub deadline: Option<Deadline>,
    /// The tick of a schedule that it was enqueued for.
    pub tick_at: Option<DateTime<Utc>>,
    /// What it gave when it succeeded, as JSON. Claims do not read it.
    pub output: Option<String>,
    /// How many jobs of its executor may wait with it. It is looked at when the job is enqueued, and not stored.
    pub max_pending: Option<usize>,
    /// What a batch had come to when it was enqueued as the batch's callback: a [`BatchSummary`](super::BatchSummary) as JSON.
    pub summary: Option<String>,
    /// Why it is to stop, once somebody asked while it was executing; why it was cancelled, afterwards.
    pub cancel_reason: Option<String>,
}

static NONE: Extra = Extra {
    headers: Headers::NONE,
    group_key: None,
    order: None,
    weight: None,
    flow: None,
    task: None,
    deadline: None,
    tick_at: None,
    output: None,
    max_pending: None,
    summary: None,
    cancel_reason: None,
};

impl Extras {
    /// Sets a field. To set nothing where there is nothing costs nothing.
    pub fn set<T: Default + PartialEq>(&mut self, field: impl FnOnce(&mut Extra) -> &mut T, value: T) {
        if self.0.is_some() || value != T::default() {
            *field(self.edit()) = value;
        }
    }

    /// Whether there is nothing, as for most jobs.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn edit(&mut self) -> &mut Extra {
        self.0.get_or_insert_default()
    }
}

impl Deref for Extras {
    type Target = Extra;

    fn deref(&self) -> &Extra {
        self.0.as_deref().unwrap_or(&NONE)
    }
}

impl PartialEq for Extras {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Extras {}

impl fmt::Debug for Extras {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
