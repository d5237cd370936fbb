//! The `#[job]` attribute of rexecutor.
