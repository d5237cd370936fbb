//! The behaviour of the database backends.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "../shared/guide.rs"]
mod guide_text;
#[path = "../shared/log.rs"]
mod log;
mod process;
mod sqlite;
