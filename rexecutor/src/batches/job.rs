//! What a batch is built from.

use crate::{
    builder::{EnqueueError, JobBuilder, ReadyData},
    executing::Executor,
    model::NewJob,
};

/// A job that can be given to a [`Batch`](super::Batch): a builder that has its data, or a job that was
/// [encoded](crate::job::builder::JobBuilder::encode) already.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no job that is ready to be enqueued",
    label = "not a job with its data",
    note = "give a builder with its data, as `Resize::builder().with_data(..)`, or what its `encode()` gives"
)]
pub trait IntoJob {
    /// The job.
    ///
    /// # Errors
    ///
    /// When a field is not acceptable.
    fn into_job(self) -> Result<NewJob, EnqueueError>;
}

impl IntoJob for NewJob {
    fn into_job(self) -> Result<NewJob, EnqueueError> {
        Ok(self)
    }
}

impl<E: Executor, D: ReadyData<E::Data>> IntoJob for JobBuilder<'_, E, D> {
    fn into_job(self) -> Result<NewJob, EnqueueError> {
        self.encode()
    }
}
