//! What is the same for all databases.

mod any_store;
mod controlled;
mod extras;
mod filter;
mod log;
mod prune;
mod room;

pub(crate) use self::{
    any_store::{AnyStore, Content, row_of, store},
    controlled::Controlled,
    extras::Stored,
    filter::{Bound, Dialect, condition},
    log::log,
    prune::{Meant, unknown},
    room::{Batch, Last, Reserve, Room},
};
