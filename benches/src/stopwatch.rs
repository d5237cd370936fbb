//! How long something takes.

use std::time::{Duration, Instant};

/// Runs from its start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "durations need a clock that nobody sets; only this reads it")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// How many a second, of so many.
    pub(crate) fn rate(&self, count: usize) -> f64 {
        count as f64 / self.elapsed().as_secs_f64().max(1e-9)
    }
}
