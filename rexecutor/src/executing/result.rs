//! What a run of a job gives.

use std::{
    error::Error,
    fmt::{self, Display},
};

use chrono::TimeDelta;
use serde::Serialize;

use super::{
    disposition::ExecutionError,
    output::{EncodedOutput, JobOutput},
    returned,
};

/// What a run of a job gives.
#[non_exhaustive]
pub enum ExecutionResult {
    /// The job is done.
    Done,
    /// The job is done, and gives this: [`with_output`](Self::with_output) makes it.
    DoneWith {
        /// What it gives: it is stored with the job.
        output: EncodedOutput,
    },
    /// The job is to be given up, though nothing failed.
    Cancel {
        /// Why: it is stored with the job.
        reason: Box<dyn CancellationReason>,
    },
    /// The job is to run again later; this attempt does not count.
    Snooze {
        /// How much later: at least 100 ms ([`MIN_SNOOZE`](crate::limits::MIN_SNOOZE)), also where it is zero or negative.
        delay: TimeDelta,
    },
    /// The attempt failed: the job is retried while it has attempts left.
    Error {
        /// What went wrong: it is stored with the job.
        error: Box<dyn ExecutionError>,
    },
}

impl ExecutionResult {
    /// The job is done, and gives this, which is stored with it as JSON; see [`HasOutput`](super::HasOutput).
    ///
    /// What cannot be stored, because it does not encode or is too large, discards the job: another attempt would repeat its
    /// effects, and give the same.
    pub fn with_output<T: Serialize + ?Sized>(output: &T) -> Self {
        Self::DoneWith { output: EncodedOutput::of(output) }
    }
}

impl fmt::Debug for ExecutionResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("Done"),
            Self::DoneWith { .. } => f.write_str("DoneWith(..)"),
            Self::Cancel { reason } => write!(f, "Cancel({reason})"),
            Self::Snooze { delay } => write!(f, "Snooze({delay})"),
            Self::Error { error } => write!(f, "Error({}: {error})", error.error_type()),
        }
    }
}

impl<E: ExecutionError + 'static> From<E> for ExecutionResult {
    fn from(error: E) -> Self {
        Self::Error { error: Box::new(error) }
    }
}

/// Why a job is cancelled: anything that can be shown.
pub trait CancellationReason: Display + Send {}

impl<T: Display + Send> CancellationReason for T {}

/// What a function with `#[job]` may return.
///
/// A unit and `Ok(())` are [`ExecutionResult::Done`]; what else is in `Ok` is the job's [output](super::HasOutput); an error is stored with all its causes, under its type's name, and
/// retried unless it is, or wraps, a [`JobFailure`](super::JobFailure) that decides otherwise. `#[job]` takes any
/// [`ExecutionError`] as well, and does what that one says.
#[diagnostic::on_unimplemented(
    message = "a job cannot return `{Self}`",
    label = "not a job's result",
    note = "a job returns `()`, `ExecutionResult`, `Result<T, E>` or `Result<ExecutionResult, E>`",
    note = "where `T` is its output, `()` or anything that implements `serde::Serialize`",
    note = "where `E` is an error: a type that implements `std::error::Error` or `rexecutor::ExecutionError`, `String`, \
            `JobFailure`, `Box<dyn std::error::Error + Send + Sync>`, or what converts into that, as `anyhow::Error`"
)]
pub trait IntoExecutionResult {
    /// Converts it.
    fn into_execution_result(self) -> ExecutionResult;
}

impl IntoExecutionResult for ExecutionResult {
    fn into_execution_result(self) -> ExecutionResult {
        self
    }
}

impl IntoExecutionResult for () {
    fn into_execution_result(self) -> ExecutionResult {
        ExecutionResult::Done
    }
}

// Else the compiler would tell of `From<E>` for a box, and not of the ways to return an error.
#[diagnostic::do_not_recommend]
impl<T: JobOutput, E: Into<Box<dyn Error + Send + Sync>>> IntoExecutionResult for Result<T, E> {
    fn into_execution_result(self) -> ExecutionResult {
        self.map_or_else(returned::converted, T::into_result)
    }
}
