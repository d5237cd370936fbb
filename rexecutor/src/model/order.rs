//! Jobs that run one after another.

use serde::{Deserialize, Serialize};

/// What a discarded job does to the line of jobs that it stands in.
///
/// Jobs of one key of an executor that is [ordered](crate::executor::Executor::ORDERED) form a line: one at a time, in the
/// order in which they were enqueued.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnDiscard {
    /// It leaves the line: the next job starts.
    #[default]
    Skip,
    /// It stays at its place, and the jobs behind it wait until somebody
    /// [reruns](crate::executor::ExecutorExt::rerun_job), [cancels](crate::executor::ExecutorExt::cancel_job) or
    /// [releases](crate::executor::ExecutorExt::release_job) it. No pruner deletes it.
    Halt,
}

impl OnDiscard {
    /// The number that a database stores for it.
    pub const fn stored(self) -> i16 {
        match self {
            Self::Skip => 0,
            Self::Halt => 1,
        }
    }

    /// What a stored number says. One that this version does not know halts the line: that is the safe side.
    pub const fn from_stored(stored: i64) -> Self {
        match stored {
            0 => Self::Skip,
            _ => Self::Halt,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_comes_back_and_what_is_unknown_halts() {
        for policy in [OnDiscard::Skip, OnDiscard::Halt] {
            assert_eq!(OnDiscard::from_stored(policy.stored().into()), policy);
        }
        assert_eq!(OnDiscard::from_stored(7), OnDiscard::Halt);
    }
}
