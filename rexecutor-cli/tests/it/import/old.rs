//! Databases of rexecutor 0.1.1, by a program of the crates as they were published.

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread::JoinHandle,
};

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::mpsc::UnboundedSender;

use crate::support::Place;

/// A database of a test's own, which is dropped with it. 0.1 makes its table in the schema `public`.
pub(super) struct Old {
    pub(super) place: Place,
    _database: Database,
}

struct Database(String);

impl Old {
    /// Without any tables.
    pub(super) fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("rexecutor_0_1_{}_{number}", std::process::id());
        let server = env::var("DATABASE_URL").expect("run `scripts/test`, or set DATABASE_URL");
        let (address, options) = server.split_once('?').unwrap_or((&server, ""));
        let (host, _) = address.rsplit_once('/').unwrap();
        sql(&server, &format!("CREATE DATABASE {name}"));
        let mark = if options.is_empty() { "" } else { "?" };
        Self { place: Place::at(&format!("{host}/{name}{mark}{options}")), _database: Database(name) }
    }

    /// With what a command of the old program makes.
    pub(super) fn with(arguments: &[&str]) -> Self {
        let old = Self::new();
        let status = old.program().args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(status.success(), "{status}");
        old
    }

    /// The old program on this database.
    pub(super) fn program(&self) -> Command {
        let mut command = Command::new(build());
        command.arg(&self.place.url);
        command
    }

    /// One number or text of the database.
    pub(super) fn one(&self, sql: &str) -> String {
        runtime().block_on(async {
            let mut connection = PgConnection::connect(&self.place.url).await.unwrap();
            let sql = format!("SELECT coalesce(({sql})::TEXT, '')");
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap()
        })
    }

    /// How many jobs the old table has.
    pub(super) fn left(&self) -> u64 {
        self.one("SELECT count(*) FROM public.rexecutor_jobs").parse().unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            sql(&env::var("DATABASE_URL").unwrap(), &format!("DROP DATABASE {} WITH (FORCE)", self.0));
        }
    }
}

fn sql(url: &str, sql: &str) {
    runtime().block_on(async {
        let mut connection = PgConnection::connect(url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// The old program. It is built once, in a folder beside the other programs of this build.
fn build() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rexecutor-0-1");
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rexecutor-0-1");
        fs::create_dir_all(&target).unwrap();
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // Its statements were checked when it was published; our tests' database has no tables to check them with.
        cargo.args(["build", "--locked", "--quiet"]).current_dir(&package).env("SQLX_OFFLINE", "true");
        // Then it would stand in another folder.
        cargo.env_remove("CARGO_BUILD_TARGET");
        let built = cargo.arg("--target-dir").arg(&target).output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        target.join("debug").join(format!("rexecutor-0-1{}", env::consts::EXE_SUFFIX))
    })
}

/// The old program, running jobs.
pub(super) struct Running {
    child: Child,
    input: Option<ChildStdin>,
    reader: Option<JoinHandle<()>>,
}

impl Running {
    /// What it prints goes to `told`: the number of each job that it runs, and `None` when it has enqueued some.
    pub(super) fn start(old: &Old, told: UnboundedSender<Option<u64>>) -> Self {
        let mut command = old.program();
        let mut child = command.arg("run").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take(), child.stdout.take().unwrap());
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                let line = line.unwrap();
                let _ = told.send((line != "enqueued").then(|| line.parse().unwrap()));
            }
        });
        Self { child, input, reader: Some(reader) }
    }

    pub(super) fn enqueue(&mut self, first: u64, count: u64) {
        writeln!(self.input.as_mut().unwrap(), "{first} {count}").unwrap();
    }

    /// Lets it end what it runs.
    pub(super) fn end(mut self) {
        drop(self.input.take());
        assert!(self.child.wait().unwrap().success());
        self.reader.take().unwrap().join().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
