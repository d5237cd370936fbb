//! A job's end, from whoever knows of it first.

use std::sync::Arc;

use super::hub;
use crate::{
    backend::{Backend, Inspect},
    executing::Executor,
    manage::stored,
    model::{Filter, JobId, JobRow, Result},
};

/// The job of this executor, if it is stored.
pub(super) async fn find<E: Executor, B: Inspect + ?Sized>(backend: &B, job: JobId) -> Result<Option<JobRow>> {
    let filter = stored::<E>().and(Filter::IdIn(vec![job]));
    Ok(backend.query(&filter, 1).await?.pop())
}

/// Waits until a job is finished; `None`: there is none of this executor.
pub(super) async fn of<E: Executor>(backend: &Arc<dyn Backend>, job: JobId) -> Result<Option<JobRow>> {
    loop {
        match find::<E, _>(&**backend, job).await? {
            Some(row) if !row.status.is_finished() => {}
            ended => return Ok(ended),
        }
        // It may have been run again by the time that this is read.
        match hub::end_of(backend, job).await? {
            Some(row) if !row.status.is_finished() => {}
            ended => return Ok(ended),
        }
    }
}
