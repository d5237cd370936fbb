//! How long a loop waits after the database has failed it, and what the log says of that.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{clock::Clock, meters, model::BackendError};

/// The longest that a loop pauses, unless it has a limit of its own.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Waits longer after each failure in a row: 100 ms, doubling, to 10 s, less up to a half at random, so that the nodes of
/// a cluster do not come back together.
#[derive(Debug)]
pub(super) struct Outage {
    clock: Arc<dyn Clock>,
    /// What fails, for the log.
    what: &'static str,
    failures: u32,
    longest: Duration,
    random: StdRng,
}

impl Outage {
    pub(super) fn new(clock: Arc<dyn Clock>, what: &'static str, seed: Option<u64>) -> Self {
        let random = seed.map_or_else(|| StdRng::from_rng(&mut rand::rng()), StdRng::seed_from_u64);
        Self { clock, what, failures: 0, longest: LONGEST_PAUSE, random }
    }

    /// The same with pauses that are no longer than this.
    pub(super) fn with_pauses_up_to(self, longest: Duration) -> Self {
        Self { longest: longest.min(LONGEST_PAUSE), ..self }
    }

    /// What fails.
    pub(super) fn what(&self) -> &'static str {
        self.what
    }

    /// Notes a failure and gives the pause to make. The log has one line for each run of failures.
    pub(super) fn failed(&mut self, error: &BackendError) -> BoxFuture<'static, ()> {
        meters::failed(self.what);
        if self.failures == 0 {
            tracing::error!(
                error = error as &dyn std::error::Error,
                what = self.what,
                "the backend is failing, retrying"
            );
        }
        self.failures = self.failures.saturating_add(1);
        let longest = Duration::from_millis(50 << self.failures.min(8)).min(self.longest);
        self.clock.sleep(longest.mul_f64(self.random.random_range(0.5..=1.0)))
    }

    /// Whether the last try failed.
    pub(super) fn lasts(&self) -> bool {
        self.failures > 0
    }

    /// Notes that it works.
    pub(super) fn is_over(&mut self) {
        if self.failures > 0 {
            tracing::info!(failures = self.failures, what = self.what, "the backend is back");
        }
        self.failures = 0;
    }
}
