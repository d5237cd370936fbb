//! Mistakes that a backend makes on purpose.

use rexecutor::backend::{ClusterLimits, JobRow, NewJob};

use super::Planted;

/// What a backend with this mistake hears of what is declared, that counts so many runs of dead nodes, and of their keys.
pub(super) fn heard(planted: Option<Planted>, cluster: ClusterLimits, leaked: usize, of_keys: usize) -> ClusterLimits {
    let in_turn = |most| cluster.with_per_key(cluster.ordered.then_some(most)).with_ordered(false);
    match planted {
        Some(Planted::ForgetsLimits) => ClusterLimits::NONE,
        Some(Planted::ForgetsTurns) => cluster.with_per_key(None),
        Some(Planted::ForgetsSharing) => cluster.with_shared(&[]),
        Some(Planted::RunsTwoOfALine) => in_turn(2),
        Some(Planted::PassesRetries) => in_turn(1),
        Some(Planted::SpendsTokensOfKeysTwice) => {
            cluster.with_key_rate(cluster.key_rate.map(|rate| rate.with_burst(rate.burst + 1)))
        }
        Some(Planted::ForgetsAging) => cluster.with_aging(None),
        Some(Planted::ServesKeysTwice) => cluster.with_per_key(cluster.per_key.map(|most| most + 1)),
        _ => {
            let cluster = cluster.with_per_key(cluster.per_key.map(|most| most.saturating_sub(of_keys)));
            cluster.with_concurrency(cluster.concurrency.map(|most| most.saturating_sub(leaked)))
        }
    }
}

/// The job once more.
pub(super) fn again(row: JobRow) -> NewJob {
    NewJob::new(row.executor, row.data).with_summary(row.extras.summary.clone())
}
