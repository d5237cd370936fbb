//! A cluster that is simulated: real nodes, on virtual time, in one thread, with everything going wrong that can.
//!
//! Every node is the engine itself. What is not real is the time, the network between a node and the backend, and how a
//! process dies. All of it follows from one number, the seed: a run that breaks a promise is found again, step by step.
//!
//! # Promises
//!
//! Checked at every step:
//!
//! 1. What was enqueued is there.
//! 2. No run of a job, which is a job and a lease, begins twice.
//! 3. A settlement is accepted exactly while its run is the job's, and says what became of the run: none is accepted
//!    before its run has ended, and no run that has ended is given back.
//! 4. Of the jobs with one unique key, one at most is unfinished.
//! 5. Each tick of a schedule is enqueued once, however many nodes there are, whatever their versions, and whenever they are
//!    restarted.
//! 6. Jobs are claimed, and begin on each node, in order, in which those that have waited may have risen.
//! 7. No node runs more jobs than it may, of one executor or of all.
//! 8. Of an executor that is paused, or while the whole cluster is, nothing is claimed, nor by a node that is paused, nor a job that has a
//!    paused tag; what else is due is, whatever was set aside.
//! 9. Never more jobs of an executor with a limit of the cluster are executing than it allows, whatever nodes die or freeze, and also where
//!    somebody changes the limit.
//! 10. In no window of time more jobs of an executor with a rate are claimed than its burst and what the window brings, nor more of one key
//!     where each has a rate of its own; and no key is left waiting that has tokens.
//! 11. No node is declared dead that was heard within its timeout, or that could not be heard because the backend was away.
//! 12. Never more jobs of one key are executing than the limit of their executor allows, whatever nodes die or freeze; no key is
//!     served twice while another one that has due jobs and room waits; and no slot of a key is left empty.
//! 13. Of a schedule entry that was added at run time and allows no overlap, one job at most is unfinished, and none is enqueued
//!     while it is paused.
//! 14. Each call of a debounced job is in the job that is left of it, which is due in time, and of those that have not begun
//!     there is one a key. In no window of time two calls of a throttled job are enqueued.
//! 15. No call makes more jobs of an executor wait than may, and none is refused for which there is room.
//! 16. Each callback of a batch is enqueued once, that of its end when all of its jobs have ended.
//! 17. No task of a workflow begins before those before it have ended as it wants, and none is left behind.
//! 18. Of an executor whose circuit breaker is open nothing is claimed before its pause is over, and then one job at a time.
//!
//! And at the end, when nothing goes wrong any more: every job and every batch finishes, no tick is missing, and a new job begins when it
//! is due, not when the node next polls.

mod audit;
mod batches;
mod calls;
mod clocks;
mod entries;
mod expected;
mod fragile;
mod jobs;
mod mistakes;
mod node;
mod pauses;
mod record;
mod scarce;
mod shares;
mod steps;
mod turns;
mod workflows;
mod world;

use std::fmt;

use rexecutor::testing::job_runner::isolate;

use self::world::World;
use crate::idle;

/// What one simulation did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// What it followed from.
    pub seed: u64,
    /// Everything that happened, in order. Two simulations of one seed have the same.
    pub trace: Vec<String>,
    /// The promises that were broken; none, if all is well.
    pub broken: Vec<String>,
}

/// Simulates a cluster for some minutes of its time.
///
/// ```
/// let report = rexecutor_testing::simulate(7);
/// assert!(report.broken.is_empty(), "{report}");
/// ```
///
/// # Panics
///
/// When no tokio runtime can be made.
pub fn simulate(seed: u64) -> Report {
    simulate_planted(seed, None)
}

/// A mistake of the backend's, to see that it is found. Not public API.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// It does not hear of limits of the cluster.
    ForgetsLimits,
    /// It does not hear of limits that somebody sets.
    ForgetsSetLimits,
    /// It counts the runs of a dead node for ever.
    LeaksSlots,
    /// It gives one job of a key too many.
    ServesKeysTwice,
    /// It does not hear that executors share a limit.
    ForgetsSharing,
    /// It runs two jobs of a line at once.
    RunsTwoOfALine,
    /// It lets a job start while the one before it in its line waits for a retry.
    PassesRetries,
    /// It serves the keys as their jobs come.
    ForgetsTurns,
    /// It counts the runs of a dead node for ever, for the limit of a key.
    LeaksSlotsOfKeys,
    /// Schedules of programs of two versions are two schedules.
    ForgetsNames,
    /// It enqueues a tick whatever has become of the job before it.
    ForgetsOverlap,
    /// It keeps the first call of a debounced job.
    KeepsTheFirstCall,
    /// It takes jobs for which there is no room.
    ForgetsFullQueues,
    /// It forgets throttled jobs that have finished.
    ForgetsWhatIsDone,
    /// It enqueues callbacks of batches again.
    RepeatsCallbacks,
    /// It forgets callbacks of batches.
    LosesCallbacks,
    /// It lets a task begin once the first of those before it has ended.
    ReleasesEarly,
    /// It lets a task begin however those before it have ended.
    ForgetsFailures,
    /// It does not let a task begin.
    LosesReleases,
    /// It claims jobs whose tag is paused.
    ForgetsTags,
    /// It lets nodes claim that are paused.
    ForgetsNodes,
    /// It does not hear of circuit breakers.
    ForgetsBreakers,
    /// It opens a circuit breaker one failure too late.
    OpensLate,
    /// It gives a token of a key twice.
    SpendsTokensOfKeysTwice,
    /// It does not let jobs rise as they wait.
    ForgetsAging,
}

/// The same with a backend that makes a mistake. Not public API.
///
/// # Panics
///
/// When no tokio runtime can be made.
#[doc(hidden)]
pub fn simulate_planted(seed: u64, planted: Option<Planted>) -> Report {
    let runtime = match idle::runtime() {
        Ok(runtime) => runtime,
        Err(error) => panic!("could not make a tokio runtime: {error}"),
    };
    let world = World::new(seed, planted);
    let record = world.record();
    let isolated = isolate(runtime.handle(), world.backend());
    idle::with_hook(|| runtime.block_on(world.run()));
    drop(isolated);
    let (trace, broken) = record.take();
    // What still runs ends here, unrecorded.
    drop(runtime);
    Report { seed, trace, broken }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LAST: usize = 60;
        let Self { seed, trace, broken } = self;
        writeln!(f, "seed {seed}: {} events, {} promises broken", trace.len(), broken.len())?;
        broken.iter().try_for_each(|message| writeln!(f, "  {message}"))?;
        if !broken.is_empty() {
            writeln!(f, "the last events; `rexecutor_testing::simulate({seed})` has them all:")?;
            let skipped = trace.len().saturating_sub(LAST);
            trace.iter().skip(skipped).try_for_each(|line| writeln!(f, "  {line}"))?;
        }
        Ok(())
    }
}
