//! What a run has around it: the node's backend, clock and state, the row, and what stops it.

mod complete;
mod current;
mod emitter;
mod environment;
mod job_context;
mod job_threads;
mod recorder;
mod reporter;
mod run_steps;
mod saying;
mod state;
mod stop;
mod workers;

pub use self::{
    complete::CompleteError, emitter::EmitError, job_context::JobContext, state::StateMap, stop::StopReason,
};
pub(crate) use self::{
    current::{Current, warn_of_itself, within},
    environment::Environment,
    job_threads::JobThreads,
    recorder::Ended,
    run_steps::{RunSteps, Suspension, Working},
    stop::Stop,
    workers::Watch,
};
