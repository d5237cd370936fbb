//! What a job does: the [`Executor`] trait, what its runs give, and what can be done with its stored jobs.
//!
//! `#[job]` writes an implementation of [`Executor`] from a function; everything here can also be written by hand.

pub use crate::{
    executing::{
        CancellationReason, Disposition, EncodedOutput, ExecutionError, ExecutionResult, Executor, GroupKey, HasOutput,
        IntoExecutionResult, JobFailure, JobOutput, Rerun, Retention,
    },
    manage::{ExecutorExt, JobsError},
    model::{CircuitBreaker, Limit, OnDiscard, Rate},
};
