//! What a run has around it: the node's backend, clock and state, the row, and what stops it.

mod environment;
mod job_context;
mod state;
mod stop;

pub(crate) use self::{environment::Environment, stop::Stop};
pub use self::{job_context::JobContext, state::StateMap};
