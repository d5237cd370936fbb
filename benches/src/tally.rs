//! Counting the jobs that were run.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rexecutor::clock::{Clock, SystemClock};
use tokio::sync::Notify;

use crate::{error::Result, sample::Sample, stats::percentile};

/// How long nothing may happen before what is missing counts as lost.
const MAX_SILENCE: Duration = Duration::from_secs(60);

/// What the jobs of one node have done. Its clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    run: AtomicUsize,
    /// At how many runs somebody wants to be woken.
    goal: AtomicUsize,
    reached: Notify,
    /// How long after its enqueuing each job was run, in milliseconds, in the order of the runs.
    delays: Mutex<Vec<f64>>,
}

impl Default for Counts {
    fn default() -> Self {
        let (run, goal) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
        Self { run, goal, reached: Notify::new(), delays: Mutex::default() }
    }
}

impl Tally {
    /// One more job has been run.
    pub(crate) fn count(&self) {
        let run = self.0.run.fetch_add(1, Ordering::SeqCst) + 1;
        if run >= self.0.goal.load(Ordering::SeqCst) {
            self.0.reached.notify_one();
        }
    }

    /// A job has been run that was enqueued at this time.
    pub(crate) fn count_since(&self, micros: i64) {
        let delay = (micros_now() - micros) as f64 / 1e3;
        self.0.delays.lock().unwrap_or_else(PoisonError::into_inner).push(delay);
        self.count();
    }

    pub(crate) fn run(&self) -> usize {
        self.0.run.load(Ordering::SeqCst)
    }

    /// Waits until so many jobs have been run.
    pub(crate) async fn wait(&self, goal: usize) -> Result<()> {
        self.0.goal.store(goal, Ordering::SeqCst);
        loop {
            let before = self.run();
            if before >= goal {
                return Ok(());
            }
            tokio::select! {
                () = self.0.reached.notified() => {}
                () = SystemClock.sleep(MAX_SILENCE) => {
                    if self.run() == before {
                        return Err(format!("{before} of {goal} jobs were run, and then none for {MAX_SILENCE:?}").into());
                    }
                }
            }
        }
    }

    /// The percentiles of the delays, but for those of the first jobs.
    pub(crate) fn delays(&self, case: &str, but_first: usize) -> Vec<Sample> {
        let delays = self.0.delays.lock().unwrap_or_else(PoisonError::into_inner);
        let mut delays: Vec<f64> = delays.iter().skip(but_first).copied().collect();
        delays.sort_by(f64::total_cmp);
        let shares = [("p50 ms", 0.5), ("p95 ms", 0.95), ("p99 ms", 0.99), ("max ms", 1.0)];
        let sample = |(measure, share)| percentile(&delays, share).map(|delay| Sample::new(case, measure, delay));
        shares.into_iter().filter_map(sample).collect()
    }
}

/// The time that all processes of this machine share, in microseconds.
pub(crate) fn micros_now() -> i64 {
    SystemClock.now().timestamp_micros()
}
