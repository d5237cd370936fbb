//! What must have become of the jobs of a call.

use rexecutor::{
    backend::{Filter, JobRow, NewJob, Unique, places},
    job::{
        JobId, JobStatus,
        uniqueness_criteria::{Resolution, Statuses},
    },
};

use super::{Planted, audit::Audit};

impl Audit {
    /// The jobs as a backend with the planted mistake takes them.
    pub(super) fn taken(&self, jobs: &[NewJob]) -> Vec<NewJob> {
        let unique = |unique: Unique| match (self.planted, unique.on_conflict) {
            (Some(Planted::KeepsTheFirstCall), Resolution::Debounce(_)) => unique.with_on_conflict(Resolution::Ignore),
            (Some(Planted::ForgetsWhatIsDone), _) if unique.within.is_some() => {
                unique.with_statuses(Statuses::of(&[JobStatus::Scheduled, JobStatus::Executing, JobStatus::Retryable]))
            }
            _ => unique,
        };
        let room = |most: usize| Some(most).filter(|_| self.planted != Some(Planted::ForgetsFullQueues));
        let taken = |job: &NewJob| {
            let most = job.extras.max_pending.and_then(room);
            job.clone().with_unique(job.unique.clone().map(unique)).with_max_pending(most)
        };
        jobs.iter().map(taken).collect()
    }

    /// Looks at what is left of a call that is debounced, under this number.
    pub(super) fn check_call(&self, job: &NewJob, id: JobId) {
        let Some(Resolution::Debounce(debounce)) = job.unique.as_ref().map(|unique| unique.on_conflict) else { return };
        let row = self.find(&Filter::IdIn(vec![id])).pop();
        let is_due_in_time = |row: &JobRow| row.lease.0 > 0 || row.scheduled_at <= row.inserted_at + debounce.longest;
        if !row.as_ref().is_some_and(|row| row.status.is_pending() && row.data == job.data && is_due_in_time(row)) {
            self.record
                .broken(format_args!("a call of {} became {row:?}, and its data are {}", job.executor, job.data));
        }
    }

    /// Looks at the queues in which only so many jobs may wait, after a call that was taken or refused.
    pub(super) fn check_room(&self, jobs: &[NewJob], is_taken: bool) {
        for wanted in places(jobs) {
            let waits = |row: &JobRow| row.executor == wanted.executor && row.status.is_pending();
            let waiting = self.rows().iter().filter(|row| waits(row)).count();
            let (most, count) = (wanted.max_pending, wanted.count);
            if is_taken && waiting > most {
                self.record.broken(format_args!("{waiting} of {} wait, and {most} may", wanted.executor));
            }
            if !is_taken && waiting + count <= most {
                self.record.broken(format_args!("{count} of {} were refused, and {waiting} wait", wanted.executor));
            }
        }
    }
}
