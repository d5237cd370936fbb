#![deny(unused_must_use)]

use rexecutor::{backend::memory::InMemoryBackend, prelude::*};

fn main() {
    let node = Rexecutor::new(InMemoryBackend::new());
    node.graceful_shutdown();
}
