//! Databases for the command to work on, and the command itself.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use rexecutor::backend::{Claim, Demand, Enqueue, Failure, Maintain, NewJob, Node, Outcome, Settle, Settlement};
use rexecutor_sqlx::{AnyBackend, AnyOptions};
use serde_json::Value;
use sqlx::{Connection, Executor as _};
use tempfile::TempDir;

/// A database of a test's own.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) url: String,
    pub(crate) schema: String,
    is_postgres: bool,
}

/// What the command has done.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
}

/// The command, with none of this machine's settings.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rexecutor"));
    for name in ["DATABASE_URL", "REXECUTOR_CONTEXT", "REXECUTOR_CONFIG", "XDG_CONFIG_HOME", "APPDATA", "HOME"] {
        command.env_remove(name);
    }
    command.env("USER", "ann").stdin(Stdio::null());
    command
}

pub(crate) fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).expect("what is printed is UTF-8");
    Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

/// Kills it with SIGKILL after so many lines of its standard error; whether it had not ended before.
pub(crate) fn killed_after(mut command: Command, lines: usize) -> bool {
    let mut child = command.arg("--verbose").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let said = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let said: Vec<String> = said.take(lines).collect();
    child.kill().unwrap();
    // On Unix, one that was killed has no code.
    let code = child.wait().unwrap().code();
    assert!(code.is_none_or(|code| code == 0), "{code:?}: {said:?}");
    code.is_none()
}

impl Place {
    fn new(is_postgres: bool) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let folder = tempfile::tempdir().unwrap();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let schema = format!("rexecutor_cli_{}_{number}", std::process::id());
        let url = match is_postgres {
            true => std::env::var("DATABASE_URL").expect("run `scripts/test`, or set DATABASE_URL"),
            false => format!("sqlite:{}", folder.path().join("jobs.db").display()),
        };
        Self { folder, url, schema, is_postgres }
    }

    /// On a server of a test's own, without tables.
    pub(crate) fn at(url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, url: url.to_owned(), schema: "rexecutor_cli".to_owned(), is_postgres: true }
    }

    /// One of each database, without tables.
    pub(crate) fn bare() -> [Self; 2] {
        [Self::new(false), Self::new(true)]
    }

    /// One of each database.
    pub(crate) fn each() -> [Self; 2] {
        let places = Self::bare();
        for place in &places {
            place.run(["migrate", "up"]).ends(0);
        }
        places
    }

    pub(crate) fn sqlite() -> Self {
        let place = Self::new(false);
        place.run(["migrate", "up"]).ends(0);
        place
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = command();
        command.current_dir(&self.folder).env("DATABASE_URL", &self.url).args(["--schema", &self.schema]);
        command
    }

    pub(crate) fn run(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Ran {
        ran(self.command().args(arguments))
    }

    #[track_caller]
    pub(crate) fn json(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Value {
        ran(self.command().arg("--json").args(arguments)).ends(0).json()
    }

    /// With this on its standard input.
    pub(crate) fn fed(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child: Child = command.spawn().unwrap();
        // A command that does not read it ends before.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    pub(crate) async fn open(&self) -> AnyBackend {
        AnyOptions::new().schema(&self.schema).migrate(false).connect(&self.url).await.unwrap()
    }

    /// Lets something be done with the database as a program would.
    pub(crate) fn with<T>(&self, work: impl AsyncFnOnce(&AnyBackend) -> T) -> T {
        runtime().block_on(async {
            let backend = self.open().await;
            let answer = work(&backend).await;
            backend.close().await;
            answer
        })
    }

    /// Enqueues jobs and lets each fail for good, with these details.
    pub(crate) fn dead(&self, executor: &'static str, details: &[&str]) {
        self.with(async |backend| {
            let jobs = details.iter().map(|_| NewJob::new(executor, "1")).collect();
            let _ = backend.enqueue(jobs).await.unwrap();
            self.settle(backend, executor, |number| {
                Outcome::discard(Failure::new("oops".to_owned().into(), details[number]))
            })
            .await;
        });
    }

    /// Claims the due jobs of an executor, and settles each.
    pub(crate) async fn settle(
        &self,
        backend: &AnyBackend,
        executor: &'static str,
        outcome: impl Fn(usize) -> Outcome,
    ) {
        let node = backend.join(&Node::new("a node", Duration::from_secs(60))).await.unwrap();
        let claimed = backend.claim(node, [Demand::new(executor, 1_000)].into()).await.unwrap().jobs;
        let settlements = claimed.iter().enumerate();
        let settlements = settlements.map(|(number, job)| Settlement::new(job.id, job.lease, outcome(number)));
        assert!(backend.settle(settlements.collect()).await.unwrap().is_empty());
        backend.leave(node).await.unwrap();
    }

    /// Runs statements as another client would.
    pub(crate) fn sql(&self, sql: &str) {
        self.sql_each(&[sql.to_owned()]);
    }

    /// … one after the other, in one session.
    pub(crate) fn sql_each(&self, all: &[String]) {
        runtime().block_on(async {
            match self.is_postgres {
                true => run_each(sqlx::PgConnection::connect(&self.url).await.unwrap(), all).await,
                false => {
                    let url = format!("{}?mode=rwc", self.url);
                    run_each(sqlx::SqliteConnection::connect(&url).await.unwrap(), all).await;
                }
            }
        });
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_postgres && !std::thread::panicking() {
            self.sql(&format!("DROP SCHEMA IF EXISTS {} CASCADE", self.schema));
        }
    }
}

async fn run_each<C: Connection>(mut connection: C, all: &[String])
where
    for<'a> &'a mut C: sqlx::Executor<'a>,
{
    for sql in all {
        let run = (&mut connection).execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql.clone()))).await;
        run.map(drop).unwrap_or_else(|error| panic!("{error}: {sql}"));
    }
    connection.close().await.unwrap();
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// The names of an object's fields.
#[track_caller]
pub(crate) fn fields(value: &Value) -> Vec<&str> {
    value.as_object().unwrap_or_else(|| panic!("{value}")).keys().map(String::as_str).collect()
}

/// The texts of a list.
pub(crate) fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect()
}
