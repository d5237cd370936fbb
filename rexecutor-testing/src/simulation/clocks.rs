//! The clock of the backend's machine, which somebody sets now and then.

use chrono::TimeDelta;
use rand::RngExt;
use rexecutor::clock::Clock;

use super::world::World;

/// In one cluster of so many somebody sets clocks.
const CLUSTERS: u64 = 4;

/// Whether somebody does in that of this seed.
pub(super) fn are_set(seed: u64) -> bool {
    seed.is_multiple_of(CLUSTERS)
}

impl World {
    /// Sets the clock forward, or back: by seconds, as a rule.
    pub(super) async fn set_clock(&mut self) {
        let by = match self.random.random_range(0..8) {
            0..=3 => TimeDelta::seconds(self.random.random_range(1..600)),
            4..=6 => -TimeDelta::seconds(self.random.random_range(1..60)),
            _ => -TimeDelta::seconds(self.random.random_range(61..1_800)),
        };
        self.record.note(format_args!("the clock is set by {by}"));
        let before = self.clock.now();
        self.clock.jump(by).await;
        if by < TimeDelta::zero() {
            self.record.known().was_stepped_back = true;
            // Other windows of time begin.
            self.audit.started().clear();
        }
        self.record.clock_was_set(before, self.clock.now());
    }
}
