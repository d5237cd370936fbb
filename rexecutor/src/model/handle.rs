//! A stored job, and which executor's it is.

use std::{
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
    ops::Deref,
};

use super::{id::JobId, new_job::Enqueued};

/// A job of the executor `E`: what enqueuing one gives, and what is asked for its [output](crate::results).
///
/// It is an [`Enqueued`], which is what it gives with `*` or `.into()`. A [`JobId`] becomes one with `.into()`; the handle of a
/// job of another executor does not, so that nobody takes one job's output for another's:
///
/// ```compile_fail,E0277
/// use rexecutor::prelude::*;
///
/// #[job]
/// async fn count(text: String) -> Result<usize, String> {
///     Ok(text.len())
/// }
///
/// #[job]
/// async fn mail(to: String) {
///     println!("{to}");
/// }
///
/// async fn mixed_up() {
///     let mail = Mail::enqueue("ada@example.com".to_owned()).await.unwrap();
///     let _ = Count::output(mail).await;
/// }
/// ```
pub struct JobHandle<E: ?Sized> {
    enqueued: Enqueued,
    executor: PhantomData<fn(&E)>,
}

impl<E: ?Sized> JobHandle<E> {
    /// The number of the job.
    pub fn id(self) -> JobId {
        self.enqueued.id()
    }

    /// What became of the job when it was enqueued.
    pub fn enqueued(self) -> Enqueued {
        self.enqueued
    }
}

impl<E: ?Sized> From<Enqueued> for JobHandle<E> {
    fn from(enqueued: Enqueued) -> Self {
        Self { enqueued, executor: PhantomData }
    }
}

impl<E: ?Sized> From<JobId> for JobHandle<E> {
    fn from(id: JobId) -> Self {
        Enqueued::Inserted(id).into()
    }
}

impl<E: ?Sized> From<JobHandle<E>> for Enqueued {
    fn from(handle: JobHandle<E>) -> Self {
        handle.enqueued
    }
}

impl<E: ?Sized> From<JobHandle<E>> for JobId {
    fn from(handle: JobHandle<E>) -> Self {
        handle.id()
    }
}

impl<E: ?Sized> Deref for JobHandle<E> {
    type Target = Enqueued;

    fn deref(&self) -> &Enqueued {
        &self.enqueued
    }
}

impl<E: ?Sized> Clone for JobHandle<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E: ?Sized> Copy for JobHandle<E> {}

impl<E: ?Sized> PartialEq for JobHandle<E> {
    fn eq(&self, other: &Self) -> bool {
        self.enqueued == other.enqueued
    }
}

impl<E: ?Sized> Eq for JobHandle<E> {}

impl<E: ?Sized> PartialEq<Enqueued> for JobHandle<E> {
    fn eq(&self, other: &Enqueued) -> bool {
        self.enqueued == *other
    }
}

impl<E: ?Sized> Hash for JobHandle<E> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

/// As an [`Enqueued`].
impl<E: ?Sized> fmt::Debug for JobHandle<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.enqueued, f)
    }
}
