//! What a job's status refuses.

use crate::model::{AmendError, JobRow};

/// Whether a job may be deleted by hand.
///
/// # Errors
///
/// When it is not finished: cancel it first.
pub fn delete(row: &JobRow) -> Result<(), AmendError> {
    if row.status.is_finished() { Ok(()) } else { Err(refused(row, "deleted")) }
}

pub(super) fn refused(row: &JobRow, verb: &'static str) -> AmendError {
    AmendError::Refused { id: row.id, status: row.status, verb }
}
