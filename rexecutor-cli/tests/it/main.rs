//! The command as it is built, on real databases.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod changes;
mod docs;
mod enqueue_sql;
mod flows;
mod frame;
mod jobs;
mod measure;
mod migrate;
mod production;
mod support;
mod views;
