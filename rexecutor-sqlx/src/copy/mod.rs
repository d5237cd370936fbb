//! Copying all jobs from one database to another.
//!
//! What becomes of each table is listed in `tables.rs`. `whole.rs` copies all of it while nothing runs; `live.rs` moves jobs that wait
//! while nodes run, and says by which protocol. Each database does what `store.rs` asks for.

mod error;
pub(crate) mod jobs;
mod live;
pub(crate) mod moving;
mod report;
pub(crate) mod store;
pub(crate) mod tables;
pub(crate) mod value;
mod whole;

use std::{
    fmt,
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
};

use rexecutor::backend::Marks;

pub(crate) use self::error::Result;
use self::store::{State, Store};
pub use self::{
    error::CopyError,
    report::{CheckedRows, CopyProgress, CopyReport, LeftBehind, LiveCopy, WholeCopy},
};
use crate::{AnyBackend, any::Kind};

/// Copies all that one database has into another one: from SQLite to PostgreSQL, back, or between two of a kind.
///
/// As a whole, it copies the jobs of every status with their numbers, errors, outputs, steps and streams, workflows and batches,
/// schedules, pauses, limits that were set, circuit breakers, what is left of rates, the history, and the audit log. Nodes must be stopped, programs that
/// enqueue, too, and the target must have no jobs. The source stays as it is. In the end all rows of both databases have been compared.
/// The cluster of the target is paused until then.
///
/// [`live`](Self::live) moves jobs that wait instead, while nodes run on both databases.
///
/// A call that fails, or whose process is killed at any moment, is resumed by the same call.
///
/// # Examples
///
/// ```
/// use rexecutor::backend::{Enqueue, NewJob};
/// use rexecutor_sqlx::{CopyReport, DatabaseCopy};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let url = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
/// let source = rexecutor_sqlx::connect(url("jobs.db")).await?;
/// source.enqueue(vec![NewJob::new("mail", "{}")]).await?;
/// let target = rexecutor_sqlx::connect(url("new.db")).await?;
/// let CopyReport::Whole(report) = DatabaseCopy::new(source, target).run().await? else { unreachable!() };
/// assert_eq!((report.statuses[0].name.as_str(), report.statuses[0].rows), ("scheduled", 1));
/// # Ok(())
/// # }
/// ```
#[must_use = "it copies nothing until `run` is called and awaited"]
pub struct DatabaseCopy {
    source: AnyBackend,
    target: AnyBackend,
    live: bool,
    progress: Option<Arc<Tell>>,
}

/// What may set a job apart that is moved. A job with any other mark is known to somebody in the source: to whoever waits for its end, or
/// sends it a signal, or to its flow.
pub(crate) const MOVABLE: Marks = Marks::UNDECODED.with(Marks::STEPS);

type Tell = dyn Fn(CopyProgress) + Send + Sync;

impl DatabaseCopy {
    /// From one database to another. Both must have tables of the version that this crate knows.
    pub fn new(source: AnyBackend, target: AnyBackend) -> Self {
        Self { source, target, live: false, progress: None }
    }

    /// Whether jobs that wait are moved, instead of all being copied. The default is that all is copied.
    ///
    /// Nodes may run on both databases, and the target may have jobs of its own. Scheduled and retryable jobs are moved in batches; each
    /// stands in one database at any time and is claimed from no other. What runs, what is part of a workflow or a batch, what runs in order
    /// with others, waits for a signal, or is waited for, stays in the source, where its nodes finish it; so does what is finished.
    /// A job keeps its number, unless the target may have given that to another one. Pauses and limits that were set in the source hold in
    /// the target, but for a pause of the whole cluster. Limits, rates and unique keys hold within each of the two databases.
    pub fn live(mut self, live: bool) -> Self {
        self.live = live;
        self
    }

    /// Is told what goes on, after each step. It is called on the task that copies, and must not block.
    pub fn on_progress(mut self, tell: impl Fn(CopyProgress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(tell));
        self
    }

    /// Copies.
    ///
    /// # Errors
    ///
    /// When the databases are not as they have to be, when one is changed meanwhile, or when one fails; [`CopyError`] says what to do.
    ///
    /// # Cancel safety
    ///
    /// What was done until the future is dropped stays. The same call resumes it; until then the cluster of a target is paused, or some
    /// jobs are [on their way](Self::live) and run nowhere.
    pub async fn run(self) -> Result<CopyReport> {
        match self.live {
            true => live::run(&self).await.map(CopyReport::Live),
            false => whole::run(&self).await.map(CopyReport::Whole),
        }
    }

    /// What [`run`](Self::run) would copy: nothing is changed. Of jobs that would be moved, [`LeftBehind::new`] is the count.
    ///
    /// # Errors
    ///
    /// Those of `run`.
    pub async fn dry_run(self) -> Result<CopyReport> {
        match self.live {
            true => live::dry_run(&self).await.map(CopyReport::Live),
            false => whole::dry_run(&self).await.map(CopyReport::Whole),
        }
    }

    /// Every table of either database, and the columns of those that are copied. Not public API.
    #[cfg(feature = "__testing")]
    #[doc(hidden)]
    pub fn decisions() -> Vec<(&'static str, Option<Vec<&'static str>>)> {
        tables::decisions()
    }

    fn stores(&self) -> (&dyn Store, &dyn Store) {
        (store(&self.source), store(&self.target))
    }

    /// How both stand, if they are two databases with the tables that are known.
    async fn states(&self) -> Result<(State, State)> {
        let (source, target) = self.stores();
        let (source, target) = (source.state().await?, target.state().await?);
        for (database, state) in [("the source", &source), ("the target", &target)] {
            let (found, known) = (state.version.found, state.version.known);
            if found != known {
                return Err(CopyError::OtherTables { database, found, known });
            }
        }
        match source.identity.is_some() && source.identity == target.identity {
            true => Err(CopyError::SameDatabase),
            false => Ok((source, target)),
        }
    }

    fn tell(&self, progress: CopyProgress) {
        if let Some(tell) = &self.progress {
            tell(progress);
        }
    }
}

impl fmt::Debug for DatabaseCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, target, live, progress: _ } = self;
        f.debug_struct("DatabaseCopy").field("source", source).field("target", target).field("live", live).finish()
    }
}

fn store(backend: &AnyBackend) -> &dyn Store {
    match &backend.0 {
        #[cfg(feature = "sqlite")]
        Kind::Sqlite(backend) => backend,
        #[cfg(feature = "postgres")]
        Kind::Postgres(backend) => backend,
    }
}

/// A name that nothing else has.
fn fresh_name() -> String {
    let number = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", number(), number())
}

/// By how many milliseconds the clock of the target is ahead.
fn clock_ahead(source: &State, target: &State) -> i64 {
    target.now.signed_duration_since(source.now).num_milliseconds()
}
