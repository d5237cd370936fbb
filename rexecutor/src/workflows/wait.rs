//! Waiting for a workflow.

use std::{future::IntoFuture, time::Duration};

use futures::future::BoxFuture;

use super::{error::WorkflowError, status::WorkflowStatus};
use crate::{
    batches::{BatchStatus, BatchWait},
    model::BatchSummary,
};

/// A wait for a workflow, which begins when it is awaited; [`WorkflowHandle::wait`](super::WorkflowHandle::wait) makes it.
///
/// # Cancel safety
///
/// When the future is dropped nothing happens to the workflow.
#[must_use = "nothing is waited for until it is awaited"]
#[derive(Debug)]
pub struct WorkflowWait(BatchWait);

impl WorkflowWait {
    pub(super) fn new(wait: BatchWait) -> Self {
        Self(wait)
    }

    /// For this long at most; then it gives [`WorkflowError::TimedOut`], and the workflow goes on. The default is: until it has finished. An
    /// outage of the backend is waited out.
    pub fn within(self, limit: Duration) -> Self {
        Self(self.0.within(limit))
    }
}

impl IntoFuture for WorkflowWait {
    type Output = Result<WorkflowStatus, WorkflowError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let BatchSummary { id, name, counts, failed, cancelled, created_at, at, .. } = self.0.await?;
            let finished_at = Some(at);
            Ok(WorkflowStatus::of(BatchStatus { id, name, counts, failed, cancelled, created_at, finished_at }))
        })
    }
}
