//! What is the same for all databases.

mod controlled;
mod filter;
mod log;
mod prune;

pub(crate) use self::{
    controlled::Controlled,
    filter::{Bound, Dialect, condition},
    log::log,
    prune::{Meant, unknown},
};
