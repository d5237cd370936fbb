//! Database backends of rexecutor.
