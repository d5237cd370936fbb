//! The one loop of a node that claims jobs, starts them and settles their outcomes.
//!
//! It owns all that it decides by, so there is no lock: slots are counted, never leaked, because what counts is what
//! runs.
//!
//! # Invariants
//!
//! - A claim that is under way is never dropped: its jobs are this node's from the moment the backend commits.
//! - A claimed job is started or given back; a started job ends in the settlement queue.
//! - While the node is no member it claims nothing.

mod claim;
mod claims;
mod command;
mod commands;
mod idle;
mod phase;
mod running;
mod runs;
mod shutdown;
mod state;
mod work;

pub(super) use self::{
    command::{Command, Connections, Report},
    state::Dispatcher,
};
