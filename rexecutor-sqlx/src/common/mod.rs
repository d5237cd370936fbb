//! What is the same for all databases.

mod any_store;
mod bounds;
mod controlled;
mod declared;
mod extras;
mod filter;
mod log;
mod pages;
mod prune;
mod room;
mod schema_version;
mod set_limits;

pub use self::schema_version::SchemaVersion;
pub(crate) use self::{
    any_store::{AnyStore, Content, row_of, store},
    bounds::Bounds,
    controlled::Controlled,
    declared::declared,
    extras::Stored,
    filter::{Bound, Dialect, condition},
    log::log,
    pages::{Pages, Stream, Walk, page},
    prune::{Meant, unknown},
    room::{Batch, Last, Reserve, Room},
    schema_version::joined,
    set_limits::{SetNumbers, change_of},
};
