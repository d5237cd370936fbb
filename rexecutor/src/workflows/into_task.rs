//! Jobs that become tasks.

use std::marker::PhantomData;

use super::predecessors::Predecessors;
use crate::{
    builder::{EnqueueError, JobBuilder, ReadyData},
    executing::{Accepts, ComesFirst, HasOutput, HasUpstream},
    model::{NewJob, RunWhen, Task},
};

/// A job that can be given to [`Tasks::task`](super::Tasks::task): a builder that has its data, alone or
/// [after](JobBuilder::after) other tasks.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no job that is ready to be a task",
    label = "not a job with its data",
    note = "give a builder with its data, as `Resize::builder().with_data(..)`, or `.with_data(..).after(&first)`",
    note = "a job that was built elsewhere is added with `Tasks::add`"
)]
pub trait IntoTask {
    /// What it gives.
    type Output;

    /// The job of a task of this name.
    ///
    /// # Errors
    ///
    /// When a field is not acceptable.
    fn into_task(self, name: String) -> Result<NewJob, EnqueueError>;
}

impl<E: HasOutput + HasUpstream<Upstream: ComesFirst>, D: ReadyData<E::Data>> IntoTask for JobBuilder<'_, E, D> {
    type Output = E::Output;

    fn into_task(self, name: String) -> Result<NewJob, EnqueueError> {
        Ok(self.encode()?.with_task(Task::new(name)))
    }
}

/// A job, and what it comes after in its workflow; see [`JobBuilder::after`].
#[must_use = "it is a task once it is given to `Tasks::task`"]
#[derive(Debug)]
pub struct AfterTasks<E> {
    job: Result<NewJob, EnqueueError>,
    after: (Vec<String>, bool),
    run_when: RunWhen,
    executor: PhantomData<fn(E)>,
}

impl<E: HasOutput> IntoTask for AfterTasks<E> {
    type Output = E::Output;

    fn into_task(self, name: String) -> Result<NewJob, EnqueueError> {
        let Self { job, after: (names, joins), run_when, executor: _ } = self;
        Ok(job?.with_task(Task::new(name).with_after(names, joins).with_run_when(run_when)))
    }
}

/// A job as a task of a [workflow](crate::workflows).
impl<E: HasOutput + HasUpstream, D: ReadyData<E::Data>> JobBuilder<'_, E, D> {
    /// It runs when these tasks have succeeded, and may take what they gave as [`Upstream`](crate::workflows::Upstream). It is cancelled as
    /// soon as one of them has failed, and skipped as soon as one was.
    pub fn after<P: Predecessors>(self, tasks: P) -> AfterTasks<E>
    where
        E::Upstream: Accepts<P::Outputs>,
    {
        self.when(RunWhen::AllSucceeded, tasks.names())
    }

    /// It runs when these tasks have ended, none has failed, and one at least was not skipped: where branches meet of which some are skipped.
    /// It may take an `Option` of what each of them gave.
    pub fn after_branches<P: Predecessors>(self, tasks: P) -> AfterTasks<E>
    where
        E::Upstream: Accepts<P::Ends>,
    {
        self.when(RunWhen::NoneFailed, tasks.names())
    }

    /// It runs when these tasks have ended, in whatever way. It may take an `Option` of what each of them gave.
    pub fn after_any_end<P: Predecessors>(self, tasks: P) -> AfterTasks<E>
    where
        E::Upstream: Accepts<P::Ends>,
    {
        self.when(RunWhen::AllEnded, tasks.names())
    }

    /// It runs when these tasks have ended and one of them at least has failed, to undo or to report something; else it is skipped. It may
    /// take an `Option` of what each of them gave.
    pub fn after_failure<P: Predecessors>(self, tasks: P) -> AfterTasks<E>
    where
        E::Upstream: Accepts<P::Ends>,
    {
        self.when(RunWhen::AnyFailed, tasks.names())
    }

    fn when(self, run_when: RunWhen, after: (Vec<String>, bool)) -> AfterTasks<E> {
        AfterTasks { job: self.encode(), after, run_when, executor: PhantomData }
    }
}

/// What a task comes after whose job was built elsewhere, by names; for [`Tasks::add`](super::Tasks::add).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct After {
    names: Vec<String>,
    joins: bool,
    run_when: RunWhen,
}

impl After {
    /// Nothing.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// This task; the job may take its output.
    pub fn one(name: impl Into<String>) -> Self {
        Self { names: vec![name.into()], joins: false, run_when: RunWhen::default() }
    }

    /// These tasks; the job may take their outputs, as a tuple or a `Vec`, in this order.
    pub fn all<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self { names: names.into_iter().map(Into::into).collect(), joins: true, run_when: RunWhen::default() }
    }

    /// … and it runs on these ends of theirs. The default is [`AllSucceeded`](RunWhen::AllSucceeded).
    #[must_use]
    pub fn when(self, run_when: RunWhen) -> Self {
        Self { run_when, ..self }
    }

    pub(super) fn task(self, name: String) -> Task {
        Task::new(name).with_after(self.names, self.joins).with_run_when(self.run_when)
    }
}
