//! A job of any executor, for whoever knows only its number.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use super::{error::OutputError, progress, stream::Chunks};
use crate::{
    backend::{Backend, Inspect},
    global::{self, NoGlobalBackend},
    model::{Filter, JobError, JobId, JobRow, JobStatus, Progress},
};

/// The jobs of the global backend, whatever their executors.
///
/// # Examples
///
/// What a web page asks for again and again, as `GET /jobs/1`:
///
/// ```rust,standalone_crate
/// use rexecutor::{backend::memory::InMemoryBackend, prelude::*};
///
/// #[job]
/// async fn count_words(text: String) -> Result<usize, String> {
///     Ok(text.split_whitespace().count())
/// }
///
/// #[tokio::main(flavor = "current_thread")]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let node = Rexecutor::from_registry().with_backend(InMemoryBackend::new()).start().await?;
///     let job = CountWords::enqueue("to be or not to be".to_owned()).await?;
///     job.wait().await?;
///
///     let job = rexecutor::jobs().get(job).await?.expect("it is stored");
///     println!("{} {}: {}", job.executor, job.status, job.output.as_ref().expect("it is complete"));
///     // What a web page is given: all of it as JSON.
///     let _body = serde_json::to_string(&job)?;
///     node.graceful_shutdown().await;
///     Ok(())
/// }
/// ```
///
/// ```text
/// count_words complete: 6
/// ```
pub fn jobs() -> Jobs {
    Jobs { backend: None }
}

/// [`jobs`] of a backend of your choice, of which a clone is held.
pub fn jobs_on_backend<B: Backend + Clone>(backend: &B) -> Jobs {
    Jobs { backend: Some(Arc::new(backend.clone())) }
}

/// The jobs of a backend, whatever their executors: [`jobs`] gives them.
#[derive(Debug, Clone)]
pub struct Jobs {
    /// `None`: the global one.
    backend: Option<Arc<dyn Backend>>,
}

impl Jobs {
    fn backend(&self) -> Result<Arc<dyn Backend>, NoGlobalBackend> {
        self.backend.as_ref().map_or_else(global::backend, |backend| Ok(backend.clone()))
    }

    /// Follows what a job streams, as [`ChunksExt::chunks`](super::ChunksExt::chunks) does.
    pub fn chunks(&self, job: impl Into<JobId>) -> Chunks {
        Chunks::new(job.into(), None, self.backend())
    }

    /// A job as it stands; `None`: there is none with this number.
    ///
    /// # Errors
    ///
    /// When no global backend is set, or it fails.
    pub async fn get(&self, job: impl Into<JobId>) -> Result<Option<AnyJob>, OutputError> {
        let backend = self.backend()?;
        let rows = Inspect::query(&*backend, &Filter::IdIn(vec![job.into()]), 1).await?;
        let Some(row) = rows.into_iter().next() else { return Ok(None) };
        let progress = match backend.reports() {
            Some(_) if row.attempt > 0 => progress::of(&*backend, row.id).await?,
            _ => None,
        };
        Ok(Some(AnyJob::of(row, progress)))
    }
}

/// A job of any executor. As JSON it is what a web page may see that waits for it: neither its data nor its metadata are in it.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct AnyJob {
    /// Its number.
    pub id: JobId,
    /// The name of its executor.
    pub executor: String,
    /// Where it stands.
    pub status: JobStatus,
    /// The attempt that runs or ran last; 0 before the first.
    pub attempt: u16,
    /// How many attempts it has.
    pub max_attempts: u16,
    /// What it gave, once it is complete. Integers of more than 64 bits are rounded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// How far it has got, if it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Why it was cancelled, or is to stop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<String>,
    /// Its failed attempts, oldest first.
    pub errors: Vec<JobError>,
    /// When it was enqueued.
    pub inserted_at: DateTime<Utc>,
    /// When it was, or is, due.
    pub scheduled_at: DateTime<Utc>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<DateTime<Utc>>,
}

impl AnyJob {
    fn of(row: JobRow, progress: Option<Progress>) -> Self {
        let finished_at = row.finished_at();
        Self {
            id: row.id,
            executor: row.executor.as_str().to_owned(),
            status: row.status,
            attempt: row.attempt,
            max_attempts: row.max_attempts,
            // What is no JSON was written by something else.
            output: row.extras.output.clone().and_then(|output| serde_json::from_str(&output).ok()),
            progress,
            cancel_reason: row.extras.cancel_reason.clone(),
            errors: row.errors,
            inserted_at: row.inserted_at,
            scheduled_at: row.scheduled_at,
            finished_at,
        }
    }
}
