//! Jobs in a PostgreSQL database that many nodes on many machines share.
//!
//! Every call is one transaction, begun with the settings that it needs, or one statement on a connection that was opened
//! with them: where a pooler hands each transaction another session, nothing is kept in it. What a transition does to a
//! row is decided by [`rexecutor::backend::lifecycle`] wherever it is rare, under the row's lock; only claims and
//! completions, which are frequent, are statements of their own.
//!
//! # Invariants
//!
//! - The database's clock decides, unless the options have one.
//! - Locks on several rows are taken in ascending order, of numbers or of keys; by completions, of places. Two who want the
//!   same rows in different orders are a node and the one that took it for dead: then the server fails one of them, and
//!   that one tries again.
//! - Listeners are woken, and other processes notified, after the commit.

mod access;
mod admit;
mod advance;
mod any_store;
mod audit;
mod backend;
mod breakers;
mod claim;
mod claim_cursors;
mod conflicts;
mod connect;
mod connect_error;
mod connection_cache;
mod control;
mod copy;
mod copy_moves;
mod copy_rows;
mod doctor;
mod ends;
mod enqueue;
mod enqueue_group;
mod entries;
mod error;
mod events;
mod extras;
mod failover;
mod filter;
mod flow_list;
mod flow_rows;
mod flows;
mod flows_in;
mod group_commit;
mod history;
mod import;
mod inspect;
mod key_waiters;
mod large;
mod listener;
mod maintain;
mod member_connection;
mod migrate;
mod notices;
mod notify;
mod observe;
mod options;
mod origin;
mod own_thread;
mod pooled;
mod prune;
mod queries;
mod reach;
mod reports;
mod room;
mod rotate;
mod row;
mod row_locations;
mod runtime;
mod scan;
mod schema;
mod session;
mod set_limits;
mod settle;
mod settle_in;
mod steps;
mod streams;
mod survey;
mod tags;
mod task_rows;
mod tasks;
mod transaction;
mod unique;
mod watch;
mod write;

pub use self::{backend::PgBackend, connect_error::ConnectError, options::PgOptions};
