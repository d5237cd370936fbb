//! The behaviour of the engine and of the in-memory backend.

mod macros;
mod node;
mod runs;
mod shutdown;
mod support;

use rexecutor::backend::memory::InMemoryBackend;
use rexecutor_testing::TestClock;

rexecutor_testing::conformance!(memory, |clock: TestClock| async move { InMemoryBackend::new().with_clock(clock) });
