//! What is paused: executors, or the whole cluster.

use std::fmt;

use chrono::{DateTime, Utc};

use super::{error::BackendError, id::ExecutorName, time::in_micros};
use crate::limits;

/// What a pause is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// Every executor, on every node.
    Cluster,
    /// One executor, on every node.
    Executor(ExecutorName),
    /// Every executor, on the nodes of this label.
    Node(String),
    /// The jobs that have this tag, of every executor and on every node.
    Tag(String),
}

impl Scope {
    /// The name under which the whole cluster is stored where others are stored by their executor: no executor has it.
    pub const CLUSTER_NAME: ExecutorName = ExecutorName::from_static("");

    /// What wakes the nodes that have to look at schedule entries, where others are woken for an executor: no executor has it,
    /// because U+0000 cannot be stored.
    pub const SCHEDULES_NAME: ExecutorName = ExecutorName::from_static("\0schedules");

    /// What wakes whoever waits for a [flow](crate::backend::Flows), where others are woken for an executor: no executor has it.
    pub const FLOWS_NAME: ExecutorName = ExecutorName::from_static("\0flows");

    /// Which executors are woken when it is resumed, and under which name it is stored where others are stored by their executor. The
    /// nodes of a label run any, jobs with a tag are of any, and both are stored apart.
    pub fn name(&self) -> &ExecutorName {
        static CLUSTER_NAME: ExecutorName = Scope::CLUSTER_NAME;
        match self {
            Self::Cluster | Self::Node(_) | Self::Tag(_) => &CLUSTER_NAME,
            Self::Executor(executor) => executor,
        }
    }

    /// The cluster or the executor that is stored under this name.
    pub fn of_name(name: impl Into<ExecutorName>) -> Self {
        match name.into() {
            name if name == Self::CLUSTER_NAME => Self::Cluster,
            name => Self::Executor(name),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster => f.write_str("the whole cluster"),
            Self::Executor(executor) => write!(f, "`{executor}`"),
            Self::Node(label) => write!(f, "the node `{label}`"),
            Self::Tag(tag) => write!(f, "the tag `{tag}`"),
        }
    }
}

/// Why no job is to be claimed, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pause {
    /// Why, in words for people.
    pub reason: String,
    /// Who says so, in words for people.
    pub by: Option<String>,
    /// When it ends by itself, by the backend's clock; `None`: it does not.
    pub until: Option<DateTime<Utc>>,
    /// Whether running jobs are cancelled, too. It is done when the pause is stored, and is not a part of it.
    pub cancels_running: bool,
}

impl Pause {
    /// Until somebody resumes it. What runs is left to end.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), by: None, until: None, cancels_running: false }
    }

    /// What runs is cancelled, with the same reason: its token tells it to stop, and after its grace it is dropped.
    #[must_use]
    pub fn cancel_running(self) -> Self {
        Self { cancels_running: true, ..self }
    }

    /// Who says so.
    #[must_use]
    pub fn by(self, by: impl Into<String>) -> Self {
        Self { by: Some(by.into()), ..self }
    }

    /// When it ends by itself; `None`: it does not.
    #[must_use]
    pub fn until(self, until: impl Into<Option<DateTime<Utc>>>) -> Self {
        Self { until: until.into().map(in_micros), ..self }
    }

    /// Refuses what not every backend can store.
    ///
    /// # Errors
    ///
    /// When an executor, a node or a tag has no name, a tag is longer than one of a job can be, a text contains U+0000, or the end is
    /// in no year from 1 to 9999.
    pub fn check(&self, scope: &Scope) -> Result<(), BackendError> {
        if matches!(scope, Scope::Executor(executor) if executor.as_str().is_empty()) {
            return Err(BackendError::message("could not pause: the executor's name is empty"));
        }
        let name = match scope {
            Scope::Node(label) if label.is_empty() => {
                return Err(BackendError::message("could not pause: the node's label is empty"));
            }
            Scope::Node(label) => ("label", label.as_str()),
            Scope::Tag(tag) if tag.is_empty() => {
                return Err(BackendError::message("could not pause: the tag is empty"));
            }
            Scope::Tag(tag) => ("tag", tag.as_str()),
            Scope::Cluster | Scope::Executor(_) => ("executor", scope.name().as_str()),
        };
        if let Scope::Tag(tag) = scope
            && tag.len() > limits::MAX_TAG_BYTES
        {
            let (length, most) = (tag.len(), limits::MAX_TAG_BYTES);
            let why = format!("could not pause: a tag of {length} bytes, which no job has; the limit is {most}");
            return Err(BackendError::message(why));
        }
        let texts = [name, ("reason", &self.reason), ("by", self.by.as_deref().unwrap_or(""))];
        if let Some((field, _)) = texts.into_iter().find(|(_, text)| text.contains('\0')) {
            return Err(BackendError::message(format!("could not pause: {field} contains U+0000")));
        }
        match self.until.filter(|until| !limits::is_storable(*until)) {
            Some(until) => {
                Err(BackendError::message(format!("could not pause: until {until} is not in the years 1 to 9999")))
            }
            None => Ok(()),
        }
    }

    /// Whether it keeps jobs from being claimed at `now`.
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// A pause that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Paused {
    /// Whose jobs are not claimed.
    pub scope: Scope,
    /// Since when, by the backend's clock.
    pub since: DateTime<Utc>,
    /// Why, and for how long.
    pub pause: Pause,
}

impl Paused {
    /// What was paused at this instant.
    pub fn new(scope: Scope, since: DateTime<Utc>, pause: Pause) -> Self {
        Self { scope, since, pause }
    }
}

impl From<&str> for Pause {
    fn from(reason: &str) -> Self {
        Self::new(reason)
    }
}

impl From<String> for Pause {
    fn from(reason: String) -> Self {
        Self::new(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_has_a_name_of_its_own() {
        for scope in [Scope::Cluster, Scope::Executor("mail".into())] {
            assert_eq!(Scope::of_name(scope.name().clone()), scope);
        }
    }
}
