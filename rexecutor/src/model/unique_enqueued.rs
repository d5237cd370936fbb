//! What became of a unique job.

use std::{fmt, ops::Deref};

use super::{handle::JobHandle, id::JobId, new_job::Enqueued};

/// What became of a job that must not exist beside another: not looking at it is likely to be a mistake, for the job may not
/// have been stored.
///
/// It is a [`JobHandle`], and an [`Enqueued`], which is what it gives with `.into()`.
#[must_use = "the job is unique, so it may not have been inserted: look at `is_duplicate()`, or write `let _ = ..`"]
pub struct UniqueEnqueued<E: ?Sized>(JobHandle<E>);

impl<E: ?Sized> From<JobHandle<E>> for UniqueEnqueued<E> {
    fn from(handle: JobHandle<E>) -> Self {
        Self(handle)
    }
}

impl<E: ?Sized> From<UniqueEnqueued<E>> for JobHandle<E> {
    fn from(enqueued: UniqueEnqueued<E>) -> Self {
        enqueued.0
    }
}

impl<E: ?Sized> From<UniqueEnqueued<E>> for Enqueued {
    fn from(enqueued: UniqueEnqueued<E>) -> Self {
        enqueued.0.into()
    }
}

impl<E: ?Sized> From<UniqueEnqueued<E>> for JobId {
    fn from(enqueued: UniqueEnqueued<E>) -> Self {
        enqueued.0.id()
    }
}

impl<E: ?Sized> Deref for UniqueEnqueued<E> {
    type Target = JobHandle<E>;

    fn deref(&self) -> &JobHandle<E> {
        &self.0
    }
}

impl<E: ?Sized> Clone for UniqueEnqueued<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E: ?Sized> Copy for UniqueEnqueued<E> {}

impl<E: ?Sized> PartialEq for UniqueEnqueued<E> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<E: ?Sized> Eq for UniqueEnqueued<E> {}

impl<E: ?Sized> PartialEq<Enqueued> for UniqueEnqueued<E> {
    fn eq(&self, other: &Enqueued) -> bool {
        self.0 == *other
    }
}

impl<E: ?Sized> fmt::Debug for UniqueEnqueued<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UniqueEnqueued").field(&self.0).finish()
    }
}
