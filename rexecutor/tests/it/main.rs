//! The behaviour of the engine and of the in-memory backend.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod aging;
mod ahead;
mod aliases;
mod alive;
mod assertions;
mod batches;
mod blocking;
mod bounds;
mod breakers;
mod capabilities;
mod clocks;
mod cluster_limits;
mod costs;
mod data;
mod deadlines;
mod documents;
mod entries;
mod errors;
mod events;
mod for_0_1;
mod history;
mod idle;
mod keys;
mod layers;
mod leaving;
mod life_cycle;
mod limits;
mod log;
mod macros;
#[cfg(feature = "metrics")]
mod metrics;
mod middleware;
mod node;
mod order;
mod outputs;
mod pauses;
mod progress;
mod reports;
mod room;
mod runs;
mod same_rows;
mod schedules;
#[cfg(feature = "schema")]
mod schema;
mod sentences;
mod set_clocks;
mod set_limits;
mod shared;
mod shutdown;
mod sizes;
mod spans;
mod steps;
mod stops;
mod streams;
mod support;
mod ticks;
mod together;
mod undecoded;
mod unique;
mod workflows;

use rexecutor::backend::memory::InMemoryBackend;
use rexecutor_testing::TestClock;

rexecutor_testing::conformance!(memory, |clock: TestClock| async move { InMemoryBackend::new().with_clock(clock) });
