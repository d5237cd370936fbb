//! Calls to a backend, as they are made up.

use rexecutor::{
    backend::{Filter, JobChange, JobRow, KeyChange, NewJob, Outcome, Pause, Scope},
    job::{ExecutorName, JobId, JobStatus, Lease},
    pruner::PruneSpec,
};

/// One call. Jobs, nodes and leases are chosen so that most calls meet something.
#[derive(Debug, Clone)]
pub(super) enum Call {
    Enqueue(Vec<NewJob>),
    Schedules(Vec<u8>),
    Tick {
        schedule: u8,
        seconds: i64,
        local: Option<i64>,
        jobs: Vec<NewJob>,
    },
    Rewind {
        schedule: u8,
        from: i64,
        to: i64,
    },
    Join {
        timeout: u64,
    },
    Heartbeat {
        node: i64,
    },
    Leave {
        node: i64,
    },
    Claim {
        node: i64,
        demands: Vec<(ExecutorName, usize)>,
    },
    Settle(Vec<End>),
    /// The dead, and how often each is said to have been heard.
    Rescue(Vec<(i64, i64)>),
    Prune(PruneSpec, usize),
    Query(Filter, usize),
    Cancel(Target, String),
    Rerun(Target),
    Release(Target),
    Update(Target, Box<Change>),
    Pause(Scope, Pause),
    Resume(Scope),
    Paused,
    Advance(i64),
}

/// A job to change by hand.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) executor: ExecutorName,
    pub(super) pick: usize,
}

impl Target {
    /// Nearly always a job that there is, with its own executor.
    pub(super) fn among(&self, rows: &[JobRow]) -> (ExecutorName, JobId) {
        let stored = rows.get(self.pick % rows.len().max(1)).filter(|_| !self.pick.is_multiple_of(8));
        let none = || (self.executor.clone(), JobId::from(i64::try_from(self.pick).unwrap_or_default()));
        stored.map_or_else(none, |row| (row.executor.clone(), row.id))
    }
}

/// How a run ends.
#[derive(Debug, Clone)]
pub(super) struct End {
    pub(super) pick: usize,
    /// The less, the less it is a run that there is.
    pub(super) luck: u8,
    pub(super) outcome: Outcome,
}

impl End {
    /// Nearly always the end of a run that there is: the statement for those is another than for the rest.
    pub(super) fn among(&self, rows: &[JobRow]) -> (JobId, Lease) {
        let runs: Vec<_> = rows.iter().filter(|job| job.status == JobStatus::Executing).collect();
        let run = runs.get(self.pick % runs.len().max(1)).map(|job| (job.id, job.lease));
        let none = (JobId::from(i64::from(self.luck) + 1), Lease(1));
        let (id, Lease(lease)) = run.filter(|_| self.luck > 0).unwrap_or(none);
        (id, Lease(if self.luck == 1 { lease - 1 } else { lease }))
    }
}

/// What an update changes.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) job: NewJob,
    pub(super) scheduled_at: chrono::DateTime<chrono::Utc>,
    pub(super) key: KeyChange,
}

impl Change {
    /// The change, of any job.
    pub(super) fn to_any(&self) -> JobChange {
        let row = JobRow::new(JobId::from(1), self.job.clone(), self.scheduled_at);
        let mut change = JobChange::of(&row);
        change.scheduled_at = self.scheduled_at;
        change.key = self.key.clone();
        change
    }
}
