//! Jobs in an SQLite file.
//!
//! # How it works
//!
//! One thread, the [`writer`], owns the one connection that writes. Calls are sent to it and wait for their answer, so
//! that calls which arrive while a transaction is in flight share the next one, and a caller that goes away leaves
//! nothing half done. The driver in turn has a thread of its own, and going there and back takes longer than most
//! statements: a transaction is a few [`script`]s. The SQL finds and stores rows; what becomes of a row is decided by the
//! functions of [`lifecycle`](rexecutor::backend::lifecycle), under the write lock of the file.
//!
//! # Invariants
//!
//! - Every write happens in a transaction that began with `BEGIN IMMEDIATE`: one that reads first and then writes would be
//!   refused with `SQLITE_BUSY`, whatever the timeout.
//! - Listeners are woken after the commit and before the answer.
//! - Within a process, time does not run backwards from one transaction to the next.

mod admit;
mod any_store;
mod audit;
mod backend;
mod breakers;
mod checkpoint;
mod claim;
mod complete;
mod control;
mod copy;
mod copy_moves;
mod copy_rows;
mod core;
mod doctor;
mod due_rows;
mod durability;
#[cfg(test)]
mod economy;
mod ends;
mod enqueue;
mod entries;
mod error;
mod events;
mod extras;
mod fast_path;
mod filter;
mod flow_list;
mod flow_rows;
mod flows;
mod flows_in;
mod history;
mod inspect;
mod long_queues;
mod maintain;
mod migrate;
mod observe;
mod open;
mod outcomes;
mod place;
mod prune;
mod queries;
mod read;
mod readers;
mod reports;
mod request;
mod room;
mod rotate;
mod row;
mod scan;
mod schema;
mod script;
mod serve;
mod set_limits;
mod settle;
mod settle_in;
mod steps;
mod store;
mod streams;
mod survey;
mod tags;
mod task_rows;
mod tasks;
mod transaction;
mod unique;
mod watch;
mod work;
mod write;
mod writer;

pub(crate) use self::doctor::examine;
pub(crate) use self::schema::{migration_script, schema_version};
pub use self::{backend::SqliteBackend, durability::Durability, error::OpenError, open::SqliteOptions};
