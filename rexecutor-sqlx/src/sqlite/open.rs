//! Opening a database.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rexecutor::{backend::Bells, clock::Clock};
use sqlx::{
    ConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::Mutex;

use super::{Database, SqliteBackend, clock_or_system, enqueue::Gathering, error::OpenError, migrate};

/// How an SQLite database is opened. Every default suits most programs.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use rexecutor_sqlx::{SqliteBackend, SqliteOptions};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("jobs.db");
/// let backend = SqliteOptions::new().busy_timeout(Duration::from_secs(10)).open(path).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "options open nothing by themselves"]
pub struct SqliteOptions {
    pub(super) busy_timeout: Duration,
    pub(super) poll_interval: Duration,
    pub(super) synchronous: Synchronous,
    clock: Option<Arc<dyn Clock>>,
}

/// What a commit waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Synchronous {
    /// Until the disk has it: a job that was enqueued outlives the loss of power.
    #[default]
    Full,
    /// Until the operating system has it: a job that was enqueued outlives the death of the process, and the last ones
    /// may be gone after a loss of power. Faster, the more so the slower the disk.
    Normal,
}

impl SqliteOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            busy_timeout: Duration::from_secs(5),
            poll_interval: Duration::from_millis(50),
            synchronous: Synchronous::Full,
            clock: None,
        }
    }

    /// How long a call waits for another process that writes, before it fails. The default is 5 seconds.
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// How often a node looks whether another process has written. The default is 50 ms; the look reads one number.
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval;
        self
    }

    /// What a commit waits for. The default is [`Synchronous::Full`].
    pub fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// Goes by this clock, as under test. The default is the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Opens a file, and creates it if it is not there.
    ///
    /// # Errors
    ///
    /// When the folder does not exist, the file is no database or cannot be written, or a later version of this crate
    /// has written it.
    pub async fn open(self, path: impl AsRef<Path>) -> Result<SqliteBackend, OpenError> {
        let path = path.as_ref();
        if path == Path::new(":memory:") {
            return self.open_in_memory().await;
        }
        check(path)?;
        let failed = |error| OpenError::new(path.to_owned(), error);
        let options = self.connect(SqliteConnectOptions::new().filename(path).create_if_missing(true));
        let options = options.journal_mode(SqliteJournalMode::Wal);
        let mut writer = options.clone().connect().await.map_err(failed)?;
        let clock = clock_or_system(self.clock.clone());
        migrate::run(&mut writer, clock.now(), path).await?;
        let readers = SqlitePoolOptions::new().max_connections(4).min_connections(0);
        let readers = readers.acquire_timeout(self.busy_timeout.max(Duration::from_secs(1)));
        let readers = readers.connect_lazy_with(options.create_if_missing(false).pragma("query_only", "ON"));
        Ok(self.backend(writer, Some(readers), clock))
    }

    /// Makes a database in the memory of this process, gone when the backend is.
    ///
    /// # Errors
    ///
    /// When SQLite has no memory left.
    pub async fn open_in_memory(self) -> Result<SqliteBackend, OpenError> {
        let path = PathBuf::from(":memory:");
        let options = self.connect(SqliteConnectOptions::new().in_memory(true));
        let mut writer = options.connect().await.map_err(|error| OpenError::new(path.clone(), error))?;
        let clock = clock_or_system(self.clock.clone());
        migrate::run(&mut writer, clock.now(), &path).await?;
        Ok(self.backend(writer, None, clock))
    }

    fn connect(&self, options: SqliteConnectOptions) -> SqliteConnectOptions {
        let synchronous = match self.synchronous {
            Synchronous::Full => SqliteSynchronous::Full,
            Synchronous::Normal => SqliteSynchronous::Normal,
        };
        options.busy_timeout(self.busy_timeout).synchronous(synchronous).foreign_keys(true).disable_statement_logging()
    }

    fn backend(
        self,
        writer: sqlx::SqliteConnection,
        readers: Option<sqlx::SqlitePool>,
        clock: Arc<dyn Clock>,
    ) -> SqliteBackend {
        SqliteBackend(Arc::new(Database {
            writer: Mutex::new(writer),
            readers,
            gathering: Gathering::default(),
            bells: Bells::default(),
            clock,
            options: self,
        }))
    }
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl SqliteBackend {
    /// Opens a file, and creates it if it is not there; `:memory:` is [`in_memory`](Self::in_memory).
    ///
    /// # Errors
    ///
    /// When the folder does not exist, the file is no database or cannot be written, or a later version of this crate
    /// has written it.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        SqliteOptions::new().open(path).await
    }

    /// Makes a database in the memory of this process, gone when the backend is.
    ///
    /// # Errors
    ///
    /// When SQLite has no memory left.
    pub async fn in_memory() -> Result<Self, OpenError> {
        SqliteOptions::new().open_in_memory().await
    }
}

/// What the file system says before SQLite is asked, whose own words name no path.
fn check(path: &Path) -> Result<(), OpenError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(OpenError::NoFolder(folder.to_owned()));
    }
    if path.is_dir() {
        return Err(OpenError::IsFolder(path.to_owned()));
    }
    // Asked here too, because the superuser may write what says that it must not be written.
    let is_read_only = path.metadata().is_ok_and(|file| file.permissions().readonly());
    if is_read_only { Err(OpenError::ReadOnly(path.to_owned())) } else { Ok(()) }
}
