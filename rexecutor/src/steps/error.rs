//! Why a step has no result.

use std::error::Error;

use crate::{
    executing::{self, Disposition, ExecutionError},
    model::BackendError,
    validate::InvalidJob,
};

/// Why a step has no result.
///
/// A job returns it, as it is or with `?` as part of another error. That the job sleeps or waits is no error, and nothing that a job
/// could catch: the run ends at that point.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// Its work failed. What that error [decides](ExecutionError) holds for the job.
    #[error("step `{step}` failed")]
    #[non_exhaustive]
    Failed {
        /// The step.
        step: String,
        /// What went wrong.
        source: Box<dyn Error + Send + Sync>,
    },
    /// An earlier attempt had another step here: the code has changed since, or does not come to its steps in the same order each time.
    #[error(
        "step `{step}` stands where an earlier attempt of this job had `{recorded}`: put the steps back in their order, or let jobs \
         that have begun go on with the old ones by `steps.version`"
    )]
    #[non_exhaustive]
    Order {
        /// The step.
        step: String,
        /// The step that was recorded at its place.
        recorded: String,
    },
    /// It was at another place in an earlier attempt.
    #[error(
        "step `{step}` is number {is} of this job, and was number {was} in an earlier attempt: put the steps back in their order, or \
         let jobs that have begun go on with the old ones by `steps.version`"
    )]
    #[non_exhaustive]
    Moved {
        /// The step.
        step: String,
        /// Where it was, counted from 1.
        was: u32,
        /// Where it is.
        is: u32,
    },
    /// The job has come to a step of this kind and name before. Names are unique in a job: in a loop, put the number of the round in them.
    #[error("the job has two steps `{step}`: give each its own name, in a loop with the number of the round")]
    #[non_exhaustive]
    Twice {
        /// The step.
        step: String,
    },
    /// The job goes by a newer version than this program knows.
    #[error("the job goes by version {recorded} of `{step}`, and this program knows {newest} at most")]
    #[non_exhaustive]
    Version {
        /// What has versions.
        step: String,
        /// The version that is recorded.
        recorded: u32,
        /// The newest that the program knows.
        newest: u32,
    },
    /// The length of a sleep, or of a wait's time limit, cannot be read.
    #[error("step `{step}` cannot wait for so long: {problem}")]
    #[non_exhaustive]
    Delay {
        /// The step.
        step: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Its name, its result or its length is not acceptable.
    #[error("a step is not acceptable")]
    Invalid(#[from] InvalidJob),
    /// Its result does not encode as JSON.
    #[error("the result of step `{step}` could not be encoded")]
    #[non_exhaustive]
    Encode {
        /// The step.
        step: String,
        /// Why.
        source: serde_json::Error,
    },
    /// What is recorded of it does not decode as the type that is asked for.
    #[error("what is recorded of step `{step}` does not decode")]
    #[non_exhaustive]
    Decode {
        /// The step.
        step: String,
        /// Why.
        source: serde_json::Error,
    },
    /// Another run has taken the job over, because this node was taken for dead: nothing was recorded, and what this run gives is
    /// refused.
    #[error("step `{step}` is not recorded: another run has taken the job over")]
    #[non_exhaustive]
    TakenOver {
        /// The step.
        step: String,
    },
    /// The backend failed, or records no steps.
    #[error("a step could not be recorded")]
    Backend(#[from] BackendError),
}

crate::debug_as_sentence!(StepError);

impl StepError {
    pub(super) fn failed(step: String, source: Box<dyn Error + Send + Sync>) -> Self {
        Self::Failed { step, source }
    }

    /// Of which step it is about, if it is about one.
    pub fn step(&self) -> Option<&str> {
        match self {
            Self::Failed { step, .. }
            | Self::Order { step, .. }
            | Self::Moved { step, .. }
            | Self::Twice { step }
            | Self::Version { step, .. }
            | Self::Delay { step, .. }
            | Self::Encode { step, .. }
            | Self::Decode { step, .. }
            | Self::TakenOver { step } => Some(step),
            Self::Invalid(_) | Self::Backend(_) => None,
        }
    }
}

impl ExecutionError for StepError {
    fn error_type(&self) -> &str {
        match self {
            Self::Failed { source, .. } => executing::error_type(&**source).unwrap_or("step_failed"),
            _ => "step",
        }
    }

    fn disposition(&self) -> Disposition {
        match self {
            Self::Failed { source, .. } => executing::disposition(&**source),
            _ => Disposition::Retry,
        }
    }
}
