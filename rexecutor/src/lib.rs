#![doc = include_str!("docs/crate.md")]
#![doc(test(attr(deny(unused_must_use))))]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod backend;
pub mod backoff;
pub mod batches;
mod builder;
mod bulk;
mod causes;
pub mod clock;
pub mod cluster;
mod context;
mod criteria;
mod engine;
pub mod events;
mod executing;
pub mod executor;
pub mod global;
pub mod history;
pub mod job;
mod json;
pub mod limits;
mod manage;
mod meters;
#[cfg(feature = "metrics")]
pub mod metrics;
pub mod middleware;
mod model;
pub mod node;
pub mod observe;
pub mod prelude;
pub mod pruner;
pub mod registry;
pub mod results;
pub mod schedule;
pub mod schedules;
#[cfg(feature = "schema")]
pub mod schema;
mod signals;
mod slab;
pub mod steps;
pub mod testing;
mod typed;
mod validate;
pub mod workflows;

pub use chrono::TimeDelta;
#[cfg(feature = "chrono-tz")]
pub use chrono_tz::Tz;
#[cfg(feature = "macros")]
#[doc = include_str!("docs/job.md")]
pub use rexecutor_derive::job;

#[allow(deprecated, reason = "programs for 0.1 use it")]
pub use crate::node::RexecutorError;
pub use crate::{
    bulk::{enqueue_all, enqueue_all_to_backend},
    context::JobContext,
    events::{events, events_on_backend},
    executing::{ExecutionError, ExecutionResult, Executor},
    global::{GlobalBackendIsSet, NoGlobalBackend, set_global_backend},
    history::history,
    manage::ExecutorExt,
    model::{JobId, JobStatus},
    node::Rexecutor,
    registry::{Extract, ExtractError, State},
    results::{jobs, jobs_on_backend},
    typed::Job,
};

/// What `#[job]` writes refers to. Not public API.
#[doc(hidden)]
pub mod __private {
    pub use async_trait::async_trait;
    pub use inventory::submit;
    #[cfg(feature = "macros")]
    pub use rexecutor_derive::expectation;

    pub use crate::__with_schemas as with_schemas;
    pub use crate::{
        causes::{chain, write_chain},
        executing::{Converted, Decides, Hidden, KnownError, ReturnType, Returned, Typed, gives, weight_of},
        executing::{JobTypes, Part, Parts, TypeName},
        registry::{Extracted, NotExtracted, Parameter, is_extracted},
        signals::while_waiting,
    };
    #[cfg(feature = "schema")]
    pub use crate::{
        executing::HasOutput,
        registry::{DecodedAndDescribed, Described, JobSchemas, NotDescribed, TypeOf},
    };
}
