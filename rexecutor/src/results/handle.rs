//! What is asked of a job by its handle.

use serde::de::DeserializeOwned;

use super::{
    end,
    error::OutputError,
    ext::OutputExt,
    progress::{Follow, ProgressExt},
    stream::{Chunks, ChunksExt},
    wait::Wait,
};
use crate::{
    executing::{Executor, HasOutput},
    global,
    model::{JobHandle, JobStatus, Progress},
};

/// On the global backend.
impl<E: Executor> JobHandle<E> {
    /// Where the job stands; `None`: it is gone.
    ///
    /// # Errors
    ///
    /// When no global backend is set, or it fails.
    pub async fn status(self) -> Result<Option<JobStatus>, OutputError> {
        Ok(end::find::<E, _>(&*global::backend()?, self.id()).await?.map(|row| row.status))
    }

    /// How far the job has got: short for [`ProgressExt::progress`].
    ///
    /// # Errors
    ///
    /// As [`ProgressExt::progress`].
    pub async fn progress(self) -> Result<Option<Progress>, OutputError> {
        E::progress(self).await
    }

    /// Follows the job: short for [`ProgressExt::follow`].
    pub fn follow(self) -> Follow {
        E::follow(self)
    }

    /// Follows what the job streams: short for [`ChunksExt::chunks`].
    pub fn chunks(self) -> Chunks {
        E::chunks(self)
    }
}

/// On the global backend.
impl<E: HasOutput> JobHandle<E> {
    /// What the job gave: short for [`OutputExt::output`].
    ///
    /// # Errors
    ///
    /// As [`OutputExt::output`].
    pub async fn output(self) -> Result<Option<E::Output>, OutputError>
    where
        E::Output: DeserializeOwned,
    {
        E::output(self).await
    }

    /// Waits until the job has ended: short for [`OutputExt::wait`].
    pub fn wait(self) -> Wait<E> {
        E::wait(self)
    }
}
