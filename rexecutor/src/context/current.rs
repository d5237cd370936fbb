//! Which job runs here: known while its future is polled, on its task or thread, and not in tasks that it spawns.

use std::cell::Cell;

use crate::model::{Enqueued, JobId};

/// A job and its executor.
pub(crate) type Current = (JobId, &'static str);

thread_local! {
    static CURRENT: Cell<Option<Current>> = const { Cell::new(None) };
}

/// Works for a job, without unwinding.
pub(crate) fn within<T>(job: Current, work: impl FnOnce() -> T) -> T {
    let before = CURRENT.replace(Some(job));
    let value = work();
    CURRENT.set(before);
    value
}

/// Says so when a job has enqueued its own successor and was refused because of itself: it still runs, so nothing was stored,
/// and a chain that goes on from job to job ends here.
pub(crate) fn warn_of_itself(executor: &str, answers: &[Enqueued]) {
    let Some((id, name)) = CURRENT.get().filter(|(_, name)| *name == executor) else { return };
    if answers.iter().any(|answer| answer.is_duplicate() && answer.id() == id) {
        tracing::warn!(
            job.id = %id,
            job.executor = name,
            "a unique job has enqueued its own successor, and was refused because it still runs: nothing was stored. To run \
             again later, return `ExecutionResult::Snooze`; or leave `executing` out of the `statuses` of `unique`"
        );
    }
}
