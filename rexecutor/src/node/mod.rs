//! Setting up a node: which jobs it runs, on which backend, and how it ends.

mod builder;
mod error;
#[cfg(feature = "__testing")]
mod hooks;
mod plan;
mod rexecutor;
mod runtime;
mod shutdown;

pub use self::{
    builder::NodeBuilder,
    error::StartError,
    rexecutor::{GlobalSet, GlobalUnset, Rexecutor},
    shutdown::{DropGuard, Shutdown},
};
