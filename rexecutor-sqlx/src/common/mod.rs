//! What is the same for all databases.

mod any_store;
mod aside;
mod audit;
mod bounds;
mod breakers;
mod controlled;
mod cursor;
mod declared;
mod extras;
mod feed;
mod filter;
mod history;
mod log;
mod nanos;
mod pages;
mod prune;
mod room;
mod schema_version;
mod set_limits;
mod tasks;

pub use self::schema_version::SchemaVersion;
pub(crate) use self::{
    any_store::{AnyStore, Content, row_of, store},
    aside::{AT_ONCE, Aside, PausedTags, executors_of},
    audit::{AuditColumns, looked_at, rows},
    bounds::Bounds,
    breakers::{BreakerColumns, Heard, heed},
    controlled::Controlled,
    declared::{aging_micros, declared},
    extras::Stored,
    feed::{COUNTS_FOR, Feed, MOST_KEPT, Rows, enqueued},
    filter::{Bound, Dialect, condition},
    history::{MOST_MOVED, whole_micros},
    log::log,
    nanos::{instant_of_nanos, nanos},
    pages::{Pages, Stream, Walk, page},
    prune::{Meant, unknown},
    room::{Batch, Last, Reserve, Room},
    schema_version::joined,
    set_limits::{RateNumbers, SetNumbers, change_of},
    tasks::{Decisions, is_skipped},
};
