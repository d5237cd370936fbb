//! What a job's status refuses.

use crate::model::{AmendError, EventKind, Happened, JobRow};

/// Whether a job may be deleted by hand.
///
/// # Errors
///
/// When it is not finished: cancel it first.
pub fn delete(row: &mut JobRow) -> Result<(), AmendError> {
    if !row.status.is_finished() {
        return Err(refused(row, "deleted"));
    }
    row.happened = Happened::that(EventKind::Deleted);
    Ok(())
}

pub(super) fn refused(row: &JobRow, verb: &'static str) -> AmendError {
    AmendError::Refused { id: row.id, status: row.status, verb }
}
