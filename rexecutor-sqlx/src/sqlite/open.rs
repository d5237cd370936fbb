//! Opening a file: the options, and what is checked before the first job.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use rexecutor::{
    __private::while_waiting,
    backend::Listeners,
    clock::{Clock, SystemClock},
};
use sqlx::{
    ConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};

use super::{
    backend::{Database, SqliteBackend},
    checkpoint,
    core::{Core, OpenFile},
    durability::Durability,
    error::OpenError,
    migrate,
    place::Place,
    readers::Readers,
    writer::Writer,
};
use crate::common::Room;

/// For how long SQLite waits for another process's lock before it is asked again.
const LOCK_QUANTUM: Duration = Duration::from_millis(25);

/// Between two attempts to open a file that another process has locked.
const PAUSE: Duration = Duration::from_millis(10);

/// How to open a database, and how to use it.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use rexecutor_sqlx::{Durability, SqliteOptions};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), rexecutor_sqlx::OpenError> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("jobs.db");
/// let backend = SqliteOptions::new()
///     .busy_timeout(Duration::from_secs(10))
///     .durability(Durability::Everything)
///     .open(&path)
///     .await?;
/// # drop(backend);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "options open nothing until `open` is called and awaited"]
pub struct SqliteOptions {
    busy_timeout: Duration,
    poll_interval: Duration,
    durability: Durability,
    creates: bool,
    migrates: bool,
    clock: Arc<dyn Clock>,
}

impl SqliteBackend {
    /// Opens a file, creating it if it does not exist; `:memory:` is a database in memory.
    ///
    /// # Errors
    ///
    /// When the file cannot be used; [`OpenError`] says why and what to do.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        SqliteOptions::new().open(path).await
    }

    /// Opens a database in memory: its jobs are gone when the backend is dropped.
    ///
    /// # Errors
    ///
    /// When SQLite cannot be started.
    pub async fn in_memory() -> Result<Self, OpenError> {
        SqliteOptions::new().open_in_memory().await
    }
}

impl SqliteOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            busy_timeout: Duration::from_secs(5),
            poll_interval: Duration::from_millis(100),
            durability: Durability::default(),
            creates: true,
            migrates: true,
            clock: Arc::new(SystemClock),
        }
    }

    /// How long a call waits while another process holds the file's lock, before it fails. It is counted from the call, however
    /// many others wait. The default is 5 seconds.
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        // The most that SQLite takes.
        self.busy_timeout = timeout.min(Duration::from_millis(i32::MAX as u64));
        self
    }

    /// How often a node looks for what other processes have done. The default is 100 milliseconds.
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval;
        self
    }

    /// What is still there after a crash. The default is [`Durability::Enqueued`].
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Whether a file that does not exist is created. The default is that it is.
    pub fn create(mut self, create: bool) -> Self {
        self.creates = create;
        self
    }

    /// Whether opening creates the tables, or brings them up to date. The default is that it does; otherwise a file that is not up
    /// to date is not opened.
    pub fn migrate(mut self, migrate: bool) -> Self {
        self.migrates = migrate;
        self
    }

    /// Goes by this clock, for tests. The default is the operating system's, which all processes on a file share.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Opens a file, creates it if it does not exist, and brings its tables up to date; `:memory:` is
    /// [`open_in_memory`](Self::open_in_memory).
    ///
    /// # Errors
    ///
    /// When the file cannot be used; [`OpenError`] says why and what to do.
    pub async fn open(self, path: impl AsRef<Path>) -> Result<SqliteBackend, OpenError> {
        match path.as_ref() {
            path if path == Path::new(":memory:") => self.open_in_memory().await,
            path => {
                let path = check(path)?;
                if !self.creates && !path.exists() {
                    return Err(OpenError::NoFile { path });
                }
                let file = self.connect_options().filename(&path).create_if_missing(self.creates);
                let file = file.journal_mode(SqliteJournalMode::Wal).pragma("wal_autocheckpoint", checkpoint::PAGES);
                self.start(file.clone(), path, Some(Arc::new(Readers::new(file)))).await
            }
        }
    }

    /// Opens a database in memory: its jobs are gone when the backend is dropped.
    ///
    /// # Errors
    ///
    /// When SQLite cannot be started.
    pub async fn open_in_memory(self) -> Result<SqliteBackend, OpenError> {
        self.start(self.connect_options(), ":memory:".into(), None).await
    }

    fn connect_options(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .busy_timeout(self.busy_timeout)
            // Fewer turns between the connection's thread and ours.
            .row_buffer_size(1000)
            .disable_statement_logging()
    }

    async fn start(
        &self,
        options: SqliteConnectOptions,
        path: PathBuf,
        readers: Option<Arc<Readers>>,
    ) -> Result<SqliteBackend, OpenError> {
        let Self { busy_timeout, poll_interval, durability, migrates, clock, creates: _ } = self.clone();
        let listeners = Arc::new(Listeners::default());
        let heard = Arc::new(AtomicBool::new(false));
        let core = (Arc::clone(&clock), Arc::clone(&listeners), Arc::clone(&heard));
        let file_path = readers.is_some().then(|| path.clone());
        let opening = readers.clone();
        // A thread that waits here can be asked nothing: the calls wait for locks themselves, each for its time.
        let quantum = (busy_timeout / 20).min(LOCK_QUANTUM);
        let writing = options.clone().busy_timeout(quantum);
        let open_once = async move || {
            let failed = |error| OpenError::new(path.clone(), error);
            let mut conn = writing.connect().await.map_err(failed)?;
            let (clock, listeners, heard) = core.clone();
            match migrates {
                true => migrate::migrate(&mut conn, &path, &*clock).await?,
                false => migrate::check(&mut conn, &path).await?,
            }
            let failed = |source: std::io::Error| OpenError::Failed { path: path.clone(), source: source.into() };
            let file = match &opening {
                // A database in memory has no file, and no log.
                None => None,
                Some(readers) => {
                    let place = Place::of(&path).map_err(failed)?;
                    readers.open(place.clone());
                    Some(OpenFile { options: options.clone(), place, readers: readers.clone() })
                }
            };
            Ok(Core::new(conn, file, clock, listeners, heard, durability, busy_timeout))
        };
        let open = async move || {
            let mut left = busy_timeout;
            loop {
                match open_once().await {
                    // Of two processes that turn a new file to WAL mode at once, one is refused without any waiting.
                    Err(OpenError::Busy { .. }) if !left.is_zero() => {
                        // Another process's lock is a matter of real time, whatever clock the jobs go by.
                        SystemClock.sleep(PAUSE).await;
                        left = left.saturating_sub(quantum + PAUSE);
                    }
                    result => return result,
                }
            }
        };
        let writer = while_waiting(Writer::start(open)).await?;
        Ok(SqliteBackend(Arc::new(Database {
            writer,
            readers,
            path: file_path,
            listeners,
            heard,
            clock,
            poll_interval,
            room: Room::default(),
        })))
    }
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// The absolute path, if there can be a database at it.
pub(super) fn check(path: &Path) -> Result<PathBuf, OpenError> {
    // Absolute, because readers are opened later, when the process may be elsewhere, and because SQLite takes a
    // relative path that begins with `file:` for an URI.
    let failed = |source: std::io::Error| OpenError::Failed { path: path.to_owned(), source: source.into() };
    let path = std::path::absolute(path).map_err(failed)?;
    if path.is_dir() {
        return Err(OpenError::IsFolder { path });
    }
    if path.parent().is_some_and(|folder| !folder.is_dir()) {
        return Err(OpenError::NoFolder { path });
    }
    // SQLite would open it for reading, and complain with the first job.
    if path.metadata().is_ok_and(|file| file.permissions().readonly()) {
        return Err(OpenError::ReadOnly { path });
    }
    Ok(path)
}
