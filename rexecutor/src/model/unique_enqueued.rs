//! What became of a unique job.

use std::ops::Deref;

use super::{id::JobId, new_job::Enqueued};

/// What became of a job that must not exist beside another: not looking at it is likely to be a mistake, for the job may not
/// have been stored.
///
/// It is an [`Enqueued`], which is what it gives with `*` or `.into()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the job is unique, so it may not have been inserted: look at `is_duplicate()`, or write `let _ = ..`"]
pub struct UniqueEnqueued(Enqueued);

impl From<Enqueued> for UniqueEnqueued {
    fn from(enqueued: Enqueued) -> Self {
        Self(enqueued)
    }
}

impl From<UniqueEnqueued> for Enqueued {
    fn from(enqueued: UniqueEnqueued) -> Self {
        enqueued.0
    }
}

impl From<UniqueEnqueued> for JobId {
    fn from(enqueued: UniqueEnqueued) -> Self {
        enqueued.0.id()
    }
}

impl Deref for UniqueEnqueued {
    type Target = Enqueued;

    fn deref(&self) -> &Enqueued {
        &self.0
    }
}

impl PartialEq<Enqueued> for UniqueEnqueued {
    fn eq(&self, other: &Enqueued) -> bool {
        self.0 == *other
    }
}
