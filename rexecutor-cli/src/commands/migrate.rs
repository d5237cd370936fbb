//! The tables: which version they have, and bringing them up to date.

use std::{process::ExitCode, time::Duration};

use clap::Subcommand;
use rexecutor::clock::{Clock, SystemClock};
use rexecutor_sqlx::SchemaVersion;
use serde_json::{Value, json};

use crate::{
    args::Global,
    failure::{Code, Failure},
    output::{print, remark},
    session::Guard,
    time,
};

/// The tables: which version they have, and bringing them up to date
#[derive(Debug, Subcommand)]
pub(crate) enum Migrate {
    /// Which version the tables have; exits with 1 if they are not up to date
    Status,
    /// Creates the tables, or brings them up to date
    Up,
    /// Prints the SQL that would be run, for whoever lets an administrator do it
    Sql {
        /// From this version on, without asking the database; 0 creates the tables
        #[arg(long, value_name = "VERSION")]
        from: Option<i64>,
    },
    /// Waits until the tables are up to date, as another step of a deploy brings them; exits with 1 if they are not in time
    Wait {
        /// How long to wait
        #[arg(long, default_value = "60s", value_parser = time::span)]
        timeout: chrono::TimeDelta,
    },
}

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);

pub(crate) async fn run(global: &Global, what: Migrate) -> Result<ExitCode, Failure> {
    let guard = Guard::new(global)?;
    match what {
        Migrate::Status => {
            let version = look(&guard).await?;
            answer(global, version)?;
            Ok(gate(version))
        }
        Migrate::Up => {
            guard.confirm("migrate its tables")?;
            let url = &guard.target.url;
            let opened = guard.options().create(true).migrate(true).connect(url).await;
            opened.map_err(|error| guard.failure(error))?.close().await;
            answer(global, look(&guard).await?)?;
            Ok(ExitCode::SUCCESS)
        }
        Migrate::Sql { from } => {
            let (from, is_left) = match from {
                Some(from) => (from, true),
                None => look(&guard).await.map(|version| (version.found, !version.is_current()))?,
            };
            let sql = match is_left {
                true => guard.options().migration_sql(&guard.target.url, from).map_err(|error| guard.failure(error))?,
                false => String::new(),
            };
            match global.json {
                true => global.output().answer(&json!({ "from": from, "sql": sql }), String::new)?,
                false if sql.is_empty() => remark(&format!("the tables have version {from}: nothing is left to run")),
                false => print(sql.trim_end())?,
            }
            Ok(ExitCode::SUCCESS)
        }
        Migrate::Wait { timeout } => wait(global, &guard, timeout.to_std().unwrap_or_default()).await,
    }
}

async fn look(guard: &Guard) -> Result<SchemaVersion, Failure> {
    let version = guard.options().schema_version(&guard.target.url).await;
    version.map_err(|error| guard.failure(error))
}

/// What keeps a database from answering may pass while it is waited for.
async fn wait(global: &Global, guard: &Guard, timeout: Duration) -> Result<ExitCode, Failure> {
    let began = SystemClock.elapsed();
    loop {
        let seen = look(guard).await;
        match &seen {
            Ok(version) if version.is_current() => {
                answer(global, *version)?;
                return Ok(ExitCode::SUCCESS);
            }
            Err(failure) if failure.code == Code::Usage => return seen.map(gate),
            _ => {}
        }
        if SystemClock.elapsed().saturating_sub(began) >= timeout {
            let why = match seen {
                Ok(version) => sentence(version),
                Err(failure) => failure.message().to_owned(),
            };
            return Err(Failure::new(Code::No, format!("not up to date in time: {why}")));
        }
        SystemClock.sleep(PAUSE).await;
    }
}

fn gate(version: SchemaVersion) -> ExitCode {
    if version.is_current() { ExitCode::SUCCESS } else { ExitCode::from(Code::No as u8) }
}

fn shape(version: SchemaVersion) -> Value {
    json!({ "found": version.found, "known": version.known, "oldest_program": version.oldest_program,
        "is_current": version.is_current() })
}

fn answer(global: &Global, version: SchemaVersion) -> Result<(), Failure> {
    global.output().answer(&shape(version), || sentence(version))
}

fn sentence(version: SchemaVersion) -> String {
    let SchemaVersion { found, known, .. } = version;
    match () {
        () if version.is_too_new() => {
            format!("the tables have version {found}, which is too new for this command: update it")
        }
        () if version.is_current() => format!("the tables are up to date: version {found}"),
        () if found == 0 => format!("there are no tables yet; this command knows version {known}"),
        () => format!("the tables have version {found}, and this command knows version {known}"),
    }
}
