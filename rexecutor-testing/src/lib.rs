//! Testing tools for rexecutor.
