//! The command as it is built, on real databases.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod audit;
mod changes;
mod copy;
mod docs;
mod doctor;
mod enqueue_sql;
mod flows;
mod frame;
mod import;
mod jobs;
mod measure;
mod migrate;
mod production;
mod schema;
#[path = "../../../rexecutor-sqlx/tests/postgres/server.rs"]
mod server;
mod support;
mod top;
mod views;
