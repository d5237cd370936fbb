//! Tasks: the jobs of a workflow, and which of them wait for which.

use serde::{Deserialize, Serialize};

/// A job's place in a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Task {
    /// What it is called in its workflow, where no other has the name.
    pub name: String,
    /// On which ends of its predecessors it runs.
    pub run_when: RunWhen,
    /// Whether it is given the outputs of its predecessors as a list, as one is that may have several; else the output of the only one.
    pub joins: bool,
    /// The names of its predecessors, in the order in which it is given their outputs. This is not stored with the job.
    pub after: Vec<String>,
}

impl Task {
    /// The longest name, in bytes.
    pub const MAX_NAME_BYTES: usize = 255;

    /// A task that waits for none.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), run_when: RunWhen::default(), joins: false, after: Vec::new() }
    }

    /// … that waits for these.
    #[must_use]
    pub fn with_after<N: Into<String>>(self, after: impl IntoIterator<Item = N>, joins: bool) -> Self {
        Self { after: after.into_iter().map(Into::into).collect(), joins, ..self }
    }

    /// … and runs on these ends of theirs.
    #[must_use]
    pub fn with_run_when(self, run_when: RunWhen) -> Self {
        Self { run_when, ..self }
    }
}

/// On which ends of its predecessors a task runs.
///
/// A predecessor has succeeded when it is complete. It has failed when it was discarded or cancelled. It is skipped when it said so, when
/// somebody else did, or when a predecessor of its own was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunWhen {
    /// When all have succeeded. It is cancelled as soon as one has failed, and skipped as soon as one is. This is the default.
    #[default]
    AllSucceeded,
    /// When all have ended, one of them at least has succeeded, and none has failed: where branches meet of which some are skipped. It is
    /// cancelled as soon as one has failed, and skipped when all are.
    NoneFailed,
    /// When all have ended, in whatever way.
    AllEnded,
    /// When all have ended and one of them at least has failed, to undo or to report something; else it is skipped.
    AnyFailed,
}

impl RunWhen {
    /// Each of them.
    pub const ALL: &[Self] = &[Self::AllSucceeded, Self::NoneFailed, Self::AllEnded, Self::AnyFailed];

    /// The word that is stored for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AllSucceeded => "all_succeeded",
            Self::NoneFailed => "none_failed",
            Self::AllEnded => "all_ended",
            Self::AnyFailed => "any_failed",
        }
    }

    /// What a stored word says; `None`: another version of the program has stored it.
    pub fn from_stored(stored: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|run_when| run_when.as_str() == stored)
    }
}

/// How a task has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TaskResult {
    /// Its job is complete.
    Succeeded,
    /// Its job was discarded or cancelled, or was deleted before it had ended.
    Failed,
    /// Its job did not run, because there was nothing to do.
    Skipped,
}

impl TaskResult {
    /// The number that is stored for it.
    pub const fn stored(self) -> i16 {
        match self {
            Self::Succeeded => 1,
            Self::Failed => 2,
            Self::Skipped => 3,
        }
    }

    /// What a stored number says.
    pub const fn from_stored(stored: i16) -> Option<Self> {
        match stored {
            1 => Some(Self::Succeeded),
            2 => Some(Self::Failed),
            3 => Some(Self::Skipped),
            _ => None,
        }
    }
}

/// How many of a task's predecessors have ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskTally {
    /// How many there are.
    pub wanted: u32,
    /// How many have succeeded.
    pub succeeded: u32,
    /// How many have failed.
    pub failed: u32,
    /// How many were skipped.
    pub skipped: u32,
}

impl TaskTally {
    /// So many predecessors, of which none has ended.
    pub const fn of(wanted: u32) -> Self {
        Self { wanted, succeeded: 0, failed: 0, skipped: 0 }
    }

    /// Counts one that has ended.
    pub const fn add(&mut self, result: TaskResult) {
        let count = match result {
            TaskResult::Succeeded => &mut self.succeeded,
            TaskResult::Failed => &mut self.failed,
            TaskResult::Skipped => &mut self.skipped,
        };
        *count = count.saturating_add(1);
    }

    /// How many have not ended.
    pub const fn open(self) -> u32 {
        self.wanted.saturating_sub(self.succeeded).saturating_sub(self.failed).saturating_sub(self.skipped)
    }
}
