//! A job with its types.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;

use crate::{
    context::JobContext,
    model::{ExecutorName, JobError, JobId, JobRow, JobStatus},
};

/// A job, as its executor sees it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Job<D, M> {
    /// Its number.
    pub id: JobId,
    /// Where it stands: executing, when its executor sees it.
    pub status: JobStatus,
    /// The name of its executor.
    pub executor: String,
    /// What it works on.
    pub data: D,
    /// What else was stored with it.
    pub metadata: Option<M>,
    /// The attempt that runs, counted from 1; the last one, of a job that does not run; 0 before the first.
    pub attempt: u16,
    /// How many attempts it has.
    pub max_attempts: u16,
    /// Lower numbers start first.
    pub priority: u16,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The attempts that failed, oldest first: all of them, or the first and the newest 19 (see
    /// [`MAX_ERRORS`](crate::limits::MAX_ERRORS)).
    pub errors: Vec<JobError>,
    /// When it was enqueued.
    pub inserted_at: DateTime<Utc>,
    /// When it is, or was, due.
    pub scheduled_at: DateTime<Utc>,
    /// When its last attempt began.
    pub attempted_at: Option<DateTime<Utc>>,
    /// When it succeeded.
    pub completed_at: Option<DateTime<Utc>>,
    /// When it was cancelled.
    pub cancelled_at: Option<DateTime<Utc>>,
    /// When it failed for good.
    pub discarded_at: Option<DateTime<Utc>>,
    /// Why it was cancelled, or is to stop.
    pub cancel_reason: Option<String>,
    context: JobContext,
}

impl<D, M> Job<D, M> {
    /// What the job can see of its surroundings.
    pub fn context(&self) -> &JobContext {
        &self.context
    }

    /// Whether a failure now would be final.
    pub fn is_last_attempt(&self) -> bool {
        self.attempt >= self.max_attempts
    }
}

impl<D: DeserializeOwned, M: DeserializeOwned> Job<D, M> {
    /// The job that a row holds, outside any run of it.
    ///
    /// # Errors
    ///
    /// When its data or metadata do not decode as these types.
    pub fn decode(row: JobRow) -> Result<Self, DecodeError> {
        Self::in_context(JobContext::detached(row)).map_err(|(error, _)| error)
    }

    /// … or, if it does not decode, why, and all that there is of it.
    pub(crate) fn in_context(context: JobContext) -> Result<Self, (DecodeError, JobContext)> {
        let (data, metadata) = match contents(&context) {
            Ok(contents) => contents,
            Err(error) => return Err((error, context)),
        };
        let row = context.row();
        Ok(Self {
            id: row.id,
            status: context.status(),
            executor: row.executor.as_str().to_owned(),
            data,
            metadata,
            attempt: row.attempt,
            max_attempts: row.max_attempts,
            priority: row.priority,
            tags: row.tags.clone(),
            errors: row.errors.clone(),
            inserted_at: row.inserted_at,
            scheduled_at: row.scheduled_at,
            attempted_at: row.attempted_at,
            completed_at: row.completed_at,
            cancelled_at: row.cancelled_at,
            discarded_at: row.discarded_at,
            cancel_reason: row.extras.cancel_reason.clone(),
            context,
        })
    }
}

fn contents<D: DeserializeOwned, M: DeserializeOwned>(context: &JobContext) -> Result<(D, Option<M>), DecodeError> {
    let row = context.row();
    let failed = |field| move |source| DecodeError { id: row.id, executor: row.executor.clone(), field, source };
    let data = serde_json::from_str(&row.data).map_err(failed("data"))?;
    Ok((data, context.metadata().map_err(failed("metadata"))?))
}

/// A stored job that does not decode as its executor's types.
#[derive(thiserror::Error)]
#[error("the {field} of job {id} do not decode as `{executor}` expects")]
pub struct DecodeError {
    /// The job.
    pub id: JobId,
    /// Its executor.
    pub executor: ExecutorName,
    /// `data` or `metadata`.
    pub field: &'static str,
    /// What the decoder says.
    pub source: serde_json::Error,
}

crate::debug_as_sentence!(DecodeError);

/// A stored job that does not decode as its executor's types, as it is stored.
#[derive(Debug)]
#[non_exhaustive]
pub struct UndecodedJob {
    /// All that is stored of it.
    pub row: JobRow,
    /// What does not decode.
    pub error: DecodeError,
}

impl<D: DeserializeOwned, M: DeserializeOwned> Job<D, M> {
    /// The job that a row holds, or the row.
    pub(crate) fn read(row: JobRow) -> Result<Self, Box<UndecodedJob>> {
        let undecoded =
            |(error, context): (_, JobContext)| Box::new(UndecodedJob { row: context.row().clone(), error });
        Self::in_context(JobContext::detached(row)).map_err(undecoded)
    }
}
