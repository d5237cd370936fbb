//! What most programs use: `use rexecutor::prelude::*;`.

pub use chrono::TimeDelta;

#[cfg(feature = "macros")]
pub use crate::assert_enqueued;
#[cfg(feature = "macros")]
pub use rexecutor_derive::job;

pub use crate::{
    Rexecutor,
    backend::{LimitChange, Pause, Rate},
    backoff::{BackoffStrategy, Jitter, Strategy},
    executor::{
        CancellationReason, CircuitBreaker, Disposition, ExecutionError, ExecutionResult, Executor, ExecutorExt,
        HasOutput, JobFailure, Limit, OnDiscard, Retention,
    },
    job::{
        ErrorType, Job, JobContext, JobError, JobHandle, JobId, JobStatus, StopReason,
        query::Where,
        uniqueness_criteria::{Replace, Resolution, UniquenessCriteria},
    },
    pruner::{Pruner, PrunerConfig},
    registry::{Extract, ExtractError, State},
    results::{ChunksExt, EmitError, Outcome, OutputExt, Progress, ProgressExt},
    steps::{StepError, Steps, StepsExt},
    workflows::Upstream,
};
