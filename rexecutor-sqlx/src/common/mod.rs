//! What is the same for all databases.

mod conflicts;
mod controlled;
mod filter;
mod prune;

pub(crate) use self::{
    conflicts::Round,
    controlled::Controlled,
    filter::{Bound, Dialect, condition},
    prune::{Meant, unknown},
};
