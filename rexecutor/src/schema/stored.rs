//! Decoding all jobs that are stored.

use std::collections::BTreeMap;

use super::report::{StoredReport, UndecodedRow};
use crate::{
    backend::{
        Backend,
        observe::{JobOrder, JobsRequest, observe},
    },
    executing::Executor,
    manage::JobsError,
    model::{Filter, JobStatus},
    registry::{Payload, payload_of, registered},
};

/// How many jobs are read at a time.
const PAGE: usize = 200;

/// Decodes the stored jobs as this program would before running them, and reports those that do not decode.
///
/// It runs and changes nothing. It reads pages of 200 jobs, one query each, so memory is bounded. Jobs that are enqueued meanwhile may be
/// missed. Rows that the backend itself cannot read are logged and left out.
///
/// # Examples
///
/// ```
/// use rexecutor::{
///     backend::{Enqueue, NewJob, memory::InMemoryBackend},
///     prelude::*,
///     schema::StoredCheck,
/// };
///
/// #[job]
/// async fn resize(size: (u32, u32)) {
///     let _ = size;
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let backend = InMemoryBackend::new();
/// backend.enqueue(vec![NewJob::new("resize", "[800, 600]"), NewJob::new("resize", "[800, -1]")]).await?;
///
/// println!("{}", StoredCheck::from_registry().run(&backend).await?);
/// # Ok(())
/// # }
/// ```
///
/// ```text
/// resize: 1 of 2 jobs does not decode
///   job 2, data, at `[1]`: invalid value: integer `-1`, expected u32 at line 1 column 8; keep the type of the field, or give the changed one a new name and `#[serde(default)]`
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct StoredCheck {
    executors: BTreeMap<&'static str, Payload>,
    has_finished: bool,
}

impl std::fmt::Debug for StoredCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let executors: Vec<_> = self.executors.keys().collect();
        f.debug_struct("StoredCheck").field("executors", &executors).field("has_finished", &self.has_finished).finish()
    }
}

impl StoredCheck {
    /// With no executor.
    pub fn new() -> Self {
        Self::default()
    }

    /// With every `#[job]` that is linked into this program, under all its names.
    pub fn from_registry() -> Self {
        registered().into_iter().fold(Self::new(), |check, registration| {
            check.and(registration.name(), registration.settings().aliases, registration.payload())
        })
    }

    /// With an executor that is written by hand.
    pub fn with_executor<E: Executor>(self) -> Self {
        self.and(E::NAME, E::ALIASES, payload_of::<E>())
    }

    /// Decodes finished jobs, too, which matters where they are rerun. The default is that only those are decoded that wait, are
    /// blocked, or run.
    pub fn with_finished(self) -> Self {
        Self { has_finished: true, ..self }
    }

    fn and(mut self, name: &'static str, aliases: &'static [&'static str], payload: Payload) -> Self {
        self.executors.insert(name, payload);
        for alias in aliases {
            self.executors.entry(alias).or_insert(payload);
        }
        self
    }

    /// Reads and decodes them.
    ///
    /// # Errors
    ///
    /// When the backend fails, or cannot list jobs.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the check; it has changed nothing.
    pub async fn run<B: Backend + ?Sized>(&self, backend: &B) -> Result<StoredReport, JobsError> {
        let statuses = JobStatus::ALL.iter().copied().filter(|status| self.has_finished || !status.is_finished());
        let filter = Filter::StatusIn(statuses.collect());
        let mut request = JobsRequest::new(filter).in_order(JobOrder::Oldest).at_most(PAGE);
        let mut report = StoredReport::default();
        loop {
            let page = observe(backend)?.page(&request).await?;
            for row in &page.jobs {
                let name = row.executor.as_str();
                let Some(payload) = self.executors.get(name) else {
                    report.unknown(name);
                    continue;
                };
                let failed = payload.decode(row).err();
                report.add(
                    name,
                    failed.map(|(part, error)| UndecodedRow { id: row.id, part, path: error.path, error: error.error }),
                );
            }
            match page.next {
                Some(next) => request = request.after(Some(next)),
                None => return Ok(report),
            }
        }
    }
}
