#![deny(warnings)]
//! Whoever drops the end of a node means it.

use rexecutor::{backend::memory::InMemoryBackend, prelude::*};

fn main() {
    let node = Rexecutor::new(InMemoryBackend::new());
    let _ = node.graceful_shutdown();
    drop(node.graceful_shutdown());
}
