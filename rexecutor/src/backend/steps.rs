//! What is recorded of the steps of jobs: a capability of a backend, and the one function that decides what a step becomes.

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;

use super::Backend;
use crate::model::{AmendError, BackendError, ExecutorName, JobId, Lease, Result, after};

/// Keeps what is recorded of the [steps](crate::steps) of jobs, and takes in signals.
///
/// # Contract
///
/// - `step` changes nothing, and answers `None`, unless the job is executing under this lease in the very transaction that stores
///   the step. What it stores is what [`StepChange::apply`] says of the step of this kind and name as it stands. To call it again is
///   safe: a step that is done stays as it is.
/// - `signal` stores what [`StepRow::signal`] says, and does to the job what
///   [`lifecycle::signal`](super::lifecycle::signal) says, in one transaction, or refuses as that does. Once it has returned, every
///   wakeup fires for the executor of a job that has become due.
/// - A job of which anything is stored here has [`Marks::STEPS`](super::Marks::STEPS). Whatever deletes it, or takes that mark, deletes
///   its steps in the same transaction.
/// - `fork` enqueues the job that [`lifecycle::forked`](super::lifecycle::forked) gives, with a copy of each step that
///   [`StepRow::is_before`] the one that is named, in one transaction.
pub trait StepLog: Send + Sync {
    /// What is recorded of a job's steps, by their places, then by kind and name.
    fn steps<'a>(&'a self, job: JobId) -> BoxFuture<'a, Result<Vec<StepRow>>>;

    /// Takes a step further under a run's lease, and gives what is recorded of it then; `None`: the run is not the job's any more.
    fn step<'a>(&'a self, job: JobId, lease: Lease, change: StepChange) -> BoxFuture<'a, Result<Option<StepRow>>>;

    /// Stores a signal, and makes a job due that waits for signals.
    fn signal<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        name: &'a str,
        value: String,
    ) -> BoxFuture<'a, Result<Signalled, AmendError>>;

    /// Enqueues a finished job anew, with its steps before the one of this name.
    fn fork<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        from: &'a str,
    ) -> BoxFuture<'a, Result<JobId, AmendError>>;
}

/// The capability to record steps, of a backend that has it.
///
/// # Errors
///
/// Names the backend and the capability, if it lacks it.
pub fn step_log<B: Backend + ?Sized>(backend: &B) -> Result<&dyn StepLog> {
    backend
        .step_log()
        .ok_or_else(|| BackendError::unsupported(backend.name(), "durable steps and signals (`Backend::step_log`)"))
}

/// What kind of step it is. Steps of different kinds may have the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StepKind {
    /// Work whose result is kept.
    Run,
    /// A time that passes.
    Sleep,
    /// A signal that comes, or a time limit that passes.
    Wait,
    /// Which version of the code the job goes by.
    Version,
}

impl StepKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Run, Self::Sleep, Self::Wait, Self::Version];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Sleep => "sleep",
            Self::Wait => "wait",
            Self::Version => "version",
        }
    }

    /// The kind that a stored word names.
    pub fn from_stored(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What is recorded of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepRow {
    /// What kind of step it is.
    pub kind: StepKind,
    /// Its name.
    pub name: String,
    /// Which of the job's steps it is, counted from 0. `None`: a version, or a signal that no step has waited for yet.
    pub place: Option<u32>,
    /// When a sleep, or a wait with a time limit, is over.
    pub until: Option<DateTime<Utc>>,
    /// What it gave, as JSON: a result, a signal's value, a version.
    pub output: Option<String>,
    /// When it was over; `None`: it is not.
    pub done_at: Option<DateTime<Utc>>,
}

impl StepRow {
    /// A step of which nothing else is recorded yet.
    pub fn new(kind: StepKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into(), place: None, until: None, output: None, done_at: None }
    }

    /// Whether it is over.
    pub fn is_done(&self) -> bool {
        self.done_at.is_some()
    }

    /// A signal of this name comes: what it is to the one who sends it, and the step, if it has changed.
    ///
    /// The first signal of a name stands. One that comes at the end of the wait's time limit or after it is too late.
    pub fn signal(stored: Option<Self>, name: &str, value: String, now: DateTime<Utc>) -> (Signalled, Option<Self>) {
        let row = stored.unwrap_or_else(|| Self::new(StepKind::Wait, name));
        if row.output.is_some() {
            return (Signalled::AlreadyThere, None);
        }
        if row.is_done() || row.until.is_some_and(|until| until <= now) {
            return (Signalled::TooLate, None);
        }
        (Signalled::Stored, Some(Self { output: Some(value), done_at: Some(now), ..row }))
    }

    /// The place of the first of these steps that has this name, which a fork begins with.
    pub fn place_of(steps: &[Self], name: &str) -> Option<u32> {
        steps.iter().filter(|step| step.name == name).filter_map(|step| step.place).min()
    }

    /// Whether a fork that begins with the step at `place` keeps it: it is over, and came before. Versions are kept, so that the fork
    /// goes the same way; signals that nothing has waited for are not.
    pub fn is_before(&self, place: u32) -> bool {
        self.is_done() && self.place.map_or(self.kind == StepKind::Version, |own| own < place)
    }

    /// Sorts what is recorded of a job.
    pub fn sort(steps: &mut [Self]) {
        steps.sort_by(|a, b| {
            (a.place.is_none(), a.place, a.kind, &a.name).cmp(&(b.place.is_none(), b.place, b.kind, &b.name))
        });
    }
}

/// What became of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a signal may be too late"]
#[non_exhaustive]
pub enum Signalled {
    /// It is stored: the job has it, or finds it when it comes to wait for it.
    Stored,
    /// An earlier signal of this name stands, and this one changes nothing.
    AlreadyThere,
    /// The job's time to wait for it is over, and this one changes nothing.
    TooLate,
}

/// How a run takes a step further.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepChange {
    /// What it is called.
    pub name: String,
    /// Which of the job's steps it is, counted from 0; `None`: a version, which has no place.
    pub place: Option<u32>,
    /// What happens to it.
    pub action: StepAction,
}

/// What happens to a step.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepAction {
    /// Its work is done, and gave this, as JSON.
    Record(String),
    /// It sleeps for so long from when it was first asked.
    Sleep(TimeDelta),
    /// It waits for a signal, for so long from when it was first asked; `None`: for ever.
    Wait(Option<TimeDelta>),
    /// The job goes by this version of the code.
    Version(u32),
}

impl StepChange {
    /// Takes a step further.
    pub fn new(name: impl Into<String>, place: Option<u32>, action: StepAction) -> Self {
        Self { name: name.into(), place, action }
    }

    /// Of which kind the step is.
    pub fn kind(&self) -> StepKind {
        match self.action {
            StepAction::Record(_) => StepKind::Run,
            StepAction::Sleep(_) => StepKind::Sleep,
            StepAction::Wait(_) => StepKind::Wait,
            StepAction::Version(_) => StepKind::Version,
        }
    }

    /// What is recorded of the step from `now` on, of which `stored` was recorded before. What is done stays as it is.
    pub fn apply(&self, stored: Option<StepRow>, now: DateTime<Utc>) -> StepRow {
        let is_new = stored.as_ref().is_none_or(|row| row.place.is_none());
        let mut row = stored.unwrap_or_else(|| StepRow::new(self.kind(), &self.name));
        if is_new {
            // Also of a signal that came before.
            row.place = self.place;
        }
        if row.is_done() {
            return row;
        }
        match &self.action {
            StepAction::Record(output) => (row.output, row.done_at) = (Some(output.clone()), Some(now)),
            StepAction::Version(version) => (row.output, row.done_at) = (Some(version.to_string()), Some(now)),
            StepAction::Sleep(delay) if is_new => row.until = Some(after(now, *delay)),
            StepAction::Wait(limit) if is_new => row.until = limit.map(|limit| after(now, limit)),
            StepAction::Sleep(_) | StepAction::Wait(_) => {}
        }
        if row.until.is_some_and(|until| until <= now) {
            row.done_at = Some(now);
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn wait(limit: Option<i64>) -> StepChange {
        StepChange::new("approval", Some(3), StepAction::Wait(limit.map(TimeDelta::seconds)))
    }

    #[test]
    fn a_result_is_recorded_once() {
        let record = |output: &str| StepChange::new("charge", Some(0), StepAction::Record(output.to_owned()));
        let first = record("1").apply(None, at(1));
        assert_eq!((first.place, first.output.as_deref(), first.done_at), (Some(0), Some("1"), Some(at(1))));
        assert_eq!(record("2").apply(Some(first.clone()), at(2)), first);
    }

    #[test]
    fn a_sleep_counts_from_when_it_was_first_asked() {
        let sleep = |seconds| StepChange::new("nap", Some(1), StepAction::Sleep(TimeDelta::seconds(seconds)));
        let row = sleep(10).apply(None, at(0));
        assert_eq!((row.until, row.is_done()), (Some(at(10)), false));
        let row = sleep(99).apply(Some(row), at(9));
        assert_eq!((row.until, row.is_done()), (Some(at(10)), false));
        assert!(sleep(10).apply(Some(row), at(10)).is_done());
        assert!(sleep(0).apply(None, at(0)).is_done());
    }

    #[test]
    fn the_first_signal_stands_and_one_at_the_time_limit_is_too_late() {
        let signal = |row: Option<StepRow>, value: &str, now| StepRow::signal(row, "approval", value.to_owned(), now);
        let (answer, early) = signal(None, "1", at(0));
        assert_eq!(answer, Signalled::Stored);
        let early = wait(Some(5)).apply(early, at(9));
        assert_eq!((early.place, early.output.as_deref(), early.is_done()), (Some(3), Some("1"), true));
        assert_eq!(signal(Some(early), "2", at(9)), (Signalled::AlreadyThere, None));

        let waiting = wait(Some(5)).apply(None, at(0));
        assert_eq!(signal(Some(waiting.clone()), "1", at(4)).0, Signalled::Stored);
        assert_eq!(signal(Some(waiting.clone()), "1", at(5)), (Signalled::TooLate, None));
        let over = wait(Some(5)).apply(Some(waiting), at(5));
        assert!(over.is_done() && over.output.is_none());
        assert_eq!(signal(Some(over), "1", at(6)), (Signalled::TooLate, None));
        assert!(!wait(None).apply(Some(wait(None).apply(None, at(0))), at(999)).is_done());
    }
}
