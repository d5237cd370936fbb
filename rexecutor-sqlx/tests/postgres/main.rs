//! What `PgBackend` does, on a real server: that of `DATABASE_URL`. `scripts/postgres cargo test -p rexecutor-sqlx
//! --all-features` starts one.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "../shared/completes.rs"]
#[macro_use]
mod completes_in_transactions;

#[path = "../shared/batches_in.rs"]
#[macro_use]
mod batches_in;

mod access;
mod alive;
mod any;
mod any_transaction;
mod batches;
#[path = "../shared/batches.rs"]
mod batches_of_two;
mod claim;
mod completes;
mod conformance;
mod connect;
mod copies;
mod copying;
#[path = "../../../benches/src/wire.rs"]
mod counter;
mod economy;
mod enqueue;
mod entries;
mod events;
#[path = "../shared/events.rs"]
mod events_of_others;
mod faults;
mod frozen;
mod guide;
#[path = "../shared/guide.rs"]
mod guide_text;
mod importing;
mod keys;
mod leaving;
mod listening;
#[path = "../shared/log.rs"]
mod log;
mod notices;
mod observe;
mod outputs;
#[path = "../shared/outputs.rs"]
mod outputs_of_others;
mod pooler;
#[path = "../it/process.rs"]
mod process;
mod reach;
mod room;
mod schema;
mod server;
mod snooze;
#[cfg(feature = "schema")]
mod stored;
#[cfg(feature = "schema")]
#[path = "../shared/stored.rs"]
mod stored_jobs;
mod support;
mod text;
mod watch;
mod wire;
