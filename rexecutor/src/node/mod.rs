//! Setting up a node: which jobs it runs, on which backend, and how it ends.

mod amounts;
mod builder;
mod error;
#[cfg(feature = "__testing")]
mod hooks;
mod middleware;
mod plan;
mod rexecutor;
mod rexecutor_error;
mod runtime;
mod shutdown;

#[allow(deprecated, reason = "programs for 0.1 use it")]
#[doc(hidden)]
pub use self::rexecutor_error::RexecutorError;
pub use crate::engine::{JobEvent, JobEventKind};

pub use self::{
    builder::NodeBuilder,
    error::StartError,
    rexecutor::{GlobalSet, GlobalUnset, Rexecutor},
    shutdown::{DropGuard, Shutdown},
};
