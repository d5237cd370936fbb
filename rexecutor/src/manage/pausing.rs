//! Pausing, and what that does to jobs that run.

use super::JobsError;
use crate::{
    backend::{self, Backend},
    model::{AmendError, Pause, Scope},
    validate,
};

/// Stores a pause, and then cancels what runs in its scope, if it says so.
pub(crate) async fn pause<B: Backend + ?Sized>(scope: Scope, pause: Pause, backend: &B) -> Result<(), JobsError> {
    let (control, pause) = (backend::control(backend)?, validate::pause(pause));
    control.pause(&scope, pause.clone()).await?;
    if pause.cancels_running {
        for (executor, job) in control.running(&scope).await? {
            match backend.cancel(&executor, job, pause.reason.clone()).await {
                // It has ended meanwhile.
                Ok(()) | Err(AmendError::Refused { .. } | AmendError::NotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}
