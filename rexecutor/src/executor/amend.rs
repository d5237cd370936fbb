//! Cancelling, rerunning, finding and updating the stored jobs of one executor.

use super::Executor;
use crate::{
    backend::{AmendError, BackendError, Filter, Inspect, JobChange},
    global::NoGlobalBackend,
    job::{DecodeError, Job, JobId, query::Where, validate},
};

/// Why stored jobs could not be found or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobsError {
    /// No global backend is set.
    #[error(transparent)]
    NoGlobalBackend(#[from] NoGlobalBackend),
    /// The job is not there, or its status does not allow it.
    #[error(transparent)]
    Amend(#[from] AmendError),
    /// A field of the job is not acceptable.
    #[error(transparent)]
    Invalid(#[from] validate::InvalidJob),
    /// A stored job does not decode as this executor's types.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A value to compare with, or to store, does not encode as JSON.
    #[error("could not encode a value for `{0}`")]
    Encode(&'static str, #[source] serde_json::Error),
    /// The backend failed.
    #[error("could not read the jobs")]
    Backend(#[from] BackendError),
}

pub(super) async fn cancel<E: Executor>(
    backend: &(impl Inspect + ?Sized),
    job: JobId,
    reason: &str,
) -> Result<(), JobsError> {
    let reason = validate::text(reason);
    Ok(backend.cancel(&E::NAME.into(), job, reason).await?)
}

pub(super) async fn rerun<E: Executor>(backend: &(impl Inspect + ?Sized), job: JobId) -> Result<(), JobsError> {
    Ok(backend.rerun(&E::NAME.into(), job).await?)
}

pub(super) async fn query<E: Executor, B: Inspect + ?Sized>(
    backend: &B,
    query: Where<'_, E::Data, E::Metadata>,
) -> Result<Vec<Job<E::Data, E::Metadata>>, JobsError> {
    let filter = query.into_filter().map_err(|error| JobsError::Encode(E::NAME, error))?;
    let filter = Filter::All(vec![Filter::Executor(E::NAME.into()), filter]);
    let rows = backend.query(&filter, usize::MAX).await?;
    rows.into_iter().map(|row| Ok(Job::decode(row)?)).collect()
}

pub(super) async fn update<E: Executor, B: Inspect + ?Sized>(
    backend: &B,
    job: Job<E::Data, E::Metadata>,
) -> Result<(), JobsError> {
    let encode = |error| JobsError::Encode(E::NAME, error);
    let change = JobChange {
        data: serde_json::to_string(&job.data).map_err(encode)?,
        metadata: job.metadata.as_ref().map(serde_json::to_string).transpose().map_err(encode)?,
        max_attempts: job.max_attempts,
        priority: job.priority,
        tags: job.tags,
        scheduled_at: job.scheduled_at,
    };
    validate::change(&change, E::MAX_DATA_BYTES)?;
    Ok(backend.update(&E::NAME.into(), job.id, change).await?)
}
