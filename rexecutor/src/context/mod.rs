//! What a run has around it: the node's backend, clock and state, the row, and what stops it.

mod current;
mod environment;
mod job_context;
mod state;
mod stop;

pub(crate) use self::{
    current::{Current, warn_of_itself, within},
    environment::Environment,
    stop::Stop,
};
pub use self::{job_context::JobContext, state::StateMap, stop::StopReason};
