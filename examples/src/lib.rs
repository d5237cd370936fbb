//! The examples of rexecutor; run one with `cargo run --example NAME`. What follows is the README, whose programs are
//! compiled and run as tests of this package.
#![doc = include_str!("../../README.md")]

/// The guide to testing.
#[doc = include_str!("../../docs/testing.md")]
pub mod testing {}
