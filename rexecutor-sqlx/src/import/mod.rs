//! Moving the jobs of rexecutor 0.1 into our tables, in the same PostgreSQL database.
//!
//! # Invariants
//!
//! - A job is inserted here and deleted there in one transaction, so it is in one of the two tables at any time, and nothing has to be
//!   remembered of an import that was killed.
//! - A row is locked before it is read. Where programs of 0.1 may run, one that somebody else has locked is skipped: it is about to run there.
//! - What is inserted is read back and compared before the commit.

mod error;
pub(crate) mod old_job;
mod report;
mod walk;

use std::{fmt, sync::Arc};

use rexecutor::limits::MAX_DATA_BYTES;

pub(crate) use self::error::Result;
pub use self::{
    error::ImportError,
    report::{ImportProgress, ImportReport, OldJobs, RefusedJob},
};
use crate::{AnyBackend, PgBackend, any::Kind};

/// Moves the jobs of rexecutor 0.1 out of its table `rexecutor_jobs` into the tables of this version, in the same PostgreSQL database.
///
/// Jobs of every status are moved, with their data, metadata, tags, priorities, attempts, errors and times. They get new numbers; the
/// header [`OLD_ID`](Self::OLD_ID) has the old one. A job that ran when its program died is treated as one whose node died: it is due
/// again, or discarded if that was its last attempt. Jobs that this version cannot have stay where they are, and the report says why.
///
/// Programs of 0.1 must be stopped. [`live`](Self::live) moves jobs that wait instead, while they run.
///
/// Each batch of 200 jobs is one transaction: a call that fails, or whose process is killed at any moment, is resumed by the same call.
///
/// # Examples
///
/// ```no_run
/// use rexecutor_sqlx::{Import01, PgBackend};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let backend = PgBackend::connect("postgres://app:secret@db.example.com/app").await?;
/// let report = Import01::new(backend).run().await?;
/// println!("{} jobs were moved", report.moved_jobs());
/// for job in &report.refused {
///     println!("job {} of `{}` stays: {}", job.id, job.executor, job.problem);
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "it moves nothing until `run` is called and awaited"]
pub struct Import01 {
    backend: AnyBackend,
    schema: String,
    executors: Vec<String>,
    is_live: bool,
    skips_finished: bool,
    is_stopped: bool,
    max_data_bytes: usize,
    progress: Option<Arc<Tell>>,
}

type Tell = dyn Fn(ImportProgress) + Send + Sync;

/// How many refused jobs a report names.
const MOST_REFUSED: usize = 1_000;

/// Statuses of 0.1.
const WAITING: [&str; 2] = ["scheduled", "retryable"];
const FINISHED: [&str; 3] = ["complete", "cancelled", "discarded"];

/// What one transaction moves.
pub(crate) struct Batch<'i> {
    pub(crate) schema: &'i str,
    pub(crate) statuses: &'i [&'static str],
    pub(crate) ids: Vec<i32>,
    pub(crate) max_data_bytes: usize,
    /// How its rows are locked.
    pub(crate) lock: &'static str,
    /// Whether to make sure that no program of 0.1 has come.
    pub(crate) must_be_alone: bool,
    /// Is told how many jobs are stored, before that is committed.
    pub(crate) stored: &'i (dyn Fn(u64) + Send + Sync),
}

/// What one transaction has moved, or would move.
#[derive(Debug, Default)]
pub(crate) struct Moved {
    /// The executor and the old status of each.
    pub(crate) jobs: Vec<(String, String)>,
    pub(crate) refused: Vec<RefusedJob>,
}

impl Import01 {
    /// The header in which a moved job has the number that it had in 0.1: `rexecutor_0_1_id`.
    pub const OLD_ID: &'static str = "rexecutor_0_1_id";

    /// From the schema `public` of the database that this backend is on. It must be a PostgreSQL database.
    pub fn new(backend: impl Into<AnyBackend>) -> Self {
        Self {
            backend: backend.into(),
            schema: "public".to_owned(),
            executors: Vec::new(),
            is_live: false,
            skips_finished: false,
            is_stopped: false,
            max_data_bytes: MAX_DATA_BYTES,
            progress: None,
        }
    }

    /// The schema in which the table `rexecutor_jobs` is. The default is `public`, where 0.1 makes it.
    pub fn from_schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// Only jobs of these executors; of all of them if there are none, which is the default. So a program is ported one executor after the
    /// other, with [`live`](Self::live).
    pub fn executors(mut self, executors: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.executors = executors.into_iter().map(Into::into).collect();
        self
    }

    /// Whether only jobs that wait are moved, while programs of 0.1 run. The default is no.
    ///
    /// Scheduled and retryable jobs are moved in batches. What runs and what is finished stays for a later call without `live`, once those
    /// programs are stopped. A job that a program of 0.1 is about to run stays, too, until it waits again.
    pub fn live(mut self, is_live: bool) -> Self {
        self.is_live = is_live;
        self
    }

    /// Whether complete, cancelled and discarded jobs stay in the old table. The default is no: they are moved as well.
    pub fn skip_finished(mut self, skips: bool) -> Self {
        self.skips_finished = skips;
        self
    }

    /// Whether to take it as given that no program of 0.1 runs. The default is no: the server is asked which sessions listen for its jobs, as
    /// each of them does, also one that only enqueues. Say so where this role may not see what others do.
    pub fn assume_stopped(mut self, is_stopped: bool) -> Self {
        self.is_stopped = is_stopped;
        self
    }

    /// How many bytes the data of a job, and its metadata, may each have as JSON: [`MAX_DATA_BYTES`] by default. Larger ones
    /// are refused. Give what the executors allow.
    pub fn max_data_bytes(mut self, bytes: usize) -> Self {
        self.max_data_bytes = bytes;
        self
    }

    /// Is told what goes on, after each step. It is called on the task that imports, and must not block.
    pub fn on_progress(mut self, tell: impl Fn(ImportProgress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(tell));
        self
    }

    /// Moves what there is.
    ///
    /// # Errors
    ///
    /// When there is no table of 0.1.1, when a program of 0.1 runs, or when the database fails; [`ImportError`] says what to do. That jobs
    /// are refused is no error.
    ///
    /// # Cancel safety
    ///
    /// What was moved until the future is dropped stays moved, and the rest stays where it is.
    pub async fn run(self) -> Result<ImportReport> {
        self.run_until(None::<std::future::Ready<()>>).await
    }

    /// Moves jobs that wait, as [`live`](Self::live), and those that come to wait until `stop` ends. It looks for them once a second.
    ///
    /// # Errors
    ///
    /// Those of [`run`](Self::run).
    ///
    /// # Cancel safety
    ///
    /// That of [`run`](Self::run).
    pub async fn follow(self, stop: impl Future<Output = ()> + Send) -> Result<ImportReport> {
        self.live(true).run_until(Some(stop)).await
    }

    /// What [`run`](Self::run) would move, and what it would refuse: nothing is changed. Programs of 0.1 may run.
    ///
    /// # Errors
    ///
    /// Those of `run`.
    pub async fn dry_run(self) -> Result<ImportReport> {
        let backend = self.open().await?;
        let mut report = ImportReport::new(&self.schema);
        let statuses = self.statuses();
        self.walk(backend, &statuses, true, &mut report, &mut || false).await?;
        report.left = backend.count_old_jobs(&self.schema).await?;
        Ok(report)
    }

    async fn open(&self) -> Result<&PgBackend> {
        let backend = match &self.backend.0 {
            Kind::Postgres(backend) => backend,
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(_) => return Err(ImportError::NotPostgres),
        };
        backend.check_old_table(&self.schema).await?;
        Ok(backend)
    }

    /// Programs that are stopped hold no locks; whoever does, as an import that was killed just now, is waited for.
    fn lock(&self) -> &'static str {
        if self.is_live { "FOR UPDATE SKIP LOCKED" } else { "FOR UPDATE" }
    }

    fn must_be_alone(&self) -> bool {
        !self.is_live && !self.is_stopped
    }

    fn statuses(&self) -> Vec<&'static str> {
        let executing = (!self.is_live).then_some("executing");
        let finished = FINISHED.into_iter().filter(|_| !self.is_live && !self.skips_finished);
        WAITING.into_iter().chain(executing).chain(finished).collect()
    }

    fn tell(&self, progress: ImportProgress) {
        if let Some(tell) = &self.progress {
            tell(progress);
        }
    }
}

impl fmt::Debug for Import01 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { backend, schema, executors, is_live, skips_finished, is_stopped, max_data_bytes, progress: _ } =
            self;
        f.debug_struct("Import01")
            .field("backend", backend)
            .field("from_schema", schema)
            .field("executors", executors)
            .field("live", is_live)
            .field("skip_finished", skips_finished)
            .field("assume_stopped", is_stopped)
            .field("max_data_bytes", max_data_bytes)
            .finish()
    }
}
