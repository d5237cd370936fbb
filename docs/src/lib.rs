//! The README and the guides. Their programs are compiled and run as tests of this package.
#![doc = include_str!("../../README.md")]
#![doc(test(attr(deny(unused_must_use))))]

/// The guide to testing.
#[doc = include_str!("../testing.md")]
pub mod testing {}

/// The guide to schedules.
#[doc = include_str!("../schedules.md")]
pub mod schedules {}

/// The guide to PostgreSQL.
#[doc = include_str!("../postgres.md")]
pub mod postgres {}

/// The guide to SQLite files.
#[doc = include_str!("../sqlite.md")]
pub mod sqlite {}
