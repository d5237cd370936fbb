//! Examining a file: see [`Doctor`](crate::Doctor).

mod catalog;
mod compare;
mod file;
mod rebuild;

use std::{path::Path, time::Duration};

use chrono::{DateTime, Utc};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};

use self::catalog::Catalog;
use super::{error::OpenError, migrate, open, queries};
use crate::{
    common::SchemaVersion,
    doctor::{Finding, Repair},
};

/// What creates the tables, or brings them up to date.
const MIGRATE: &str = "rexecutor migrate up";

/// Nobody holds the lock of the file for longer, if all is well.
const BUSY: Duration = Duration::from_secs(5);

/// What is not as this version made it.
pub(crate) async fn examine(path: &Path, now: DateTime<Utc>, whole: bool) -> Result<Vec<Finding>, OpenError> {
    if let Some(finding) = file::closed(path) {
        return Ok(vec![finding]);
    }
    let path = open::check(path)?;
    if !path.exists() {
        return Err(OpenError::NoFile { path });
    }
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(false);
    let options = options.busy_timeout(BUSY).disable_statement_logging();
    let failed = |error| OpenError::new(path.clone(), error);
    let mut connection = options.connect().await.map_err(failed)?;
    let mut findings = file::beside(&path);
    match read(&mut connection, &path, now, whole, &mut findings).await {
        Ok(()) => {}
        Err(OpenError::ReadOnly { .. }) => findings.push(file::not_writable(&path)),
        Err(OpenError::Failed { source, .. }) if is_damage(&*source) => {
            findings.push(file::damaged(&path, &source.to_string()));
            return Ok(findings);
        }
        Err(error) => return Err(error),
    }
    connection.close().await.map_err(failed)?;
    Ok(findings)
}

fn is_damage(error: &(dyn std::error::Error + 'static)) -> bool {
    let error = error.downcast_ref::<sqlx::Error>().and_then(sqlx::Error::as_database_error);
    error.and_then(|error| error.code()).is_some_and(|code| code.parse::<i32>().is_ok_and(|code| code & 0xff == 11))
}

async fn read(
    connection: &mut SqliteConnection,
    path: &Path,
    now: DateTime<Utc>,
    whole: bool,
    findings: &mut Vec<Finding>,
) -> Result<(), OpenError> {
    let failed = |error| OpenError::new(path.to_owned(), error);
    let SchemaVersion { found, oldest_program: oldest, known } = migrate::version(connection, path).await?;
    let tables = Catalog::read(connection).await.map_err(failed)?;
    let problem =
        |what: String, command: &str| Finding::problem("version", what, Some(Repair::Command(command.to_owned())));
    match () {
        () if !tables.has_jobs() && found == 0 => {
            let what = "there are no tables in this file";
            findings.push(Finding::problem("table", what, Some(Repair::Command(MIGRATE.to_owned()))));
        }
        () if oldest > known => {
            let what = format!("the tables need programs that know version {oldest}, and this one knows {known}");
            findings.push(problem(what, "cargo install rexecutor-cli"));
        }
        // Tables of a newer version have what this one does not know of.
        () if found > known => {}
        () if found > 0 && found < known => {
            let what = format!("the tables have version {found}, and this program knows {known}");
            findings.push(problem(what, MIGRATE));
        }
        () => {
            let expected = Catalog::expected().await.map_err(failed)?;
            findings.extend(compare::compare(&expected, &tables));
            if found == 0 {
                let what = "nothing says which version the tables have";
                findings.push(Finding::mend("version", what, migrate::record()));
            }
        }
    }
    let is_whole = !findings.iter().any(|finding| ["table", "column", "version"].contains(&finding.check));
    if is_whole {
        findings.extend(clock(connection, now).await.map_err(failed)?);
    }
    findings.extend(file::kept(connection, path).await.map_err(failed)?);
    if whole {
        findings.extend(file::integrity(connection, path).await.map_err(failed)?);
        findings.extend(file::references(connection).await.map_err(failed)?);
    }
    // Whether it can be written to is seen by nothing else for sure.
    let writing = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    writing.rollback().await.map_err(failed)
}

/// Whether the clock has shown a later time before.
async fn clock(connection: &mut SqliteConnection, now: DateTime<Utc>) -> sqlx::Result<Option<Finding>> {
    let latest: i64 = sqlx::query(queries::find_latest_clock()).bind(0).fetch_one(connection).await?.try_get(0)?;
    let now = now.timestamp_micros();
    // As long as programs take for a clock that is merely corrected.
    let Some(before) = Some(latest).filter(|latest| *latest > now.saturating_add(60_000_000)) else { return Ok(None) };
    let before = DateTime::from_timestamp_micros(before).unwrap_or_default();
    let what = format!("the clock was set back, or was wrong before: {before} is stored already");
    let sql = format!(
        "UPDATE rexecutor_jobs SET inserted_at = {now} WHERE inserted_at > {now};\n\
         UPDATE rexecutor_nodes SET seen_at = {now} WHERE seen_at > {now};"
    );
    Ok(Some(Finding::mend("clock", what, sql)))
}
