//! What happens to jobs, as backends tell whoever listens.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    failure::JobError,
    id::{ExecutorName, JobId, NodeId},
    pause::{Pause, Scope},
    row::JobRow,
};

/// What has happened. The words are those of the log and the history where these have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// A job was enqueued.
    Enqueued,
    /// A node has claimed a job, and its attempt begins.
    Started,
    /// A running job has said how far it has got, or has logged something.
    Progress,
    /// An attempt succeeded.
    Completed,
    /// An attempt failed, and another one follows.
    Retried,
    /// An attempt failed, or the job's deadline has come, and no attempt follows.
    Discarded,
    /// The job is cancelled.
    Cancelled,
    /// Somebody has asked a job that runs to stop.
    CancelRequested,
    /// The job runs again later, because it says so.
    Snoozed,
    /// The job runs again later, as others do, because of a quota.
    Throttled,
    /// The program cannot read the job, which waits for another version.
    Deferred,
    /// The job waits in one of its steps.
    Suspended,
    /// A node gives a job back that it has not run, or not to the end, through no fault of the job's.
    GivenBack,
    /// A blocked job may run: those before it have ended, a signal has come, or somebody has released it.
    Released,
    /// Somebody runs the job again.
    Rerun,
    /// The job's data, or whatever else was given with it, are others now.
    Updated,
    /// Somebody has deleted the job. Jobs that are pruned are not told of.
    Deleted,
    /// Somebody has paused an executor, nodes, a tag, or the whole cluster.
    Paused,
    /// Such a pause was ended by hand.
    Resumed,
}

impl EventKind {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Enqueued,
        Self::Started,
        Self::Progress,
        Self::Completed,
        Self::Retried,
        Self::Discarded,
        Self::Cancelled,
        Self::CancelRequested,
        Self::Snoozed,
        Self::Throttled,
        Self::Deferred,
        Self::Suspended,
        Self::GivenBack,
        Self::Released,
        Self::Rerun,
        Self::Updated,
        Self::Deleted,
        Self::Paused,
        Self::Resumed,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enqueued => "enqueued",
            Self::Started => "started",
            Self::Progress => "progress",
            Self::Completed => "completed",
            Self::Retried => "retried",
            Self::Discarded => "discarded",
            Self::Cancelled => "cancelled",
            Self::CancelRequested => "cancel_requested",
            Self::Snoozed => "snoozed",
            Self::Throttled => "throttled",
            Self::Deferred => "deferred",
            Self::Suspended => "suspended",
            Self::GivenBack => "given_back",
            Self::Released => "released",
            Self::Rerun => "rerun",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
        }
    }

    /// The one with this word; `None`: a newer program has written it.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }

    /// Whether the job is due again at some time that is known.
    const fn waits(self) -> bool {
        matches!(
            self,
            Self::Enqueued
                | Self::Retried
                | Self::Snoozed
                | Self::Throttled
                | Self::Deferred
                | Self::Suspended
                | Self::GivenBack
                | Self::Released
                | Self::Rerun
        )
    }

    /// Whether an error is told with it.
    const fn fails(self) -> bool {
        matches!(self, Self::Retried | Self::Discarded | Self::Deferred)
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What the last transition of a row was, for whoever stores it and tells of it. It is not stored with the row: two rows that differ in
/// nothing else are equal.
#[derive(Clone, Copy, Default)]
pub struct Happened(Option<EventKind>);

impl Happened {
    /// Nothing that is told of.
    pub const NOTHING: Self = Self(None);

    /// This.
    pub const fn that(kind: EventKind) -> Self {
        Self(Some(kind))
    }

    /// What, if it is told of.
    pub const fn kind(self) -> Option<EventKind> {
        self.0
    }
}

impl fmt::Debug for Happened {
    /// The same for all, as they are equal.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("_")
    }
}

impl PartialEq for Happened {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Happened {}

/// An event, as a backend gives it. Which of the fields after the kind are there depends on that.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventRow {
    /// When it happened, by the backend's clock.
    pub at: DateTime<Utc>,
    /// What has happened.
    pub kind: EventKind,
    /// To which job; `None`: it is about a pause.
    pub job: Option<JobId>,
    /// Whose job it is; of a pause the [name](Scope::name) of its scope.
    pub executor: ExecutorName,
    /// The attempt that runs or ran last.
    pub attempt: u16,
    /// The job's tags.
    pub tags: Vec<String>,
    /// The node that has claimed it.
    pub node: Option<NodeId>,
    /// When it is due again.
    pub due_at: Option<DateTime<Utc>>,
    /// What went wrong.
    pub error: Option<JobError>,
    /// Why it is cancelled, what it says of its progress, as JSON, or the pause, as [`encode_pause`](Self::encode_pause) writes it.
    pub detail: Option<String>,
}

impl EventRow {
    /// Something that happened then, of which nothing else is known yet.
    pub fn new(at: DateTime<Utc>, kind: EventKind, executor: impl Into<ExecutorName>) -> Self {
        Self {
            at,
            kind,
            job: None,
            executor: executor.into(),
            attempt: 0,
            tags: Vec::new(),
            node: None,
            due_at: None,
            error: None,
            detail: None,
        }
    }

    /// What has happened to a row, which is as it is now.
    pub fn of(row: &JobRow, kind: EventKind, at: DateTime<Utc>) -> Self {
        let reason = || row.extras.cancel_reason.clone();
        Self {
            job: Some(row.id),
            attempt: row.attempt,
            tags: row.tags.clone(),
            node: row.node.filter(|_| kind == EventKind::Started),
            due_at: kind.due_at(row),
            error: row.errors.last().filter(|_| kind.fails()).cloned(),
            detail: matches!(kind, EventKind::Cancelled | EventKind::CancelRequested).then(reason).flatten(),
            ..Self::new(at, kind, row.executor.clone())
        }
    }

    /// That a scope was paused so, or resumed.
    pub fn of_pause(at: DateTime<Utc>, scope: &Scope, pause: Option<&Pause>) -> Self {
        let kind = if pause.is_some() { EventKind::Paused } else { EventKind::Resumed };
        Self { detail: Some(Self::encode_pause(scope, pause)), ..Self::new(at, kind, scope.name().clone()) }
    }

    /// What is stored of a pause, as JSON.
    pub fn encode_pause(scope: &Scope, pause: Option<&Pause>) -> String {
        let (scope, name) = match scope {
            Scope::Cluster => ("cluster", None),
            Scope::Executor(executor) => ("executor", Some(executor.as_str())),
            Scope::Node(label) => ("node", Some(label.as_str())),
            Scope::Tag(tag) => ("tag", Some(tag.as_str())),
        };
        let stored = StoredPause {
            scope: scope.to_owned(),
            name: name.map(ToOwned::to_owned),
            reason: pause.map(|pause| pause.reason.clone()),
            by: pause.and_then(|pause| pause.by.clone()),
            until: pause.and_then(|pause| pause.until),
        };
        serde_json::to_string(&stored).unwrap_or_default()
    }

    /// The scope and, of one that was paused, the pause; `None`: it cannot be read.
    pub fn pause(&self) -> Option<(Scope, Option<Pause>)> {
        let stored: StoredPause = serde_json::from_str(self.detail.as_deref()?).ok()?;
        let name = stored.name.unwrap_or_default();
        let scope = match stored.scope.as_str() {
            "cluster" => Scope::Cluster,
            "executor" => Scope::Executor(name.into()),
            "node" => Scope::Node(name),
            "tag" => Scope::Tag(name),
            _ => return None,
        };
        let pause = stored.reason.map(|reason| {
            let mut pause = Pause::new(reason).until(stored.until);
            pause.by = stored.by;
            pause
        });
        Some((scope, pause))
    }
}

impl EventKind {
    fn due_at(self, row: &JobRow) -> Option<DateTime<Utc>> {
        let is_known = self.waits() && row.status.is_pending();
        is_known.then_some(row.scheduled_at)
    }
}

/// What is stored of a pause.
#[derive(Serialize, Deserialize)]
struct StoredPause {
    scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_word_of_its_own() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::of(kind.as_str()), Some(*kind));
            assert_eq!(serde_json::json!(kind), kind.as_str());
        }
        assert_eq!(EventKind::of("exploded"), None);
    }

    #[test]
    fn a_pause_comes_back_as_it_was() {
        let pause = Pause::new("maintenance").by("ann").until(DateTime::from_timestamp(2_000_000_000, 5_000));
        let scopes =
            [Scope::Cluster, Scope::Executor("mail".into()), Scope::Node("w\"1".into()), Scope::Tag("eu".into())];
        for scope in scopes {
            for pause in [Some(&pause), Some(&Pause::new("")), None] {
                let event = EventRow::of_pause(DateTime::UNIX_EPOCH, &scope, pause);
                assert_eq!(event.pause(), Some((scope.clone(), pause.cloned())));
            }
        }
    }
}
