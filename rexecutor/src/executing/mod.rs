//! What a job does: the [`Executor`] trait, and what its runs give.
//!
//! `#[job]` writes an implementation of [`Executor`] from a function; everything here can also be written by hand. What is
//! asked of stored jobs, and how new ones are built, stands above it: [`ExecutorExt`](crate::executor::ExecutorExt).

mod disposition;
mod enqueue_request;
mod executor;
mod failure;
mod group_key;
mod known;
mod layers;
mod middleware;
mod output;
mod result;
mod returned;
mod unique;
mod upstream;
mod weight;

pub use self::{
    disposition::{Disposition, ExecutionError},
    enqueue_request::EnqueueRequest,
    executor::{Executor, Rerun, Retention},
    failure::JobFailure,
    group_key::GroupKey,
    known::KnownError,
    middleware::{Middleware, Next, Run},
    output::{EncodedOutput, HasOutput, JobOutput, ReturnType, gives},
    result::{CancellationReason, ExecutionResult, IntoExecutionResult},
    returned::{Converted, Decides, Hidden, Returned, Typed},
    upstream::{Accepts, ComesFirst, HasUpstream, JobTypes, NoUpstream, Part, Parts, TypeName, Upstream},
    weight::weight_of,
};
pub(crate) use self::{
    failure::{disposition, error_type},
    layers::{Layers, NodeMiddleware, OwnMiddleware},
    unique::unique,
    weight::weight,
};
