//! Which stored jobs match, and which of them this version of the program can read.

use crate::{
    backend::Inspect,
    executing::Executor,
    model::FilterError,
    typed::{Job, UndecodedJob, Where},
};

use super::{error::JobsError, names::stored};

pub(super) type JobsOf<E> = Vec<Job<<E as Executor>::Data, <E as Executor>::Metadata>>;

/// The jobs that match, and those that do not decode.
pub(super) async fn find<E: Executor>(
    query: Where<'_, E::Data, E::Metadata>,
    backend: &(impl Inspect + ?Sized),
) -> Result<(JobsOf<E>, Vec<UndecodedJob>), JobsError> {
    let filter = query.into_filter().map_err(|error| match error {
        FilterError::Encode(error) => JobsError::Encode(E::NAME, error),
        error => JobsError::Condition(error),
    })?;
    let filter = stored::<E>().and(filter);
    let (mut jobs, mut undecoded) = (Vec::new(), Vec::new());
    for row in backend.query(&filter, usize::MAX).await? {
        match Job::read(row) {
            Ok(job) => jobs.push(job),
            Err(failed) => undecoded.push(*failed),
        }
    }
    Ok((jobs, undecoded))
}
