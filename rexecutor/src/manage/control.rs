//! Pausing, and what that does to jobs that run; and setting limits.

use super::JobsError;
use crate::{
    backend::{self, Backend},
    model::{AmendError, ExecutorName, LimitChange, Pause, Scope},
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

/// Sets limits of an executor, or ends what was set; whether any limits were set.
pub(crate) async fn set_limits<B: Backend + ?Sized>(
    executor: ExecutorName,
    change: Option<LimitChange>,
    backend: &B,
) -> Result<bool, JobsError> {
    Ok(backend::control(backend)?.set_limits(&executor, change.map(validate::limit_change)).await?)
}
