//! The examples of rexecutor; run one with `cargo run --example NAME`.
