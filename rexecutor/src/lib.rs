#![doc = include_str!("docs/crate.md")]

pub mod backend;
pub mod backoff;
mod bulk;
pub mod clock;
mod engine;
pub mod executor;
pub mod global;
pub mod job;
pub mod limits;
pub mod node;
pub mod prelude;
pub mod pruner;
pub mod registry;
pub mod schedule;
mod slab;
pub mod testing;

pub use chrono::TimeDelta;
pub use chrono_tz::Tz;
#[cfg(feature = "macros")]
#[doc = include_str!("docs/job.md")]
pub use rexecutor_derive::job;

pub use crate::{
    bulk::{enqueue_all, enqueue_all_to_backend},
    executor::{ExecutionError, ExecutionResult, Executor},
    global::{GlobalBackendIsSet, NoGlobalBackend},
    job::{Job, JobContext, JobId, JobStatus},
    node::Rexecutor,
    registry::{Extract, ExtractError, State},
};

/// What `#[job]` writes refers to. Not public API.
#[doc(hidden)]
pub mod __private {
    pub use async_trait::async_trait;
    pub use inventory::submit;
    #[cfg(feature = "macros")]
    pub use rexecutor_derive::expectation;

    pub use crate::{executor::IntoExecutionResult, registry::extract};
}
