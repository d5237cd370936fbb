//! Building a job and enqueuing it.

mod enqueue;
mod error;
mod hooks;

use std::marker::PhantomData;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde::Serialize;

#[cfg(feature = "__testing")]
pub(crate) use self::hooks::remove_of;
pub use self::{
    error::EnqueueError,
    hooks::{EnqueueHook, on_enqueue},
};
use crate::{
    criteria::UniquenessCriteria,
    executing::{Executor, GroupKey},
    model::{Deadline, Due, NewJob},
};

/// A job that is being built: [`ExecutorExt::builder`](crate::executor::ExecutorExt::builder) begins one, [`enqueue`](JobBuilder::enqueue) ends it.
///
/// Data are required, except where the executor's data are `()` or an `Option`:
///
/// ```compile_fail,E0277
/// # use rexecutor::prelude::*;
/// # struct WelcomeEmail;
/// # #[async_trait::async_trait]
/// # impl Executor for WelcomeEmail {
/// #     type Data = String; type Metadata = (); const NAME: &'static str = "welcome_email";
/// #     async fn execute(_: Job<String, ()>) -> ExecutionResult { ExecutionResult::Done }
/// # }
/// async fn no_data() {
///     let _ = WelcomeEmail::builder().enqueue().await;
/// }
/// ```
#[must_use = "a builder enqueues nothing until `enqueue` is called and awaited"]
pub struct JobBuilder<'a, E: Executor, D = NoData> {
    data: D,
    metadata: Option<E::Metadata>,
    /// All the rest, and no data yet.
    job: NewJob,
    unique: Option<UniquenessCriteria<'a>>,
    group_key: Option<GroupKey>,
    executor: PhantomData<fn(E)>,
}

impl<E: Executor, D> std::fmt::Debug for JobBuilder<'_, E, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobBuilder")
            .field("executor", &E::NAME)
            .field("max_attempts", &self.job.max_attempts)
            .field("priority", &self.job.priority)
            .field("tags", &self.job.tags)
            .field("due", &self.job.due)
            .field("unique", &self.unique)
            .finish_non_exhaustive()
    }
}

/// No data were given yet.
#[derive(Debug, Clone, Copy)]
pub struct NoData;

/// The data that were given.
#[derive(Debug, Clone, Copy)]
pub struct WithData<D>(D);

/// Gives the data of a job that is ready to be enqueued.
#[diagnostic::on_unimplemented(
    message = "this job needs data of type `{D}` before it can be enqueued",
    label = "the data are missing",
    note = "call `.with_data(..)` on the builder"
)]
pub trait ReadyData<D> {
    /// The data.
    fn into_data(self) -> D;
}

impl<D> ReadyData<D> for WithData<D> {
    fn into_data(self) -> D {
        self.0
    }
}

impl ReadyData<()> for NoData {
    fn into_data(self) {}
}

impl<T> ReadyData<Option<T>> for NoData {
    fn into_data(self) -> Option<T> {
        None
    }
}

impl<E: Executor> JobBuilder<'_, E> {
    pub(crate) fn new() -> Self {
        Self {
            data: NoData,
            metadata: None,
            job: NewJob::new(E::NAME, String::new())
                .with_max_attempts(E::MAX_ATTEMPTS)
                .with_priority(E::PRIORITY)
                .with_tags(E::TAGS.iter().map(|tag| (*tag).to_owned()).collect())
                .with_deadline(E::DEADLINE.map(Deadline::In))
                .with_max_pending(E::MAX_PENDING),
            unique: None,
            group_key: None,
            executor: PhantomData,
        }
    }
}

impl<'a, E: Executor, D> JobBuilder<'a, E, D> {
    /// What the job works on.
    pub fn with_data(self, data: E::Data) -> JobBuilder<'a, E, WithData<E::Data>> {
        let Self { data: _, metadata, job, unique, group_key, executor } = self;
        JobBuilder { data: WithData(data), metadata, job, unique, group_key, executor }
    }

    /// What else is stored with the job.
    pub fn with_metadata(mut self, metadata: E::Metadata) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// How many attempts the job has, at least 1. The default is [`Executor::MAX_ATTEMPTS`].
    pub fn with_max_attempts(mut self, max_attempts: u16) -> Self {
        self.job.max_attempts = max_attempts;
        self
    }

    /// Lower numbers start first; the highest is [999](crate::limits::MAX_PRIORITY). The default is [`Executor::PRIORITY`].
    pub fn with_priority(mut self, priority: u16) -> Self {
        self.job.priority = priority;
        self
    }

    /// Words to find the job by, at most 255 bytes each, in addition to [`Executor::TAGS`].
    pub fn with_tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        for tag in tags.into_iter().map(Into::into) {
            if !self.job.tags.contains(&tag) {
                self.job.tags.push(tag);
            }
        }
        self
    }

    /// Adds one tag.
    pub fn add_tag(self, tag: impl Into<String>) -> Self {
        self.with_tags([tag])
    }

    /// When the job is due; at once, if that is past. The default is at once.
    pub fn schedule_at(mut self, at: DateTime<Utc>) -> Self {
        self.job.due = Due::At(at.trunc_subsecs(6));
        self
    }

    /// How long after it is stored the job is due, by the backend's clock: not negative, at most 1,000 years.
    pub fn schedule_in(mut self, delay: TimeDelta) -> Self {
        self.job.due = Due::In(delay);
        self
    }

    /// How long after it is stored there is no use in the job any more, in place of [`Executor::DEADLINE`]: not negative, at
    /// most 1,000 years.
    ///
    /// It does not start after that, by the backend's clock. If it runs then, it is stopped as by a timeout, and if it waits,
    /// it is found within some seconds; either way it is discarded with
    /// [`ErrorType::DeadlinePassed`](crate::job::ErrorType::DeadlinePassed), whatever attempts are left. A rerun by hand forgets a
    /// deadline that has passed.
    pub fn deadline_in(mut self, delay: TimeDelta) -> Self {
        self.job = self.job.with_deadline(Deadline::In(delay));
        self
    }

    /// The instant after which there is no use in the job any more; see [`deadline_in`](Self::deadline_in).
    pub fn deadline_at(mut self, at: DateTime<Utc>) -> Self {
        self.job = self.job.with_deadline(Deadline::At(at.trunc_subsecs(6)));
        self
    }

    /// Stores the job blocked: it is not claimed before somebody
    /// [releases](crate::executor::ExecutorExt::release_job) it, and then when it is due.
    pub fn blocked(mut self) -> Self {
        self.job.blocked = true;
        self
    }

    /// A text that travels with the job beside its data, as a trace's context does, in place of one of the same name. All
    /// of them together may have 8 KiB. The job reads it with
    /// [`context.headers().get(name)`](crate::job::JobContext::headers).
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.job.extras.edit().headers.set(name, value);
        self
    }

    /// The key that the job belongs to, in place of what [`Executor::group_key`] says.
    pub fn group_key<K: Serialize + ?Sized>(mut self, key: &K) -> Self {
        self.group_key = Some(GroupKey::of(key));
        self
    }

    /// How many jobs of the executor may wait with this one, at least 1, in place of [`Executor::MAX_PENDING`]. Where it would be more,
    /// it is refused with [`EnqueueError::QueueFull`].
    pub fn with_max_pending(mut self, max_pending: usize) -> Self {
        self.job = self.job.with_max_pending(max_pending);
        self
    }

    /// What must not exist beside the job, in place of what [`Executor::uniqueness`] says.
    pub fn unique(mut self, criteria: UniquenessCriteria<'a>) -> Self {
        self.unique = Some(criteria);
        self
    }

    /// Short for `unique(`[`UniquenessCriteria::debounce`]`(within, longest))`: one job for all calls that follow each other
    /// within `within`, with the content of the last, due `longest` after the first at the latest.
    pub fn debounce(self, within: TimeDelta, longest: TimeDelta) -> Self {
        self.unique(UniquenessCriteria::debounce(within, longest))
    }

    /// Short for `unique(`[`UniquenessCriteria::throttle`]`(within))`: one job in any window of this length, that of the first
    /// call.
    pub fn throttle(self, within: TimeDelta) -> Self {
        self.unique(UniquenessCriteria::throttle(within))
    }
}
