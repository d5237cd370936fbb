//! The behaviour of the database backends.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "../shared/batches_in.rs"]
#[macro_use]
mod batches_in;
#[path = "../shared/batches.rs"]
mod batches_of_two;
#[path = "../shared/completes.rs"]
#[macro_use]
mod completes;
#[path = "../shared/events.rs"]
mod events_of_others;
#[path = "../shared/guide.rs"]
mod guide_text;
#[path = "../shared/log.rs"]
mod log;
#[path = "../shared/outputs.rs"]
mod outputs_of_others;
mod process;
mod sqlite;
#[cfg(feature = "schema")]
#[path = "../shared/stored.rs"]
mod stored_jobs;
