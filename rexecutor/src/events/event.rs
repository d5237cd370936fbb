//! Events, as programs are given them.

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::model::{
    ErrorType, EventKind, EventRow, ExecutorName, Failure, JobError, JobId, NodeId, Pause, Progress, Scope,
};

/// Something that has happened. As JSON it is one flat object, whose `event` is the [kind](EventKind).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// To a job.
    Job(JobChanged),
    /// An executor, nodes, a tag, or the whole cluster were paused.
    #[non_exhaustive]
    Paused {
        /// When, by the backend's clock.
        at: DateTime<Utc>,
        /// What is paused.
        scope: Scope,
        /// Why, by whom, and for how long.
        pause: Pause,
    },
    /// Somebody has ended a pause, or closed the circuit breaker of an executor. A pause that ends by itself is not told of.
    #[non_exhaustive]
    Resumed {
        /// When, by the backend's clock.
        at: DateTime<Utc>,
        /// What was paused.
        scope: Scope,
    },
    /// Events were lost before the next one: whoever shows the state of jobs reads it anew.
    #[non_exhaustive]
    Lagged {
        /// How many this stream would have given, if it was polled too seldom. `None`: nobody knows how many, because the database was
        /// away or the process stood still.
        missed: Option<u64>,
    },
}

/// What has happened to a job.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobChanged {
    /// When, by the backend's clock.
    pub at: DateTime<Utc>,
    /// The job.
    pub job: JobId,
    /// Whose job it is.
    pub executor: ExecutorName,
    /// The attempt that runs or ran last; 0 before the first.
    pub attempt: u16,
    /// Its tags.
    pub tags: Vec<String>,
    /// What has happened to it.
    pub change: Change,
}

/// What has happened to a job.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// It was enqueued.
    #[non_exhaustive]
    Enqueued {
        /// When it is due; `None`: it is blocked, or has begun meanwhile.
        due_at: Option<DateTime<Utc>>,
    },
    /// A node has claimed it, and its attempt begins: at once, or some milliseconds later where it was claimed ahead.
    #[non_exhaustive]
    Started {
        /// The node.
        node: Option<NodeId>,
    },
    /// It has said how far it has got, or has logged something: the newest, four times a second at most.
    #[non_exhaustive]
    Progress {
        /// What it says.
        progress: Progress,
    },
    /// It is complete.
    #[non_exhaustive]
    Completed,
    /// Its attempt failed, and another one follows.
    #[non_exhaustive]
    Retried {
        /// What went wrong.
        error: JobError,
        /// When the next attempt is due.
        due_at: DateTime<Utc>,
    },
    /// It is discarded: its last attempt failed, or its deadline has come.
    #[non_exhaustive]
    Discarded {
        /// What went wrong.
        error: JobError,
    },
    /// It is cancelled.
    #[non_exhaustive]
    Cancelled {
        /// Why.
        reason: Option<String>,
    },
    /// Somebody has asked it to stop while it runs.
    #[non_exhaustive]
    CancelRequested {
        /// Why.
        reason: Option<String>,
    },
    /// It runs again later, because it says so.
    #[non_exhaustive]
    Snoozed {
        /// When it is due again.
        due_at: DateTime<Utc>,
    },
    /// It has learned of a quota, and runs again later, as do the other jobs of its executor or of its key.
    #[non_exhaustive]
    Throttled {
        /// When it is due again.
        due_at: DateTime<Utc>,
    },
    /// A program could not read it, and it waits for another version.
    #[non_exhaustive]
    Deferred {
        /// What does not decode, the first time.
        error: Option<JobError>,
        /// When it is due again.
        due_at: DateTime<Utc>,
    },
    /// It waits in one of its steps.
    #[non_exhaustive]
    Suspended {
        /// When it runs again, if no signal comes before; `None`: when a signal comes.
        due_at: Option<DateTime<Utc>>,
    },
    /// A node gives it back that has not run it, or not to the end.
    #[non_exhaustive]
    GivenBack {
        /// When it is due again.
        due_at: DateTime<Utc>,
    },
    /// It was blocked and may run now: those before it have ended, a signal has come, or somebody has released it.
    #[non_exhaustive]
    Released {
        /// When it is due; `None`: it stays as it is, and those behind it in its line may run.
        due_at: Option<DateTime<Utc>>,
    },
    /// Somebody runs it again.
    #[non_exhaustive]
    Rerun {
        /// When it is due; `None`: when those before it have ended.
        due_at: Option<DateTime<Utc>>,
    },
    /// Its data, or whatever else was given with it, are others now.
    #[non_exhaustive]
    Updated,
    /// Somebody has deleted it.
    #[non_exhaustive]
    Deleted,
}

impl Event {
    /// What a backend has given; `None`: it cannot be read.
    pub(super) fn of(row: EventRow) -> Option<Self> {
        let Some(job) = row.job else {
            let (scope, pause) = row.pause()?;
            return Some(match pause {
                Some(pause) => Self::Paused { at: row.at, scope, pause },
                None => Self::Resumed { at: row.at, scope },
            });
        };
        let change = Change::of(&row)?;
        let EventRow { at, executor, attempt, tags, .. } = row;
        Some(Self::Job(JobChanged { at, job, executor, attempt, tags, change }))
    }

    /// Which kind of event it is; `None`: it says that others were lost.
    pub fn kind(&self) -> Option<EventKind> {
        match self {
            Self::Job(job) => Some(job.change.kind()),
            Self::Paused { .. } => Some(EventKind::Paused),
            Self::Resumed { .. } => Some(EventKind::Resumed),
            Self::Lagged { .. } => None,
        }
    }

    /// The same as JSON.
    pub fn to_json(&self) -> Value {
        let mut json = match self {
            Self::Job(changed) => {
                let JobChanged { at, job, executor, attempt, tags, change } = changed;
                let mut json = change.to_json();
                json["at"] = json!(at);
                json["job"] = json!(job);
                json["executor"] = json!(executor.as_str());
                json["attempt"] = json!(attempt);
                json["tags"] = json!(tags);
                json
            }
            Self::Paused { at, scope, pause } => paused(*at, scope, Some(pause)),
            Self::Resumed { at, scope } => paused(*at, scope, None),
            Self::Lagged { missed } => json!({ "missed": missed }),
        };
        json["event"] = json!(self.kind().map_or("lagged", EventKind::as_str));
        json
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

fn paused(at: DateTime<Utc>, scope: &Scope, pause: Option<&Pause>) -> Value {
    let mut json: Value = serde_json::from_str(&EventRow::encode_pause(scope, pause)).unwrap_or_else(|_| json!({}));
    json["at"] = json!(at);
    json
}

impl Change {
    fn of(row: &EventRow) -> Option<Self> {
        let (due_at, reason) = (row.due_at, || row.detail.clone());
        let at_last = due_at.unwrap_or(row.at);
        // What cannot be read was written by another version of the program: that the attempt failed is known all the same.
        let error = || {
            let unknown = || JobError::new(row.attempt, Failure::new(ErrorType::Other(String::new()), ""), row.at);
            row.error.clone().unwrap_or_else(unknown)
        };
        Some(match row.kind {
            EventKind::Enqueued => Self::Enqueued { due_at },
            EventKind::Started => Self::Started { node: row.node },
            EventKind::Progress => Self::Progress { progress: serde_json::from_str(row.detail.as_deref()?).ok()? },
            EventKind::Completed => Self::Completed,
            EventKind::Retried => Self::Retried { error: error(), due_at: at_last },
            EventKind::Discarded => Self::Discarded { error: error() },
            EventKind::Cancelled => Self::Cancelled { reason: reason() },
            EventKind::CancelRequested => Self::CancelRequested { reason: reason() },
            EventKind::Snoozed => Self::Snoozed { due_at: at_last },
            EventKind::Throttled => Self::Throttled { due_at: at_last },
            EventKind::Deferred => Self::Deferred { error: row.error.clone(), due_at: at_last },
            EventKind::Suspended => Self::Suspended { due_at },
            EventKind::GivenBack => Self::GivenBack { due_at: at_last },
            EventKind::Released => Self::Released { due_at },
            EventKind::Rerun => Self::Rerun { due_at },
            EventKind::Updated => Self::Updated,
            EventKind::Deleted => Self::Deleted,
            EventKind::Paused | EventKind::Resumed => return None,
        })
    }

    /// Which kind of event it is.
    pub fn kind(&self) -> EventKind {
        match self {
            Self::Enqueued { .. } => EventKind::Enqueued,
            Self::Started { .. } => EventKind::Started,
            Self::Progress { .. } => EventKind::Progress,
            Self::Completed => EventKind::Completed,
            Self::Retried { .. } => EventKind::Retried,
            Self::Discarded { .. } => EventKind::Discarded,
            Self::Cancelled { .. } => EventKind::Cancelled,
            Self::CancelRequested { .. } => EventKind::CancelRequested,
            Self::Snoozed { .. } => EventKind::Snoozed,
            Self::Throttled { .. } => EventKind::Throttled,
            Self::Deferred { .. } => EventKind::Deferred,
            Self::Suspended { .. } => EventKind::Suspended,
            Self::GivenBack { .. } => EventKind::GivenBack,
            Self::Released { .. } => EventKind::Released,
            Self::Rerun { .. } => EventKind::Rerun,
            Self::Updated => EventKind::Updated,
            Self::Deleted => EventKind::Deleted,
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Enqueued { due_at }
            | Self::Suspended { due_at }
            | Self::Released { due_at }
            | Self::Rerun { due_at } => json!({ "due_at": due_at }),
            Self::Snoozed { due_at } | Self::Throttled { due_at } | Self::GivenBack { due_at } => {
                json!({ "due_at": due_at })
            }
            Self::Started { node } => json!({ "node": node.map(|node| node.0) }),
            Self::Progress { progress } => json!({ "progress": progress }),
            Self::Retried { error, due_at } => json!({ "error": error, "due_at": due_at }),
            Self::Discarded { error } => json!({ "error": error }),
            Self::Deferred { error, due_at } => json!({ "error": error, "due_at": due_at }),
            Self::Cancelled { reason } | Self::CancelRequested { reason } => json!({ "reason": reason }),
            Self::Completed | Self::Updated | Self::Deleted => json!({}),
        }
    }
}
