//! What became of a job that has ended.

use serde::de::DeserializeOwned;

use super::error::OutputError;
use crate::{
    executing::Executor,
    model::{JobError, JobRow, JobStatus},
};

/// What became of a job that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome<T> {
    /// It succeeded, and gave this.
    Complete(T),
    /// It was cancelled.
    Cancelled {
        /// Why, if that was said.
        reason: Option<String>,
    },
    /// It failed for good.
    Discarded {
        /// Its failed attempts, oldest first.
        errors: Vec<JobError>,
    },
    /// There is no such job of this executor: it was pruned, its executor keeps no complete jobs, or it never was.
    Gone,
}

impl<T> Outcome<T> {
    /// What it gave, or that it gave nothing, as an error.
    ///
    /// # Errors
    ///
    /// When it did not succeed.
    pub fn into_output(self) -> Result<T, NoOutput> {
        match self {
            Self::Complete(output) => Ok(output),
            Self::Cancelled { reason } => Err(NoOutput::Cancelled(reason.unwrap_or_else(|| "no reason given".into()))),
            Self::Discarded { errors } => {
                let last = errors.into_iter().last().map(|error| error.details);
                Err(NoOutput::Discarded(last.unwrap_or_else(|| "no error recorded".into())))
            }
            Self::Gone => Err(NoOutput::Gone),
        }
    }

    /// Whether it succeeded.
    pub fn is_complete(&self) -> bool {
        matches!(self, Self::Complete(_))
    }
}

/// Why a job that has ended gave nothing.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoOutput {
    /// It was cancelled, for this reason.
    #[error("the job was cancelled: {0}")]
    Cancelled(String),
    /// It failed for good, and this was its last error.
    #[error("the job failed for good: {0}")]
    Discarded(String),
    /// There is no such job.
    #[error("the job is gone")]
    Gone,
}

crate::debug_as_sentence!(NoOutput);

/// What became of the job that a row holds; `None`: it has not ended.
pub(super) fn of_row<E: Executor, T: DeserializeOwned>(row: JobRow) -> Result<Option<Outcome<T>>, OutputError> {
    Ok(Some(match row.status {
        JobStatus::Complete => Outcome::Complete(output::<E, T>(&row)?),
        JobStatus::Cancelled => Outcome::Cancelled { reason: row.extras.cancel_reason.clone() },
        JobStatus::Discarded => Outcome::Discarded { errors: row.errors },
        JobStatus::Blocked | JobStatus::Scheduled | JobStatus::Executing | JobStatus::Retryable => return Ok(None),
    }))
}

/// What a complete job gave. Where nothing is stored it gave nothing, as most jobs do: that decodes as `()` and `None`.
pub(super) fn output<E: Executor, T: DeserializeOwned>(row: &JobRow) -> Result<T, OutputError> {
    let failed = |source| OutputError::Decode { job: row.id, executor: E::NAME, source };
    serde_json::from_str(row.extras.output.as_deref().unwrap_or("null")).map_err(failed)
}
