//! What an update of a job stores.

use super::error::JobsError;
use crate::{
    executing::{Executor, GroupKey, unique, weight},
    json,
    model::{JobChange, JobRow, KeyChange},
    typed::Job,
    validate::{self, InvalidJob},
};

/// What is to be stored of this job.
pub(super) fn change<E: Executor>(job: Job<E::Data, E::Metadata>) -> Result<JobChange, JobsError> {
    let encode = |error| JobsError::Encode(E::NAME, error);
    let mut change = JobChange::of(job.context().row());
    change.data = serde_json::to_string(&job.data).map_err(encode)?;
    change.metadata = job.metadata.as_ref().map(serde_json::to_string).transpose().map_err(encode)?;
    change.max_attempts = job.max_attempts;
    change.priority = job.priority;
    change.tags.clone_from(&job.tags);
    change.scheduled_at = job.scheduled_at;
    validate::change(&change, E::MAX_DATA_BYTES)?;
    change.group_key = group_key::<E>(job.context().row(), &job.data)?;
    change.weight = weight::<E>(&job.data)?;
    change.key = key::<E>(job.context().row(), &job.data, &change.data)?;
    validate::comes_back("data", &job.data, &change.data)?;
    if let (Some(given), Some(metadata)) = (&job.metadata, &change.metadata) {
        validate::comes_back("metadata", given, metadata)?;
    }
    Ok(change)
}

/// The key that a job which is stored as `row` belongs to, once these are its data: one that does not follow from the data was
/// given when the job was enqueued, and stays.
fn group_key<E: Executor>(row: &JobRow, data: &E::Data) -> Result<Option<String>, InvalidJob> {
    let stored = row.extras.group_key.as_deref();
    let before = serde_json::from_str::<E::Data>(&row.data).ok().and_then(|before| E::group_key(&before));
    if stored.is_some() && before.as_ref().and_then(GroupKey::as_str) != stored {
        return Ok(row.extras.group_key.clone());
    }
    E::group_key(data).map(GroupKey::checked).transpose()
}

/// What becomes of the key of a job that is stored as `row`, once these are its data.
///
/// A key that the executor's own criteria give is made anew by them. Another one was given when the job was enqueued, by
/// criteria that are stored nowhere.
fn key<E: Executor>(row: &JobRow, data: &E::Data, encoded: &str) -> Result<KeyChange, InvalidJob> {
    let Some(stored) = row.unique_key else { return Ok(KeyChange::Keep) };
    let key_before = || {
        let before: E::Data = serde_json::from_str(&row.data).ok()?;
        Some(unique::<E>(&E::uniqueness(&before)?, &row.data).ok()?.key)
    };
    if key_before() == Some(stored) {
        return match E::uniqueness(data) {
            Some(criteria) => unique::<E>(&criteria, encoded).map(KeyChange::Set),
            None => Ok(KeyChange::Remove),
        };
    }
    if stored.is_of_data() && json::canonical(&row.data) != json::canonical(encoded) {
        let problem = "the job is unique by its data, by criteria that it was enqueued with and that are not stored: cancel it \
                       and enqueue another one";
        return Err(InvalidJob::new("unique", problem));
    }
    Ok(KeyChange::Keep)
}
