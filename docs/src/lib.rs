//! The README and the guides. Their programs are compiled and run as tests of this package.
#![doc = include_str!("../../README.md")]

/// The guide to testing.
#[doc = include_str!("../testing.md")]
pub mod testing {}
