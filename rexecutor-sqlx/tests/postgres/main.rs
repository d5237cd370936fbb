//! What `PgBackend` does, on a real server: that of `DATABASE_URL`. `scripts/postgres cargo test -p rexecutor-sqlx
//! --all-features` starts one.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod access;
mod alive;
mod any;
mod claim;
mod conformance;
mod connect;
#[path = "../../../benches/src/wire.rs"]
mod counter;
mod economy;
mod enqueue;
mod faults;
mod pooler;
mod reach;
mod schema;
mod server;
mod support;
mod watch;
mod wire;
