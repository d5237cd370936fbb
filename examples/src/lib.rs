//! The examples of rexecutor; run one with `cargo run --example NAME`. What follows is the README, whose programs are
//! compiled and run as tests of this package.
#![doc = include_str!("../../README.md")]
