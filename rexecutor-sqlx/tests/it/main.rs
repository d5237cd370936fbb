//! The behaviour of the database backends.

#[path = "../shared/guide.rs"]
mod guide_text;
#[path = "../shared/log.rs"]
mod log;
mod sqlite;
