//! What is the same for all databases.

mod any_store;
mod controlled;
mod declared;
mod extras;
mod filter;
mod log;
mod prune;
mod room;

pub(crate) use self::{
    any_store::{AnyStore, Content, row_of, store},
    controlled::Controlled,
    declared::{Declared, declared},
    extras::Stored,
    filter::{Bound, Dialect, condition},
    log::log,
    prune::{Meant, unknown},
    room::{Batch, Last, Reserve, Room},
};
