//! Clusters in which everything goes wrong.

use std::sync::atomic::{AtomicU64, Ordering};

use rexecutor_testing::{Planted, simulate, simulate_planted};

/// On all cores, each seed on one.
#[test]
fn two_thousand_clusters_keep_every_promise() {
    const SEEDS: u64 = 2_000;
    let next = AtomicU64::new(0);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= SEEDS {
                        return;
                    }
                    let report = simulate(seed);
                    assert!(report.broken.is_empty(), "{report}");
                }
            });
        }
    });
}

#[test]
fn two_runs_of_one_seed_are_alike_to_the_byte() {
    for seed in 0..20 {
        let [first, second] = [simulate(seed), simulate(seed)];
        assert!(first.trace.len() > 50, "{first}");
        assert_eq!(first, second);
    }
    assert_ne!(simulate(1).trace, simulate(2).trace);
}

/// A simulator that finds nothing wrong proves nothing.
#[test]
fn a_backend_that_breaks_a_promise_is_found() {
    let mistakes = [
        Planted::ForgetsLimits,
        Planted::ForgetsSetLimits,
        Planted::LeaksSlots,
        Planted::ServesKeysTwice,
        Planted::ForgetsSharing,
        Planted::RunsTwoOfALine,
        Planted::PassesRetries,
        Planted::ForgetsTurns,
        Planted::LeaksSlotsOfKeys,
        Planted::ForgetsNames,
        Planted::ForgetsOverlap,
        Planted::KeepsTheFirstCall,
        Planted::ForgetsFullQueues,
        Planted::ForgetsWhatIsDone,
        Planted::RepeatsCallbacks,
        Planted::LosesCallbacks,
        Planted::ReleasesEarly,
        Planted::ForgetsFailures,
        Planted::LosesReleases,
        Planted::ForgetsTags,
        Planted::ForgetsNodes,
        Planted::ForgetsBreakers,
        Planted::OpensLate,
        Planted::SpendsTokensOfKeysTwice,
        Planted::ForgetsAging,
    ];
    for planted in mistakes {
        let is_found = |seed| !simulate_planted(seed, Some(planted)).broken.is_empty();
        assert!((0..100).any(is_found), "{planted:?}");
    }
}
