//! Building a schedule entry.

use std::{fmt, marker::PhantomData};

use super::{SchedulesError, put_step};
use crate::{
    backend::Backend,
    builder::EnqueueError,
    executing::Executor,
    global,
    manage::ExecutorExt,
    model::NewJob,
    schedule::{EntryStep, MissedTicks, NewEntry, Overlap, Schedule},
    validate,
};

/// A schedule entry that is being built: [`entry`] begins one. [`put`](NewSchedule::put) adds it at run time;
/// [`NodeBuilder::with_schedule_entry`](crate::node::NodeBuilder::with_schedule_entry) makes it a part of a program.
#[must_use = "an entry ticks only once it is `put`, or given to a node"]
pub struct NewSchedule<E> {
    pub(crate) name: String,
    pub(crate) schedule: Schedule,
    pub(crate) job: Result<NewJob, EnqueueError>,
    /// `None`: as the node says, for a part of a program.
    pub(crate) missed: Option<MissedTicks>,
    pub(crate) overlap: Overlap,
    by: String,
    executor: PhantomData<fn(E)>,
}

/// An entry of this name, which enqueues a job with `data` at each tick of `schedule`.
///
/// # Examples
///
/// ```
/// use rexecutor::{
///     backend::memory::InMemoryBackend,
///     prelude::*,
///     schedule::{MissedTicks, Schedule},
///     schedules,
/// };
///
/// #[job]
/// async fn report(tenant: u32) {
///     let _ = tenant;
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # rexecutor::set_global_backend(InMemoryBackend::new())?;
/// let mornings = Schedule::parse("0 30 9 * * MON-FRI", "Europe/Berlin")?;
/// schedules::entry::<Report>("tenant-42-report", mornings, 42)
///     .with_missed_ticks(MissedTicks::AtMost(3))
///     .by("ann")
///     .put()
///     .await?;
/// # Ok(())
/// # }
/// ```
pub fn entry<E: Executor>(name: impl Into<String>, schedule: Schedule, data: E::Data) -> NewSchedule<E> {
    NewSchedule {
        name: name.into(),
        schedule,
        job: E::builder().with_data(data).encode(),
        missed: None,
        overlap: Overlap::default(),
        by: "a program".to_owned(),
        executor: PhantomData,
    }
}

impl<E: Executor> NewSchedule<E> {
    /// What becomes of ticks that nobody enqueued in time. The default is [`MissedTicks::Last`], or what the node says that
    /// the entry is given to.
    pub fn with_missed_ticks(mut self, missed: MissedTicks) -> Self {
        self.missed = Some(missed);
        self
    }

    /// What becomes of ticks while an earlier job of the entry is not finished. The default is [`Overlap::Allow`].
    pub fn with_overlap(mut self, overlap: Overlap) -> Self {
        self.overlap = overlap;
        self
    }

    /// Who adds it, in words for people. A node says its own label.
    pub fn by(mut self, by: impl Into<String>) -> Self {
        self.by = by.into();
        self
    }

    /// Adds the entry, or changes all of the one of this name. It owes nothing of the time before; one that is changed keeps
    /// its pause, and, if its schedule stays, what it owes.
    ///
    /// # Errors
    ///
    /// When no global backend is set, or it fails or keeps no entries. When the name is empty, longer than 255 bytes, contains
    /// U+0000, or is that of an entry from code. When the data cannot be stored.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, the entry may or may not be stored.
    pub async fn put(self) -> Result<(), SchedulesError> {
        self.put_on_backend(&*global::backend()?).await
    }

    /// [`put`](Self::put) on a backend of your choice.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put), but for the global backend.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, the entry may or may not be stored.
    pub async fn put_on_backend<B: Backend + ?Sized>(self, backend: &B) -> Result<(), SchedulesError> {
        validate::entry_name(&self.name).map_err(SchedulesError::Name)?;
        let job = self.job.map_err(SchedulesError::Job)?;
        let new = NewEntry::new(self.schedule, &job);
        let new = new.with_missed(self.missed.unwrap_or_default()).with_overlap(self.overlap);
        put_step(EntryStep::put(self.name, validate::text(&self.by), new), backend).await
    }
}

impl<E> fmt::Debug for NewSchedule<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewSchedule")
            .field("name", &self.name)
            .field("schedule", &self.schedule)
            .finish_non_exhaustive()
    }
}
