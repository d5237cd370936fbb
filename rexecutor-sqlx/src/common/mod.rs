//! What is the same for all databases.

mod controlled;
mod filter;
mod prune;

pub(crate) use self::{
    controlled::Controlled,
    filter::{Bound, Dialect, condition},
    prune::{Meant, unknown},
};
